import { GantryError } from '../errors.js'

/** @throws GantryError `invalid-argument` unless a value, which may come from a program without types, is a text */
export function requireText(what: string, value: unknown): void {
  if (typeof value !== 'string') throw new GantryError('invalid-argument', `${what} is a text, and ${kindOf(value)}`)
}

/** @throws GantryError `invalid-argument` unless a value is an object */
export function requireObject(what: string, value: unknown): void {
  if (typeof value === 'object' && value !== null) return
  throw new GantryError('invalid-argument', `${what} is an object, and ${kindOf(value)}`)
}

/** @throws GantryError `invalid-argument` unless a value is a list */
export function requireList(what: string, value: unknown): void {
  if (!Array.isArray(value)) throw new GantryError('invalid-argument', `${what} is a list, and ${kindOf(value)}`)
}

/** Completes a sentence about a value that is something else than it has to be. */
export function kindOf(value: unknown): string {
  return `${value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value} was given`
}
