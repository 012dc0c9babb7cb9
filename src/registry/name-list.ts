import { GantryError } from '../errors.js'
import type { JsonObject } from '../util/json.js'
import { visibleLine } from '../util/visible-text.js'
import type { RegistryTransport } from './http/transport.js'
import { readPages, type PageRequest } from './pages.js'

/** Entries of one list of tags, repositories or referrers that are read unless the caller wants more. */
export const MAX_LIST_LENGTH = 100_000
/** Names that are shown in one message, and characters of each. */
const MAX_SHOWN = 10
const MAX_SHOWN_LENGTH = 200

export interface NameListRequest extends Omit<PageRequest, 'isEmpty'> {
  /** The member of a page that holds the names. */
  readonly member: string
  readonly isName: (text: string) => boolean
  /** Most names that are read; default 100 000. */
  readonly maxListLength?: number
  /** Called with each entry that is no such name; default: the transport reports them. */
  readonly onInvalid?: (name: string) => void
}

/**
 * Reads a list of names page by page, and leaves out entries that are none.
 * @returns the names of each page
 * @throws GantryError `invalid-content` when a page is malformed; `limit-exceeded` when there are more names than wanted
 */
export async function* readNamePages(
  transport: RegistryTransport,
  { member, isName, maxListLength = MAX_LIST_LENGTH, onInvalid, ...request }: NameListRequest,
): AsyncGenerator<readonly string[]> {
  const { what } = request
  let count = 0
  const isEmpty = (document: JsonObject): boolean => entriesOf(document, member, what).length === 0
  for await (const { document } of readPages(transport, { ...request, isEmpty, maxPages: maxListLength })) {
    const entries = entriesOf(document, member, what)
    const names: string[] = []
    const invalid: string[] = []
    for (const entry of entries) {
      if (typeof entry === 'string' && isName(entry)) names.push(entry)
      else invalid.push(shown(entry, transport.shown))
    }
    reportInvalid(transport, invalid, { what, onInvalid })
    yield names.slice(0, maxListLength - count)
    count += entries.length
    if (count > maxListLength) throw tooMany(what, maxListLength)
  }
}

/** What is thrown when a list has more entries than are read. */
export function tooMany(what: string, maxListLength: number): GantryError {
  return new GantryError('limit-exceeded', `the ${what} are more than ${maxListLength}`, {
    details: { reason: 'list-length' },
  })
}

function entriesOf(document: JsonObject, member: string, what: string): readonly unknown[] {
  const entries = document[member]
  if (entries === null || entries === undefined) return []
  if (!Array.isArray(entries)) throw new GantryError('invalid-content', `the ${what} are not a list`)
  return entries
}

function reportInvalid(
  transport: RegistryTransport,
  invalid: readonly string[],
  { what, onInvalid }: { readonly what: string; readonly onInvalid: ((name: string) => void) | undefined },
): void {
  if (invalid.length === 0) return
  if (onInvalid !== undefined) {
    invalid.forEach(onInvalid)
    return
  }
  const some = invalid.slice(0, MAX_SHOWN).map((name) => `"${name}"`)
  const others = invalid.length > MAX_SHOWN ? ` and ${invalid.length - MAX_SHOWN} more` : ''
  transport.notice?.(`left out of the ${what}, as they are no valid names: ${some.join(', ')}${others}`)
}

function shown(entry: unknown, mask: (text: string) => string = String): string {
  const text = typeof entry === 'string' ? entry : JSON.stringify(entry)
  return visibleLine(mask(text).slice(0, MAX_SHOWN_LENGTH))
}
