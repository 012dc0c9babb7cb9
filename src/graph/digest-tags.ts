import { isGantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { Digest } from '../oci/digest.js'
import { digestTagsOf } from '../oci/referrers-tag.js'
import { isTagSource, type CallOptions, type Source } from '../store/store.js'
import { mapConcurrently } from '../util/limit.js'

/** A tag and what it points at. */
export interface FoundTag {
  readonly tag: string
  readonly descriptor: Descriptor
}

export interface DigestTagOptions extends CallOptions {
  /** How many tags are resolved at once; default 64. */
  readonly concurrency?: number
}

/** Up to this many tags are asked for one by one; above, one list of all tags costs less. */
const ASKED_ONE_BY_ONE = 48

/**
 * Finds the signatures, attestations and bills of materials that belong to manifests by a tag made from their digest,
 * as tools did that predate referrers (`sha256-<hex>.sig`, `.att`, `.sbom`).
 */
export async function findDigestTags(
  source: Source,
  digests: Iterable<Digest>,
  options: DigestTagOptions = {},
): Promise<readonly FoundTag[]> {
  const { concurrency = 64, ...callOptions } = options
  const candidates = [...digests].flatMap(digestTagsOf)
  const tags = await existingTags(source, candidates, callOptions)
  const found = await mapConcurrently(tags, async (tag) => resolveTag(source, tag, callOptions), {
    concurrency,
    ...callOptions,
  })
  return found.filter((entry) => entry !== undefined)
}

/**
 * What a tag points at, if anything.
 * @throws GantryError as the source, but `not-found`
 */
export async function resolveTag(source: Source, tag: string, options: CallOptions): Promise<FoundTag | undefined> {
  try {
    return { tag, descriptor: await source.resolve(tag, options) }
  } catch (error) {
    if (isGantryError(error, 'not-found')) return undefined
    throw error
  }
}

/** Those of the candidates that are worth asking for. */
async function existingTags(
  source: Source,
  candidates: readonly string[],
  options: CallOptions,
): Promise<readonly string[]> {
  if (candidates.length <= ASKED_ONE_BY_ONE || !isTagSource(source)) return candidates
  const wanted = new Set(candidates)
  const existing: string[] = []
  try {
    for await (const tag of source.tags(options)) if (wanted.has(tag)) existing.push(tag)
  } catch (error) {
    // A registry may forbid or lack lists and still answer for a tag.
    if (isGantryError(error, 'denied', 'unauthorized', 'unsupported', 'not-found')) return candidates
    throw error
  }
  return existing
}
