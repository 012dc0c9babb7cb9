import type { ReferrerNode } from '../../graph/discover.js'
import { contentResultOf, type ContentResult } from './content-result.js'

/** A node of a tree of referrers, as JSON and templates show it. */
export interface ReferrerResult extends ContentResult {
  readonly referrers: readonly ReferrerResult[]
}

/** The plain object of a tree; deep trees are walked without recursion on the way in by their bounded depth. */
export function resultOfTree({ descriptor, referrers }: ReferrerNode, path: string): ReferrerResult {
  return {
    ...contentResultOf(path, descriptor),
    referrers: referrers.map((referrer) => resultOfTree(referrer, path)),
  }
}

/** The result with its first level in `manifests` as well, where scripts for `oras` 1.2 look. */
export function withManifests(
  result: ReferrerResult,
): ReferrerResult & { readonly manifests: readonly ContentResult[] } {
  const manifests = result.referrers.map(({ referrers: _, ...manifest }) => manifest)
  return { ...result, manifests }
}
