import type { RegistryStorage } from '../../../src/server/storage/storage.js'
import { errorAnswer, jsonAnswer, type EmulatedAnswer } from '../answer.js'
import type { Call, Layer } from '../call.js'
import type { TagListSwitches } from './list-switches.js'

export interface ListContext {
  readonly storage: RegistryStorage
  /** `https://name` of the registry and of another server. */
  readonly addresses: () => { readonly own: string; readonly other: string }
}

/** Lists tags in the vendor's way. */
export function createTagsLayer(switches: TagListSwitches, { storage, addresses }: ListContext): Layer {
  return async (call, next) => {
    const { route } = call
    if (route?.kind !== 'tags' || !call.isRead) return next(call)
    const sorted = storage.tags(route.repository)
    if (sorted === undefined) return next(call)
    const page = pageOf(call, sorted, switches)
    if ('status' in page) return page
    const { tags, after } = page
    const link = after === undefined ? undefined : linkTo(call, after, switches, addresses())
    const members = switches.extraMembers === true ? extraMembers(storage, route.repository, sorted) : {}
    const listed = switches.null === true && tags.length === 0 ? null : tags
    return jsonAnswer(200, { name: route.repository, tags: listed, ...members }, link === undefined ? {} : { link })
  }
}

interface Page {
  readonly tags: readonly string[]
  /** The tag after which the next page begins. */
  readonly after?: string
}

function pageOf(call: Call, sorted: readonly string[], switches: TagListSwitches): Page | EmulatedAnswer {
  const { ignoreN, maxN, defaultN, cursor, unknownLast = 'ok', linkLoop } = switches
  // Not sorted, and the same each time.
  if (ignoreN === true) return { tags: sorted.toReversed() }
  const n = call.query.get('n')
  if (n !== null && !/^\d+$/.test(n))
    return errorAnswer(400, 'PAGINATION_NUMBER_INVALID', 'invalid number of results requested')
  if (n !== null && maxN?.above === 405 && Number(n) > maxN.count) {
    return errorAnswer(405, 'UNSUPPORTED', `Invalid parameter at 'maxResults': less than or equal to ${maxN.count}`)
  }
  const wanted = n === null ? (defaultN ?? maxN?.count ?? sorted.length) : Number(n)
  const limit = Math.min(wanted, maxN?.count ?? wanted)
  const last = cursor === 'opaque' ? decodeCursor(call.query.get('next_page')) : call.query.get('last')
  if (last !== null && unknownLast !== 'ok' && !sorted.includes(last)) {
    return unknownLast === 404
      ? errorAnswer(404, 'TAG_UNKNOWN', 'last is unknown')
      : errorAnswer(400, 'BAD_REQUEST', 'last is unknown')
  }
  const rest = last === null ? sorted : sorted.filter((tag) => tag > last)
  const tags = rest.slice(0, limit)
  if (linkLoop === true) return { tags, after: last ?? '' }
  const end = tags.at(-1)
  const isLast = tags.length === rest.length && !(switches.linkWhenFull === true && tags.length === limit && n !== null)
  return end === undefined || isLast ? { tags } : { tags, after: end }
}

function linkTo(
  call: Call,
  after: string,
  { link = 'relative', linkExtra = '', cursor }: TagListSwitches,
  { own, other }: { readonly own: string; readonly other: string },
): string | undefined {
  const n = call.query.get('n')
  const position: Record<string, string> = cursor === 'opaque' ? { next_page: encodeCursor(after) } : { last: after }
  if (n !== null) position.n = n
  const query = `${new URLSearchParams(position).toString()}${linkExtra}`
  const path = `${call.path}?${query}`
  switch (link) {
    case 'none':
      return undefined
    case 'relative':
      return `<${path}>; rel="next"`
    case 'unquotedRel':
      return `<${path}>; rel=next`
    case 'absolute':
      return `<${own}${path}>; rel="next"`
    case 'otherOrigin':
      return `<${other}${path}>; rel="next"`
    case 'wrongPrefix':
      return `<${own}/repository/virtual${path}>; rel="next"`
  }
}

function encodeCursor(tag: string): string {
  return Buffer.from(`cursor:${tag}`).toString('base64url')
}

function decodeCursor(text: string | null): string | null {
  return text === null ? null : Buffer.from(text, 'base64url').toString().slice('cursor:'.length)
}

function extraMembers(storage: RegistryStorage, repository: string, tags: readonly string[]): object {
  const entries = tags.flatMap((tag) => {
    const digest = storage.digestOfTag(repository, tag)
    const manifest = digest === undefined ? undefined : storage.manifest(repository, digest)
    if (digest === undefined || manifest === undefined) return []
    return [
      [
        digest,
        { tag: [tag], mediaType: manifest.mediaType, imageSizeBytes: String(manifest.size), timeCreatedMs: '0' },
      ],
    ]
  })
  return { child: [], manifest: Object.fromEntries(entries) as object }
}
