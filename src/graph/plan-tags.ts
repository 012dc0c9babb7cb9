import { isGantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { CallOptions, Sink, Source } from '../store/store.js'
import { mapConcurrently } from '../util/limit.js'
import { callOptionsOf } from './call-options.js'
import type { PlannedTag } from './copy-plan.js'
import type { FoundTag } from './digest-tags.js'

const CONCURRENCY = 64

/** The tags to set: those that do not point where they should already are new. */
export function planTags(wanted: readonly FoundTag[], found: ReadonlyMap<string, Descriptor>): readonly PlannedTag[] {
  return wanted.map(({ tag, descriptor }) => {
    const current = found.get(tag)
    const isNew = current?.digest !== descriptor.digest
    return { tag, descriptor, current, isNew }
  })
}

/**
 * What tags point at in a sink that can tell; a tag that it does not tell about is left out.
 * @throws GantryError `aborted`
 */
export async function tagsAt(
  sink: Sink,
  tags: readonly string[],
  options: CallOptions,
): Promise<ReadonlyMap<string, Descriptor>> {
  if (!canResolve(sink)) return new Map()
  const callOptions = callOptionsOf(options)
  const found = await mapConcurrently(tags, async (tag) => resolveOrSkip(sink, tag, callOptions), {
    concurrency: CONCURRENCY,
    ...callOptions,
  })
  return new Map(found.flatMap((entry) => (entry === undefined ? [] : [[entry.tag, entry.descriptor]])))
}

async function resolveOrSkip(sink: Source, tag: string, options: CallOptions): Promise<FoundTag | undefined> {
  try {
    return { tag, descriptor: await sink.resolve(tag, { ...options, trustMissing: true }) }
  } catch (error) {
    // Whoever may push need not be allowed to look; setting the tag will tell.
    if (isGantryError(error) && error.code !== 'aborted') return undefined
    throw error
  }
}

function canResolve(sink: Sink): sink is Sink & Source {
  return 'resolve' in sink
}
