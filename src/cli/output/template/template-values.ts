import { formatGoValue } from '../../../registry/go-format.js'
import { isJsonObject } from '../../../util/json.js'
import { templateError } from './template-error.js'

/** What counts as true in a template: everything but nothing, false, 0 and what is empty. */
export function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (isJsonObject(value)) return Object.keys(value).length > 0
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== ''
}

export function toNumber(value: unknown): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number === 'number' && !Number.isNaN(number)) return number
  throw templateError(`${formatGoValue(value)} is not a number`)
}

export function toList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw templateError(`${formatGoValue(value)} is not a list`)
}

/** Compares two basic values of one kind. */
export function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  throw templateError('incompatible types for comparison')
}

/** Whether two values are the same, as `eq` and `deepEqual` see them. */
export function isEqual(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b))
}
