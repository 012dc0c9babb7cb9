import { formatGoValue } from '../../../registry/go-format.js'
import { toNumber } from './template-values.js'

/** A verb of Go's fmt: flags, width, precision, letter. */
const VERB = /%([-+ 0#]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g

/** Formats as Go's `fmt.Sprintf`, for the verbs that make sense for plain data: v s q d x f t and %%. */
export function formatPrintf(format: string, values: readonly unknown[]): string {
  let used = 0
  const result = format.replace(VERB, (...match: (string | undefined)[]) => {
    const [, flags = '', width, precision, verb = 'v'] = match
    if (verb === '%') return '%'
    if (used >= values.length) return `%!${verb}(MISSING)`
    const digits = precision === undefined ? undefined : Number(precision)
    return pad(formatVerb(verb, values[used++], digits), { flags, width: Math.min(Number(width ?? 0), 1000) })
  })
  const extra = values.slice(used)
  return extra.length === 0 ? result : `${result}%!(EXTRA ${extra.map(formatGoValue).join(', ')})`
}

function formatVerb(verb: string, value: unknown, precision: number | undefined): string {
  switch (verb) {
    case 's':
      return formatGoValue(value).slice(0, precision)
    case 'q':
      return JSON.stringify(formatGoValue(value))
    case 'd':
      return String(Math.trunc(toNumber(value)))
    case 'f':
      return toNumber(value).toFixed(precision ?? 6)
    case 'x':
      return typeof value === 'number' ? value.toString(16) : Buffer.from(formatGoValue(value)).toString('hex')
    default:
      return formatGoValue(value)
  }
}

function pad(text: string, { flags, width }: { readonly flags: string; readonly width: number }): string {
  if (flags.includes('-')) return text.padEnd(width)
  return text.padStart(width, flags.includes('0') ? '0' : ' ')
}
