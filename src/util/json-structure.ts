import { GantryError } from '../errors.js'

/** Nesting that is accepted in any JSON document from outside; deeper ones overflow later walks. */
export const MAX_JSON_DEPTH = 64

/**
 * Objects, lists and names of members that are accepted in any JSON document from outside, all together. Each takes far
 * more memory than the few bytes it may be written with; honest documents of 4 MiB, such as an index with 20,000
 * manifests and their platforms, have fewer.
 */
export const MAX_JSON_PARTS = 200_000

/** Characters for each part in documents larger than that: who raises the limit on their size wants longer lists. */
const CHARACTERS_PER_PART = 20

/**
 * Which keys the objects of a document may have, as far as a specification says. A list passes the shape on to its
 * entries. Readers in Go take a key in another spelling for the known one, so known keys have one spelling only.
 */
export interface JsonShape {
  /** Known keys, with the shape of their values; undefined for objects whose keys are free, such as annotations. */
  readonly known: ReadonlyMap<string, JsonShape | undefined> | undefined
  /** The known keys by their folded form. */
  readonly folded: ReadonlyMap<string, string>
  /** The shape of the values of an object whose keys are free. */
  readonly values: JsonShape | undefined
}

/** The shape of objects with known keys, each with the shape of its value or null for anything. */
export function knownKeys(keys: Readonly<Record<string, JsonShape | null>>): JsonShape {
  const entries = Object.entries(keys)
  return {
    known: new Map(entries.map(([key, shape]) => [key, shape ?? undefined])),
    folded: new Map(entries.map(([key]) => [foldKey(key), key])),
    values: undefined,
  }
}

/** The shape of objects whose keys are names that somebody chose: only the very same name counts as twice. */
export function freeKeys(values?: JsonShape): JsonShape {
  return { known: undefined, folded: new Map(), values }
}

const FREE = freeKeys()

/** Folds a key as Go's `encoding/json` does when it looks for a field: simple Unicode case folding. */
export function foldKey(key: string): string {
  // eslint-disable-next-line no-control-regex -- all of ASCII is meant
  if (/^[\u0000-\u007f]*$/.test(key)) return key.toLowerCase()
  return Array.from(key, foldCharacter).join('')
}

/** Characters that fold to several, or to another length, stay as they are: the folding is character by character. */
function foldCharacter(character: string): string {
  // The dotted capital and the dotless small letter are letters of their own.
  if (character === '\u0130' || character === '\u0131') return character
  const upper = character.toUpperCase()
  const base = Array.from(upper).length === 1 ? upper : character
  const lower = base.toLowerCase()
  return Array.from(lower).length === 1 ? lower : base
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_LIST = 0x5b
const BACKSLASH = 0x5c
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** An object or a list that the scan is inside of. */
class Container {
  /** The last key that was read. */
  key = ''
  /** The position in a list. */
  position = 0
  /** Keys that were read, by the form in which they are compared. */
  readonly others = new Map<string, string>()

  constructor(
    readonly isObject: boolean,
    readonly shape: JsonShape | undefined,
  ) {}
}

/**
 * One pass over JSON text before it is parsed: bounds its depth and the number of its parts. Text that is no JSON passes,
 * as the parser finds that out.
 * @returns the number of names of members
 * @throws GantryError `limit-exceeded`
 */
export function measureStructure(text: string, what: string): number {
  const maxParts = Math.max(MAX_JSON_PARTS, Math.floor(text.length / CHARACTERS_PER_PART))
  let depth = 0
  let parts = 0
  let names = 0
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case QUOTE:
        index = endOfString(text, index)
        break
      case OPEN_OBJECT:
      case OPEN_LIST:
        parts++
        if (++depth > MAX_JSON_DEPTH) {
          throw new GantryError('limit-exceeded', `${what} is nested deeper than ${MAX_JSON_DEPTH} levels`)
        }
        break
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        depth--
        break
      case COLON:
        parts++
        names++
    }
    if (parts > maxParts) {
      throw new GantryError('limit-exceeded', `${what} has more than ${maxParts} objects, lists and names`)
    }
  }
  return names
}

/** Where the string that starts at an index ends: at its closing quote, or after the text. */
function endOfString(text: string, start: number): number {
  let index = start + 1
  while (index < text.length) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) break
    index += code === BACKSLASH ? 2 : 1
  }
  return index
}

/**
 * Refuses keys of JSON text that two readers could understand differently. The text is valid and not too deep.
 * @param shape of the document; without one only the same key twice in the outermost object is refused
 * @throws GantryError `ambiguous-manifest` for keys of a document with a shape, else `invalid-content`
 */
export function checkKeys(text: string, what: string, shape?: JsonShape): void {
  const containers: Container[] = []
  let container: Container | undefined
  let next = shape
  let isKeyNext = false
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) {
      const start = index
      index = endOfString(text, start)
      if (!isKeyNext || container === undefined) continue
      isKeyNext = false
      container.key = String(JSON.parse(text.slice(start, index + 1)))
      if (shape !== undefined) next = checkKey(container, containers, what)
      else if (containers.length === 1) checkOutermostKey(container, what)
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      isKeyNext = code === OPEN_OBJECT
      container = new Container(isKeyNext, next)
      containers.push(container)
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      containers.pop()
      container = containers.at(-1)
    } else if (code === COMMA && container !== undefined) {
      isKeyNext = container.isObject
      if (isKeyNext) continue
      container.position++
      next = container.shape
    }
  }
}

function checkOutermostKey({ key, others }: Container, what: string): void {
  if (others.has(key)) throw new GantryError('invalid-content', `${what} has the key "${key}" twice`)
  others.set(key, key)
}

/** Notes the key that was just read, and returns the shape of its value. */
function checkKey(container: Container, containers: readonly Container[], what: string): JsonShape | undefined {
  const { key, shape = FREE, others } = container
  // An unpaired surrogate is the replacement character to other readers.
  const text = key.replace(/\p{Surrogate}/gu, '\ufffd')
  const compared = shape.known === undefined ? text : foldKey(text)
  const meant = shape.folded.get(compared)
  if (meant !== undefined && meant !== key) {
    throw ambiguous(containers, what, `has the key "${key}", which some readers take for "${meant}"`)
  }
  const other = others.get(compared)
  if (other === key) throw ambiguous(containers, what, `has the key "${key}" twice`)
  if (other !== undefined) {
    throw ambiguous(containers, what, `has the keys "${other}" and "${key}", which some readers take for one`)
  }
  others.set(compared, key)
  return shape.known === undefined ? shape.values : shape.known.get(key)
}

function ambiguous(containers: readonly Container[], what: string, fault: string): GantryError {
  const place = containers.slice(0, -1).reduce((path, { isObject, key, position }) => {
    if (!isObject) return `${path}[${position}]`
    return path === '' ? key : `${path}.${key}`
  }, '')
  return new GantryError('ambiguous-manifest', `ambiguous ${what}: ${place === '' ? 'it' : place} ${fault}`)
}
