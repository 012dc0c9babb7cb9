import { GantryError, isGantryError } from '../errors.js'
import { descriptorOf, type Descriptor } from '../oci/descriptor.js'
import { isDigest, type Digest } from '../oci/digest.js'
import { encodeJson } from '../oci/encode-json.js'
import { parseManifest, type ManifestContent } from '../oci/manifest.js'
import { MediaType } from '../oci/media-types.js'
import { referrersTagOf } from '../oci/referrers-tag.js'
import type { CallOptions } from '../store/store.js'
import { isJsonObject, parseJsonObject, type JsonObject } from '../util/json.js'
import { readManifest, type TaggedManifest } from './manifests.js'
import { referenceIn, type RepositoryContext } from './repository-context.js'

/** What stands under the referrers tag of a subject. */
export interface ReferrersIndex {
  readonly referrers: readonly Descriptor[]
  /** The document as it was read, with everything that others have put into it; undefined when there is none. */
  readonly document: JsonObject | undefined
  readonly etag: string | undefined
  /** Of the document; undefined when there is none. */
  readonly digest: Digest | undefined
  /** Something that is no list of referrers stands there, and must not be overwritten. */
  readonly foreign: ManifestContent | undefined
  /** The registry takes the tag for the digest that it is made of, and answers with the subject. */
  readonly isSubject: boolean
}

/** An entry that is to be listed, or not to be listed any more. */
export interface ReferrerChange {
  readonly kind: 'add' | 'remove'
  readonly descriptor: Descriptor
}

/**
 * Reads the list of referrers that is kept under a tag (distribution-spec, "Referrers Tag Schema"). What is no such list
 * counts as none.
 * @throws GantryError `limit-exceeded`, `invalid-content`
 */
export async function readReferrersTag(
  context: RepositoryContext,
  subject: Digest,
  { signal }: CallOptions = {},
): Promise<ReferrersIndex> {
  const nothing = {
    referrers: [],
    document: undefined,
    etag: undefined,
    digest: undefined,
    foreign: undefined,
    isSubject: false,
  }
  let content: TaggedManifest
  try {
    content = await readManifest(context, referrersTagOf(subject), { optional: true, signal })
  } catch (error) {
    if (isGantryError(error, 'not-found')) return nothing
    throw error
  }
  if (content.descriptor.digest === subject) return { ...nothing, isSubject: true }
  if (content.descriptor.mediaType !== MediaType.imageIndex) return { ...nothing, foreign: content }
  const manifest = parseManifest(content)
  return {
    ...nothing,
    referrers: manifest.kind === 'index' ? manifest.manifests : [],
    document: parseJsonObject(content.bytes, `manifest ${content.descriptor.digest}`),
    etag: content.etag,
    digest: content.descriptor.digest,
  }
}

/** Whether a change is there already. */
export function isApplied({ referrers }: ReferrersIndex, { kind, descriptor }: ReferrerChange): boolean {
  return referrers.some(({ digest }) => digest === descriptor.digest) === (kind === 'add')
}

/**
 * The index with some changes, and everything else in it as it was.
 * @param gone entries of manifests that no longer exist
 * @throws GantryError `limit-exceeded` when it would become too large to be read back
 */
export function changedIndex(
  context: RepositoryContext,
  index: ReferrersIndex,
  changes: readonly ReferrerChange[],
  gone: ReadonlySet<string> = new Set(),
): ManifestContent {
  const document = index.document ?? { schemaVersion: 2, mediaType: MediaType.imageIndex }
  const dropped = new Set([...gone, ...changes.map(({ descriptor }) => descriptor.digest)])
  const kept = entriesOf(document).filter((entry) => !(isJsonObject(entry) && dropped.has(String(entry.digest))))
  const added = changes.filter(({ kind }) => kind === 'add').map(({ descriptor }) => descriptor)
  const bytes = encodeJson({ ...document, manifests: [...kept, ...added] })
  if (bytes.byteLength > context.maxManifestSize) {
    throw new GantryError(
      'limit-exceeded',
      `a list of referrers exceeds the limit of ${context.maxManifestSize} bytes`,
      { details: { reason: 'manifest-size' } },
    )
  }
  return { descriptor: descriptorOf(MediaType.imageIndex, bytes), bytes }
}

/** @throws GantryError `conflict` when the tag holds what must not be overwritten */
export function requireWritable(context: RepositoryContext, subject: Digest, { foreign }: ReferrersIndex): void {
  if (foreign === undefined) return
  const where = referenceIn(context, referrersTagOf(subject))
  throw new GantryError(
    'conflict',
    `${where} holds a ${foreign.descriptor.mediaType} instead of a list of referrers, and was left alone`,
  )
}

/** The digests that a registry names as missing when it refuses an index. */
export function missingEntries(error: GantryError): readonly Digest[] {
  const errors = error.response?.errors ?? []
  return errors.flatMap(({ code, detail }) => (code.toUpperCase() === 'MANIFEST_BLOB_UNKNOWN' ? digestsIn(detail) : []))
}

function digestsIn(detail: unknown): readonly Digest[] {
  if (typeof detail === 'string') return isDigest(detail) ? [detail] : []
  if (Array.isArray(detail)) return detail.flatMap(digestsIn)
  return isJsonObject(detail) ? Object.values(detail).flatMap(digestsIn) : []
}

function entriesOf({ manifests }: JsonObject): readonly unknown[] {
  return Array.isArray(manifests) ? manifests : []
}
