import { isDeepStrictEqual } from 'node:util'
import { GantryError, isGantryError } from '../errors.js'
import { isJsonObject, parseJson } from '../util/json.js'
import type { Claim } from './statement.js'

/** A value that a predicate has to have. */
export interface PredicateCondition {
  /** Keys with dots between them, or a JSON pointer (RFC 6901), which begins with `/`. */
  readonly path: string
  /** A text; a number, true, false, null or another JSON value matches too when it is written like that. */
  readonly value: string
}

/**
 * Checks a predicate against conditions.
 * @throws GantryError `invalid-content` for the first that does not hold
 */
export function checkPredicate({ document }: Claim, conditions: readonly PredicateCondition[]): void {
  for (const { path, value } of conditions) {
    const found = valueAt(document.predicate, keysOf(path))
    if (found === value || (found !== undefined && typeof found !== 'string' && isSameJson(found, value))) continue
    const actual = found === undefined ? 'is missing' : `is ${JSON.stringify(found)}`
    throw new GantryError('invalid-content', `"${path}" of the predicate ${actual}, not ${JSON.stringify(value)}`)
  }
}

function keysOf(path: string): readonly string[] {
  if (!path.startsWith('/')) return path.split('.')
  return path
    .slice(1)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function valueAt(value: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>((current, key) => {
    if (Array.isArray(current)) return /^(?:0|[1-9]\d*)$/.test(key) ? (current[Number(key)] as unknown) : undefined
    return isJsonObject(current) && Object.hasOwn(current, key) ? current[key] : undefined
  }, value)
}

/** Whether a text is the JSON of a value, in whatever spelling. */
function isSameJson(found: unknown, text: string): boolean {
  try {
    return isDeepStrictEqual(found, parseJson(Buffer.from(text), 'the value'))
  } catch (error) {
    if (isGantryError(error)) return false
    throw error
  }
}
