import { createHash } from 'node:crypto'
import { formatJson } from '../../../oci/encode-json.js'
import { formatGoValue } from '../../../registry/go-format.js'
import { isJsonObject } from '../../../util/json.js'
import { formatPrintf } from './format-printf.js'
import { templateError } from './template-error.js'
import { compare, isEqual, isTruthy, toList, toNumber } from './template-values.js'

type TemplateFunction = (...values: unknown[]) => unknown

const text = formatGoValue

/** The functions of Go's text/template. */
const GO_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  and: (...values) => values.find((value) => !isTruthy(value)) ?? values.at(-1),
  or: (...values) => values.find(isTruthy) ?? values.at(-1),
  not: (value) => !isTruthy(value),
  len: (value) => (isJsonObject(value) ? Object.keys(value).length : lengthOf(value)),
  index: (value, ...keys) => keys.reduce(elementOf, value),
  slice: (value, from = 0, to) =>
    (value as string | unknown[]).slice(toNumber(from), to === undefined ? undefined : toNumber(to)),
  print: (...values) => values.map(text).join(''),
  println: (...values) => `${values.map(text).join(' ')}\n`,
  printf: (format, ...values) => formatPrintf(text(format), values),
  eq: (a, ...others) => others.some((b) => isEqual(a, b)),
  ne: (a, b) => !isEqual(a, b),
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  urlquery: (...values) => encodeURIComponent(values.map(text).join('')).replaceAll('%20', '+'),
  html: (...values) =>
    values
      .map(text)
      .join('')
      .replace(/[&<>'"]/g, (letter) => `&#${letter.charCodeAt(0)};`),
}

/** The functions of sprig that results are shaped with. */
const SPRIG_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  toJson: (value) => formatJson(value),
  toRawJson: (value) => JSON.stringify(value),
  toPrettyJson: (value) => formatJson(value, 2),
  toString: text,
  upper: (value) => text(value).toUpperCase(),
  lower: (value) => text(value).toLowerCase(),
  trim: (value) => text(value).trim(),
  trimPrefix: (prefix, value) =>
    text(value).startsWith(text(prefix)) ? text(value).slice(text(prefix).length) : text(value),
  trimSuffix: (suffix, value) =>
    text(value).endsWith(text(suffix)) ? text(value).slice(0, text(value).length - text(suffix).length) : text(value),
  trunc: (length, value) => truncate(toNumber(length), text(value)),
  replace: (from, to, value) => text(value).replaceAll(text(from), text(to)),
  contains: (part, value) => text(value).includes(text(part)),
  hasPrefix: (prefix, value) => text(value).startsWith(text(prefix)),
  hasSuffix: (suffix, value) => text(value).endsWith(text(suffix)),
  repeat: (count, value) => text(value).repeat(Math.min(toNumber(count), 10_000)),
  quote: (...values) => values.map((value) => JSON.stringify(text(value))).join(' '),
  squote: (...values) => values.map((value) => `'${text(value)}'`).join(' '),
  indent: (width, value) => indent(toNumber(width), text(value)),
  nindent: (width, value) => `\n${indent(toNumber(width), text(value))}`,
  splitList: (separator, value) => text(value).split(text(separator)),
  join: (separator, value) => (Array.isArray(value) ? value : [value]).map(text).join(text(separator)),
  b64enc: (value) => Buffer.from(text(value)).toString('base64'),
  b64dec: (value) => Buffer.from(text(value), 'base64').toString(),
  sha256sum: (value) => createHash('sha256').update(text(value)).digest('hex'),
  default: (fallback, value) => (isTruthy(value) ? value : fallback),
  coalesce: (...values) => values.find(isTruthy),
  ternary: (yes, no, condition) => (isTruthy(condition) ? yes : no),
  empty: (value) => !isTruthy(value),
  list: (...values) => values,
  first: (value) => toList(value)[0],
  last: (value) => toList(value).at(-1),
  rest: (value) => toList(value).slice(1),
  initial: (value) => toList(value).slice(0, -1),
  reverse: (value) => [...toList(value)].reverse(),
  uniq: (value) => [...new Set(toList(value))],
  has: (wanted, value) => toList(value).some((entry) => isEqual(entry, wanted)),
  append: (value, entry) => [...toList(value), entry],
  sortAlpha: (value) => toList(value).map(text).sort(),
  dict: (...pairs) =>
    Object.fromEntries(pairs.flatMap((key, index) => (index % 2 === 0 ? [[text(key), pairs[index + 1]]] : []))),
  get: (value, key) => elementOf(value, key) ?? '',
  hasKey: (value, key) => isJsonObject(value) && Object.hasOwn(value, text(key)),
  keys: (...values) => values.flatMap((value) => (isJsonObject(value) ? Object.keys(value) : [])),
  values: (value) => (isJsonObject(value) ? Object.values(value) : []),
  add: (...values) => values.map(toNumber).reduce((a, b) => a + b, 0),
  sub: (a, b) => toNumber(a) - toNumber(b),
  mul: (...values) => values.map(toNumber).reduce((a, b) => a * b, 1),
  div: (a, b) => Math.trunc(toNumber(a) / toNumber(b)),
  mod: (a, b) => toNumber(a) % toNumber(b),
  max: (...values) => Math.max(...values.map(toNumber)),
  min: (...values) => Math.min(...values.map(toNumber)),
  int: (value) => Math.trunc(toNumber(value)),
  fail: (message) => {
    throw templateError(text(message))
  },
}

/** Everything that a template can call, by name. */
export const TEMPLATE_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = { ...SPRIG_FUNCTIONS, ...GO_FUNCTIONS }

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (Array.isArray(value)) return value.length
  throw templateError(`${text(value)} has no length`)
}

function elementOf(value: unknown, key: unknown): unknown {
  if (isJsonObject(value)) return Object.hasOwn(value, text(key)) ? value[text(key)] : undefined
  const position = toNumber(key)
  if (Array.isArray(value) && position >= 0 && position < value.length) return value[position] as unknown
  throw templateError(`index ${text(key)} is out of range`)
}

function truncate(length: number, value: string): string {
  return length < 0 ? value.slice(length) : value.slice(0, length)
}

function indent(width: number, value: string): string {
  return value.replace(/^/gm, ' '.repeat(Math.max(0, Math.min(width, 1000))))
}
