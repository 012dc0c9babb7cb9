import type { Descriptor } from '../oci/descriptor.js'
import type { Sink, Source } from '../store/store.js'
import { planCopy, planGraph, type CopyGraphOptions, type CopyOptions } from './plan-copy.js'
import { runCopy, type CopyResult } from './run-copy.js'

/**
 * Copies what a tag or a digest names, with everything that it needs, from any store to any other. What the sink has
 * already does not move; blobs that several manifests share move once; a tag is set last, in the same step as its
 * manifest where nothing else has to come before it. A copy that was interrupted can be run again.
 * @throws GantryError that says which side failed; `not-found` for the reference, or when nothing is for a platform;
 *   `limit-exceeded` when the graph passes its bounds
 */
export async function copy(
  source: Source,
  reference: string,
  sink: Sink,
  options: CopyOptions = {},
): Promise<CopyResult> {
  return runCopy(source, sink, await planCopy(source, reference, sink, options), options)
}

/** Like {@link copy} for a root that is known by its descriptor: a manifest or a blob. */
export async function copyGraph(
  source: Source,
  sink: Sink,
  root: Descriptor,
  options: CopyGraphOptions = {},
): Promise<CopyResult> {
  return runCopy(source, sink, await planGraph(source, { descriptor: root }, sink, options), options)
}
