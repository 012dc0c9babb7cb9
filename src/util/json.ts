import { GantryError } from '../errors.js'

/** Nesting that is accepted in any JSON document from outside; deeper ones overflow later walks. */
export const MAX_JSON_DEPTH = 64

/**
 * Objects, lists and names of members that are accepted in any JSON document from outside, all together. Each takes far
 * more memory than the few bytes it may be written with; honest documents of 4 MiB, such as an index with 20,000
 * manifests and their platforms, have fewer.
 */
export const MAX_JSON_PARTS = 200_000

export type JsonObject = Record<string, unknown>

/**
 * Parses JSON from outside: fatal UTF-8 decoding, bounded depth and number of parts, no duplicate keys at the top
 * level, and objects without a prototype, so that `__proto__` is a key like any other.
 * @param what names the document in errors
 * @throws GantryError `invalid-content`, or `limit-exceeded` for the depth and the number of parts
 */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new GantryError('invalid-content', `${what} is not valid UTF-8`, { cause })
  }
  checkStructure(text, what)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The engine's message quotes the document, which may hold secrets.
    throw new GantryError('invalid-content', `${what} is not valid JSON`)
  }
  removePrototypes(value)
  return value
}

/** Like {@link parseJson} for documents that have to be an object. */
export function parseJsonObject(bytes: Uint8Array, what: string): JsonObject {
  const value = parseJson(bytes, what)
  if (!isJsonObject(value)) throw new GantryError('invalid-content', `${what} is not a JSON object`)
  return value
}

/** Whether `value` is an object that is neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** One pass over the text before it is parsed: measures the depth and remembers the keys of the outermost object. */
function checkStructure(text: string, what: string): void {
  const topLevelKeys = new Set<string>()
  const isObject = text.trimStart().startsWith('{')
  let depth = 0
  let parts = 0
  let index = 0
  while (index < text.length) {
    const character = text[index]
    if (character === '"') {
      const end = endOfString(text, index)
      if (depth === 1 && isObject && isKey(text, end)) {
        const key = decodeKey(text.slice(index, end))
        if (topLevelKeys.has(key)) throw new GantryError('invalid-content', `${what} has the key "${key}" twice`)
        topLevelKeys.add(key)
      }
      index = end
      continue
    }
    if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') depth--
    if (character === '{' || character === '[' || character === ':') parts++
    checkLimits(depth, parts, what)
    index++
  }
}

function checkLimits(depth: number, parts: number, what: string): void {
  if (depth > MAX_JSON_DEPTH) {
    throw new GantryError('limit-exceeded', `${what} is nested deeper than ${MAX_JSON_DEPTH} levels`)
  }
  if (parts > MAX_JSON_PARTS) {
    throw new GantryError('limit-exceeded', `${what} has more than ${MAX_JSON_PARTS} objects, lists and names`)
  }
}

function endOfString(text: string, start: number): number {
  let index = start + 1
  while (index < text.length && text[index] !== '"') index += text[index] === '\\' ? 2 : 1
  return index + 1
}

function isKey(text: string, afterString: number): boolean {
  let index = afterString
  while (index < text.length && ' \t\r\n'.includes(text[index] ?? '')) index++
  return text[index] === ':'
}

function decodeKey(quoted: string): string {
  try {
    return String(JSON.parse(quoted))
  } catch {
    return quoted
  }
}

/** The parser makes `__proto__` a key like any other. Objects are changed and not copied: they may be many, or large. */
function removePrototypes(value: unknown): void {
  if (Array.isArray(value)) {
    for (const entry of value) removePrototypes(entry)
  } else if (isJsonObject(value)) {
    Object.setPrototypeOf(value, null)
    for (const key in value) removePrototypes(value[key])
  }
}
