import { isGantryError } from '../errors.js'
import type { Digest } from '../oci/digest.js'
import type { CallOptions } from '../store/store.js'
import { mapConcurrently } from '../util/limit.js'
import { deleteFromRegistry } from './deletion.js'
import { manifestPath } from './endpoints.js'
import { hasManifest, resolveManifest } from './manifests.js'
import { referenceIn, type RepositoryContext } from './repository-context.js'
import { hasRegistryCode } from './response-error.js'
import { listTags } from './tags.js'

/** Tags a page, the most that every registry takes. */
const PAGE_SIZE = 1000
/** Tags that are looked up at once. */
const LOOKUPS_AT_ONCE = 8

/**
 * Deletes a manifest with all its tags (distribution-spec, end-9). Some registries refuse while tags point at it, which
 * are taken away first there, one by one.
 * @throws GantryError `not-found`; `unsupported` where the registry does not delete
 */
export async function deleteManifest(
  context: RepositoryContext,
  digest: Digest,
  { signal }: CallOptions = {},
): Promise<void> {
  const deletion = {
    path: manifestPath(context.name, digest),
    what: referenceIn(context, digest),
    isThere: () => hasManifest(context, digest, { signal }),
    hint: 'the registry does not delete manifests, or not without being configured to',
    signal,
  }
  try {
    await deleteFromRegistry(context, deletion)
  } catch (error) {
    if (!isHeldByTags(error)) throw error
    const tags = await tagsOf(context, digest, { signal })
    if (tags.length === 0) throw error
    for (const tag of tags) await untilGone(deleteTag(context, tag, { signal }))
    // With its last tag the manifest may be gone as well.
    await untilGone(deleteFromRegistry(context, deletion))
  }
}

/**
 * Removes a tag and leaves the manifest alone (distribution-spec, end-9).
 * @throws GantryError `not-found`; `unsupported` where the registry deletes manifests only by digest
 */
export async function deleteTag(context: RepositoryContext, tag: string, { signal }: CallOptions = {}): Promise<void> {
  const what = referenceIn(context, tag)
  const hint = 'the registry deletes manifests by digest only, and then with all their tags'
  const isThere = (): Promise<boolean> => hasManifest(context, tag, { signal })
  await deleteFromRegistry(context, { path: manifestPath(context.name, tag), what, isThere, hint, signal })
}

/** Whether a registry has refused because of tags: Google's say so with a code of their own, others by a conflict. */
function isHeldByTags(error: unknown): boolean {
  if (!isGantryError(error)) return false
  return error.response?.status === 409 || hasRegistryCode(error, 'GOOGLE_MANIFEST_DANGLING_TAG')
}

async function tagsOf(context: RepositoryContext, digest: Digest, options: CallOptions): Promise<readonly string[]> {
  const tags: string[] = []
  for await (const tag of listTags(context, PAGE_SIZE, options)) tags.push(tag)
  const points = await mapConcurrently(tags, (tag) => pointsAt(context, tag, { digest, ...options }), {
    concurrency: LOOKUPS_AT_ONCE,
    ...options,
  })
  return tags.filter((_, index) => points[index])
}

async function pointsAt(
  context: RepositoryContext,
  tag: string,
  { digest, ...options }: CallOptions & { readonly digest: Digest },
): Promise<boolean> {
  try {
    return (await resolveManifest(context, tag, options)).digest === digest
  } catch (error) {
    if (isGantryError(error, 'not-found')) return false
    throw error
  }
}

/** What is not there any more needs no deletion. */
async function untilGone(deletion: Promise<void>): Promise<void> {
  try {
    await deletion
  } catch (error) {
    if (!isGantryError(error, 'not-found')) throw error
  }
}
