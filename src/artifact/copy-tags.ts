import { GantryError, isGantryError } from '../errors.js'
import { copyGraph } from '../graph/copy.js'
import type { OnTransferEvent } from '../graph/events.js'
import type { Amount } from '../graph/run-copy.js'
import { asManifest, type Descriptor } from '../oci/descriptor.js'
import type { CallOptions, Sink, Source, TagSource } from '../store/store.js'
import { mapConcurrently } from '../util/limit.js'

/** A tag, and the manifest that it points at. */
export interface TaggedManifest {
  readonly tag: string
  readonly descriptor: Descriptor
}

/** A tag that has been copied. */
export interface CopiedTag extends TaggedManifest {
  /** How many manifests refer to it, to a child of it, or to one of these; 0 where they were not copied. */
  readonly referrers: number
  readonly copied: Amount
}

export interface CopyTagsOptions extends CallOptions {
  /** Copy what refers to the manifests too; default false. */
  readonly referrers?: boolean | undefined
  readonly concurrency?: number | undefined
  /** Called after each tag. */
  readonly onTag?: ((tag: CopiedTag) => void) | undefined
  readonly onEvent?: OnTransferEvent | undefined
}

/** How many tags are resolved at once. */
const CONCURRENCY = 8

/**
 * Finds what tags point at, before anything is copied.
 * @param wanted in their order; none means all tags there are
 * @throws GantryError `not-found` for one that is not there
 */
export async function resolveTags(
  source: Source & TagSource,
  wanted: readonly string[],
  { signal }: CallOptions = {},
): Promise<readonly TaggedManifest[]> {
  const tags = [...wanted]
  if (tags.length === 0) for await (const tag of source.tags({ signal })) tags.push(tag)
  const resolve = async (tag: string): Promise<TaggedManifest> => {
    try {
      return { tag, descriptor: asManifest(await source.resolve(tag, { signal })) }
    } catch (error) {
      if (!isGantryError(error, 'not-found')) throw error
      const { message } = error
      // What a layout says names nothing but the tag again.
      const reason = message === `${tag}: not found` ? 'not found' : message
      throw new GantryError('not-found', `failed to resolve tag "${tag}": ${reason}`, { cause: error })
    }
  }
  return mapConcurrently(tags, resolve, { concurrency: CONCURRENCY, signal })
}

/**
 * Copies manifests with everything that they need, each under its own tag, one tag after the other. What is there
 * already does not move.
 * @param what what this is to people, for the error
 * @throws GantryError that names the tag that failed; tags before it are there
 */
export async function copyTags(
  source: Source,
  sink: Sink,
  tags: readonly TaggedManifest[],
  { what, referrers = false, concurrency, onTag, onEvent, signal }: CopyTagsOptions & { readonly what: string },
): Promise<readonly CopiedTag[]> {
  const done: CopiedTag[] = []
  for (const { tag, descriptor } of tags) {
    const result = await copyGraph(source, sink, descriptor, {
      tags: [tag],
      referrers,
      concurrency,
      onEvent,
      signal,
    }).catch((error: unknown) => {
      if (!isGantryError(error) || error.code === 'aborted') throw error
      throw new GantryError(error.code, `failed to ${what} tag "${tag}": ${error.message}`, error.options)
    })
    const copied = { tag, descriptor, referrers: referrers ? result.referrers : 0, copied: result.copied }
    onTag?.(copied)
    done.push(copied)
  }
  return done
}
