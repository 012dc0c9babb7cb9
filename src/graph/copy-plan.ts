import type { Descriptor } from '../oci/descriptor.js'
import type { Graph } from './read-graph.js'

/** What is to be done with a node: move it, leave it where it is already, or leave it out on purpose. */
export type CopyAction = 'move' | 'exists' | 'skip'

export interface PlannedNode {
  readonly descriptor: Descriptor
  readonly action: CopyAction
  /** Why it is left out. */
  readonly reason?: string
  /** What a manifest refers to; known where the manifest was read. */
  readonly subject?: Descriptor
}

export interface PlannedTag {
  readonly tag: string
  readonly descriptor: Descriptor
  /** What it points at now; absent where that is nothing, or the sink does not tell. */
  readonly current?: Descriptor
  /** False when the tag points at it already: it is not written again, as a registry may forbid it. */
  readonly isNew: boolean
}

/** What a copy would do, as data: a dry run shows it, a copy follows it. */
export interface CopyPlan {
  /** What the tags of the copy will point at. */
  readonly root: Descriptor
  /** In the order in which they move: what a manifest names stands before it. */
  readonly nodes: readonly PlannedNode[]
  /** In the order in which they are set; those of the root come last. */
  readonly tags: readonly PlannedTag[]
  /** How many manifests were found that refer to the root, to a child of it, or to one of these. */
  readonly referrers: number
  /** How much there is to move; a mount may spare some of the bytes. */
  readonly nodesToMove: number
  readonly bytesToMove: number
  /** Whether the tags wait until what refers to the root is there too, so that nobody sees it unsigned. */
  readonly tagsLast: boolean
  readonly graph: Graph
  /** Manifests that were read, or made, for the plan, by digest. */
  readonly manifests: ReadonlyMap<string, Uint8Array>
}
