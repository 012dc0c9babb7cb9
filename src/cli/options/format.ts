import { UsageError } from '../usage-error.js'
import { text } from './option.js'

/** How a result is shown. */
export type Format =
  { readonly type: 'text' | 'json' | 'tree' | 'table' } | { readonly type: 'go-template'; readonly template: string }

export const FORMATS: readonly Format['type'][] = ['text', 'json', 'go-template']

const MACHINE_TYPES: ReadonlySet<string> = new Set(['json', 'go-template'])

export interface FormatValues {
  readonly format?: string
  readonly template?: string
}

/** The flags `--format` and `--template` of a command that offers these types; the first is the default. */
export function formatOptions(types: readonly string[] = FORMATS) {
  const shown = `how the result is shown: ${types.join(', ')} (default: ${types[0] ?? 'text'})`
  return {
    format: text('--format <format>', shown, { group: 'output' }),
    template: text('--template <template>', 'Go template for --format go-template', { group: 'output' }),
  }
}

/** Reads the format; the first of the types is the default. */
export function readFormat(values: FormatValues, types: readonly string[] = FORMATS): Format {
  const text = values.format ?? types[0] ?? 'text'
  const equals = text.indexOf('=')
  const type = equals === -1 ? text : text.slice(0, equals)
  if (!types.includes(type)) {
    const supported = [...types].sort((a, b) => Number(a === types[0]) - Number(b === types[0]))
    throw new UsageError(`invalid format type: "${type}"`, { hint: `supported types: ${supported.join(', ')}` })
  }
  if (type === 'go-template') {
    const template = equals === -1 ? values.template : text.slice(equals + 1)
    if (template !== undefined && template !== '') return { type, template }
    throw new UsageError('"go-template" format specified but no template given', {
      hint: 'use `--format go-template=TEMPLATE` to specify the template',
    })
  }
  if (values.template !== undefined) throw new UsageError('--template must be used with --format go-template')
  return { type: type as 'text' | 'json' | 'tree' | 'table' }
}

/** Whether the result is for a program: then nothing but the result is printed. */
export function isMachineFormat({ type }: Pick<Format, 'type'>): boolean {
  return MACHINE_TYPES.has(type)
}
