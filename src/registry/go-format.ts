import { isJsonObject } from '../util/json.js'

/**
 * A JSON value as Go's `%v` prints it, the form in which registry clients are used to show the details of an error:
 * `map[name:nosuch]`, `[a b]`, `<nil>`. Keys are sorted.
 */
export function formatGoValue(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (typeof value === 'string') return value
  if (typeof value === 'number') return formatGoNumber(value)
  if (typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return `[${value.map(formatGoValue).join(' ')}]`
  if (!isJsonObject(value)) return ''
  const pairs = Object.keys(value)
    .sort()
    .map((key) => `${key}:${formatGoValue(value[key])}`)
  return `map[${pairs.join(' ')}]`
}

/** Go decodes every JSON number as a float and prints it with an exponent from 1e21 on, and below 1e-4. */
function formatGoNumber(value: number): string {
  const size = Math.abs(value)
  const text = size !== 0 && (size < 1e-4 || size >= 1e21) ? value.toExponential() : String(value)
  return text.replace(/e([+-])(\d)$/, 'e$10$2')
}
