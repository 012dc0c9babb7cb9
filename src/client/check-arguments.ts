import { GantryError } from '../errors.js'
import { kindOf } from '../util/require-kind.js'
import { visibleLine } from '../util/visible-text.js'

/** What a value has to be, as far as that is seen at once. */
export type Kind = 'text' | 'number' | 'flag' | 'function' | 'list' | 'texts' | 'object' | 'bytes' | 'any'

/** What every option of a verb has to be; an option that is missing here does not compile. */
export type Kinds<Options> = Readonly<Record<keyof Required<Options>, Kind>>

/**
 * Refuses options that nobody would read, and values that could only fail deep inside. Undefined is always fine.
 * @throws GantryError `invalid-argument`
 */
export function checkOptions(verb: string, options: unknown, kinds: Readonly<Record<string, Kind>>): void {
  if (!isKind(options, 'object')) throw wrong(`the options of ${verb} are an object`, options)
  for (const [name, value] of Object.entries(options as object)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
    if (kind === undefined) throw unknownOption(verb, name, Object.keys(kinds))
    if (value !== undefined && !isKind(value, kind)) throw wrong(`${name} of ${verb} is ${DESCRIPTIONS[kind]}`, value)
  }
}

/** @throws GantryError `invalid-argument` unless an argument is what it has to be */
export function checkArgument(name: string, kind: Kind, value: unknown): void {
  if (!isKind(value, kind)) throw wrong(`${name} is ${DESCRIPTIONS[kind]}`, value)
}

const DESCRIPTIONS: Readonly<Record<Kind, string>> = {
  text: 'a text',
  number: 'a number',
  flag: 'true or false',
  function: 'a function',
  list: 'a list',
  texts: 'a list of texts',
  object: 'an object',
  bytes: 'a path, bytes, or a stream of bytes',
  any: 'anything',
}

function isKind(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string'
    case 'number':
      return typeof value === 'number' && !Number.isNaN(value)
    case 'flag':
      return typeof value === 'boolean'
    case 'function':
      return typeof value === 'function'
    case 'list':
      return Array.isArray(value)
    case 'texts':
      return Array.isArray(value) && value.every((one) => typeof one === 'string')
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    case 'bytes':
      return (
        typeof value === 'string' ||
        value instanceof Uint8Array ||
        (typeof value === 'object' && value !== null && Symbol.asyncIterator in value)
      )
    case 'any':
      return true
  }
}

function unknownOption(verb: string, name: string, known: readonly string[]): GantryError {
  const isVerb = verb !== 'client' && verb !== 'open'
  const elsewhere = isVerb ? ' Options of the connection belong to the client.' : ''
  return new GantryError('invalid-argument', `${verb} has no option "${visibleLine(name)}"`, {
    hint: `The options are ${[...known].sort().join(', ')}.${elsewhere}`,
  })
}

function wrong(what: string, value: unknown): GantryError {
  return new GantryError('invalid-argument', `${what}, and ${kindOf(value)}`)
}
