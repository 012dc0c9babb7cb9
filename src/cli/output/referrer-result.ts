import type { Descriptor, ReferrerNode } from '../../index.js'

/** A node of a tree of referrers, as JSON and templates show it. */
export interface ReferrerResult extends Descriptor {
  /** Repository and digest. */
  readonly reference: string
  readonly referrers: readonly ReferrerResult[]
}

/** The plain object of a tree; deep trees are walked without recursion on the way in by their bounded depth. */
export function resultOfTree({ descriptor, referrers }: ReferrerNode, path: string): ReferrerResult {
  const { mediaType, digest, size, annotations, artifactType } = descriptor
  return {
    reference: `${path}@${digest}`,
    mediaType,
    digest,
    size,
    ...(annotations === undefined || Object.keys(annotations).length === 0 ? {} : { annotations }),
    ...(artifactType === undefined ? {} : { artifactType }),
    referrers: referrers.map((referrer) => resultOfTree(referrer, path)),
  }
}

/** The result with its first level in `manifests` as well, where scripts for `oras` 1.2 look. */
export function withManifests(result: ReferrerResult): ReferrerResult & { readonly manifests: readonly Descriptor[] } {
  const manifests = result.referrers.map(({ referrers: _, ...manifest }) => manifest)
  return { ...result, manifests }
}
