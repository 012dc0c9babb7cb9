import type { Descriptor } from '../oci/descriptor.js'
import type { Sink, Source } from '../store/store.js'
import type { CopyPlan } from './copy-plan.js'
import { EarlyMoves } from './early-moves.js'
import { planCopy, planGraph, type CopyGraphOptions, type CopyOptions } from './plan-copy.js'
import { runCopy, type CopyResult } from './run-copy.js'
import { requireObject, requireText } from '../util/require-kind.js'

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
  requireText('a tag or a digest', reference)
  return planAndRun(source, sink, options, (planOptions) => planCopy(source, reference, sink, planOptions))
}

/** Like {@link copy} for a root that is known by its descriptor: a manifest or a blob. */
export async function copyGraph(
  source: Source,
  sink: Sink,
  root: Descriptor,
  options: CopyGraphOptions = {},
): Promise<CopyResult> {
  return planAndRun(source, sink, options, (planOptions) => planGraph(source, { descriptor: root }, sink, planOptions))
}

/** Small blobs move while the graph is being read; what is above them waits for the plan. */
async function planAndRun<Options extends CopyGraphOptions>(
  source: Source,
  sink: Sink,
  options: Options,
  plan: (options: Options) => Promise<CopyPlan>,
): Promise<CopyResult> {
  requireObject('the source of a copy', source)
  requireObject('the destination of a copy', sink)
  const early = new EarlyMoves(source, sink, options)
  try {
    const onBlobToMove = (blob: Descriptor): void => early.add(blob)
    return await runCopy(source, sink, await plan({ ...options, onBlobToMove }), { ...options, early })
  } finally {
    await early.end()
  }
}
