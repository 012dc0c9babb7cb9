import { isGantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { CallOptions, ReferrerSource } from '../store/store.js'
import { mapConcurrently } from '../util/limit.js'
import { callOptionsOf } from './call-options.js'

/** A manifest that was pushed, and what it refers to. */
export interface PushedReferrer {
  readonly descriptor: Descriptor
  readonly subject: Descriptor
}

export interface MendReferrersOptions extends CallOptions {
  /** Pushes a manifest once more. */
  readonly pushAgain: (descriptor: Descriptor) => Promise<void>
}

const SUBJECTS_AT_ONCE = 16
const ROUNDS = 3

/**
 * Looks whether manifests that were pushed are listed by their subjects, and pushes those that are not once more, one
 * after the other: some registries forget all but one of several referrers that arrive at the same time.
 * @returns what is still not listed
 */
export async function mendReferrers(
  sink: ReferrerSource,
  pushed: readonly PushedReferrer[],
  options: MendReferrersOptions,
): Promise<readonly Descriptor[]> {
  const bySubject = new Map<string, PushedReferrer[]>()
  for (const referrer of pushed) {
    const { digest } = referrer.subject
    bySubject.set(digest, [...(bySubject.get(digest) ?? []), referrer])
  }
  // One that came alone cannot have been overtaken.
  const groups = [...bySubject.values()].filter(({ length }) => length > 1)
  const missing = await mapConcurrently(groups, async (group) => mendGroup(sink, group, options), {
    concurrency: SUBJECTS_AT_ONCE,
    ...callOptionsOf(options),
  })
  return missing.flat()
}

async function mendGroup(
  sink: ReferrerSource,
  group: readonly PushedReferrer[],
  options: MendReferrersOptions,
): Promise<readonly Descriptor[]> {
  let missing = await unlisted(sink, group, options)
  for (let round = 0; round < ROUNDS && missing.length > 0; round++) {
    for (const { descriptor } of missing) await options.pushAgain(descriptor)
    missing = await unlisted(sink, missing, options)
  }
  return missing.map(({ descriptor }) => descriptor)
}

async function unlisted(
  sink: ReferrerSource,
  group: readonly PushedReferrer[],
  options: MendReferrersOptions,
): Promise<readonly PushedReferrer[]> {
  const [first] = group
  if (first === undefined) return []
  try {
    const listed = new Set((await sink.referrers(first.subject, callOptionsOf(options))).map(({ digest }) => digest))
    return group.filter(({ descriptor }) => !listed.has(descriptor.digest))
  } catch (error) {
    // Whoever may push need not be allowed to look, and everything has been pushed.
    if (isGantryError(error) && error.code !== 'aborted') return []
    throw error
  }
}
