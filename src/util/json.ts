import { GantryError } from '../errors.js'
import { checkKeys, measureStructure, type JsonShape } from './json-structure.js'

export type JsonObject = Record<string, unknown>

/**
 * Parses JSON from outside: fatal UTF-8 decoding, bounded depth and number of parts, and objects without a prototype, so
 * that `__proto__` is a key like any other. Without a shape no key may stand twice in the outermost object.
 * @param what names the document in errors
 * @param shape the keys that a specification gives the document; it may then have no keys that another reader could
 *   understand differently, at any depth
 * @throws GantryError `invalid-content`; `limit-exceeded` for the depth and the number of parts; `ambiguous-manifest`
 *   for keys of a document with a shape
 */
export function parseJson(bytes: Uint8Array, what: string, shape?: JsonShape): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new GantryError('invalid-content', `${what} is not valid UTF-8`, { cause })
  }
  const names = measureStructure(text, what)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The engine's message quotes the document, which may hold secrets.
    throw new GantryError('invalid-content', `${what} is not valid JSON`)
  }
  const found = { members: 0, isSuspect: false }
  removePrototypes(value, shape, found)
  // The parser keeps one of several equal keys, so a document that lost none has none twice.
  if (found.members !== names || found.isSuspect) checkKeys(text, what, shape)
  return value
}

/** Like {@link parseJson} for documents that have to be an object. */
export function parseJsonObject(bytes: Uint8Array, what: string, shape?: JsonShape): JsonObject {
  const value = parseJson(bytes, what, shape)
  if (!isJsonObject(value)) throw new GantryError('invalid-content', `${what} is not a JSON object`)
  return value
}

/** Whether `value` is an object that is neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What one walk over a parsed document finds out about its keys. */
interface FoundKeys {
  /** Members of all objects together. */
  members: number
  /** Whether keys could be ambiguous although none stands twice. Honest documents are cleared here, at little cost. */
  isSuspect: boolean
}

/** The parser makes `__proto__` a key like any other. Objects are changed and not copied: they may be many, or large. */
function removePrototypes(value: unknown, shape: JsonShape | undefined, found: FoundKeys): void {
  if (Array.isArray(value)) {
    for (const entry of value) removePrototypes(entry, shape, found)
  } else if (isJsonObject(value)) {
    Object.setPrototypeOf(value, null)
    const known = shape?.known
    for (const key in value) {
      found.members++
      if (shape !== undefined && isSuspectKey(key, known)) found.isSuspect = true
      const member = value[key]
      if (typeof member === 'object') removePrototypes(member, known?.get(key) ?? shape?.values, found)
    }
  }
}

const SURROGATE = /[\ud800-\udfff]/

/** A surrogate in a free key may lack its other half, and is then another character to other readers. */
function isSuspectKey(key: string, known: JsonShape['known']): boolean {
  return known === undefined ? SURROGATE.test(key) : !known.has(key)
}
