import { isDigest, type Digest } from '../oci/digest.js'
import { isRepositoryName, isTag } from '../oci/reference.js'
import { Refusal } from './refusal.js'

/** What a path of the distribution API names; every name in it has been checked. */
export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: ManifestReference }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: Digest }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: Digest }

/** Where a manifest is asked for: by tag or by digest; `malformed` is neither, and exists nowhere. */
export type ManifestReference =
  | { readonly type: 'tag'; readonly tag: string }
  | { readonly type: 'digest'; readonly digest: Digest }
  | { readonly type: 'malformed'; readonly text: string }

/** The longest path that is looked at; a name of 255, a tag of 128 and the fixed words stay far below. */
const MAX_PATH_LENGTH = 1024
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * Reads a path of the distribution API (distribution-spec, "Endpoints"). Nothing is percent-decoded but the last
 * segment, where clients escape the colon of a digest.
 * @throws Refusal `NAME_INVALID`, `DIGEST_INVALID`, `BLOB_UPLOAD_UNKNOWN`, or 404 for a path that is no endpoint
 */
export function parseRoute(path: string): Route {
  if (path === '/v2' || path === '/v2/') return { kind: 'base' }
  if (path === '/v2/_catalog') return { kind: 'catalog' }
  if (!path.startsWith('/v2/') || path.length > MAX_PATH_LENGTH) throw noEndpoint()
  const segments = path.slice('/v2/'.length).split('/')
  const last = decodeSegment(segments.at(-1) ?? '')
  const parent = segments.at(-2)
  const name = (without: number): string => repositoryName(segments.slice(0, -without).join('/'))
  if (parent === 'manifests') return { kind: 'manifest', repository: name(2), reference: manifestReference(last) }
  if (parent === 'tags' && last === 'list') return { kind: 'tags', repository: name(2) }
  if (parent === 'referrers') return { kind: 'referrers', repository: name(2), digest: digestOfSegment(last) }
  if (parent === 'blobs' && last === 'uploads') return { kind: 'uploads', repository: name(2) }
  if (parent === 'blobs') return { kind: 'blob', repository: name(2), digest: digestOfSegment(last) }
  if (parent === 'uploads' && segments.at(-3) === 'blobs') {
    return last === '' ? { kind: 'uploads', repository: name(3) } : uploadRoute(name(3), last)
  }
  throw noEndpoint()
}

/** Reads a digest out of a query or a path. */
export function digestOfSegment(text: string): Digest {
  if (isDigest(text)) return text
  throw new Refusal('DIGEST_INVALID', 'the digest is malformed, or of an algorithm that is not supported')
}

function repositoryName(name: string): string {
  if (isRepositoryName(name)) return name
  throw new Refusal('NAME_INVALID', 'the repository name is invalid')
}

function manifestReference(text: string): ManifestReference {
  if (isDigest(text)) return { type: 'digest', digest: text }
  return isTag(text) ? { type: 'tag', tag: text } : { type: 'malformed', text }
}

function uploadRoute(repository: string, id: string): Route {
  if (!UUID.test(id)) throw new Refusal('BLOB_UPLOAD_UNKNOWN', 'there is no such upload')
  return { kind: 'upload', repository, id }
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    // A broken escape stays as it is, and no name or digest allows a percent sign.
    return segment
  }
}

function noEndpoint(): Refusal {
  return new Refusal('UNSUPPORTED', 'there is no such endpoint', { status: 404 })
}
