import type { Descriptor } from '../oci/descriptor.js'
import type { ReferrerSource } from '../store/store.js'
import { callOptionsOf } from './call-options.js'
import { nodeKeyOf, readGraph, type Graph, type GraphLimits, type NodeKey } from './read-graph.js'
import { blame } from './transfer.js'

export interface DiscoverOptions {
  /** How many levels of referrers to look at, from 1; default: all. */
  readonly depth?: number
  /** Only referrers of this type, on every level: what refers to another one is not looked for. */
  readonly artifactType?: string
  /** Most referrers that are read from one list of a registry; default 100 000. */
  readonly maxListLength?: number
  /** How many lists are asked for at once; default 64. */
  readonly concurrency?: number
  readonly limits?: GraphLimits
  readonly signal?: AbortSignal
}

/** A manifest and what refers to it. */
export interface ReferrerNode {
  readonly descriptor: Descriptor
  readonly referrers: readonly ReferrerNode[]
}

export interface ReferrerTree {
  readonly root: ReferrerNode
  /** Listed a second time, for instance in a list of something that it refers to itself; shown where it was first met. */
  readonly repeated: readonly Descriptor[]
}

/**
 * Finds what refers to a manifest, what refers to that, and so on (distribution-spec, "Listing Referrers"). Each list is
 * asked for once, the lists of a level side by side.
 * @throws GantryError `limit-exceeded` when the tree passes its bounds
 */
export async function discover(
  source: ReferrerSource,
  subject: Descriptor,
  options: DiscoverOptions = {},
): Promise<ReferrerTree> {
  const { depth: maxDepth = Infinity, artifactType, maxListLength, concurrency, limits, signal } = options
  const listOptions = { artifactType, maxListLength, signal }
  const next = async (descriptor: Descriptor, depth: number): Promise<{ needs: readonly Descriptor[] } | undefined> => {
    if (depth >= maxDepth) return undefined
    try {
      return { needs: await source.referrers(descriptor, listOptions) }
    } catch (error) {
      throw blame(error, 'source')
    }
  }
  const graph = await readGraph([subject], next, {
    ...callOptionsOf(options),
    concurrency,
    limits,
  })
  return treeOf(graph, subject)
}

interface GrowingNode extends ReferrerNode {
  readonly referrers: GrowingNode[]
}

/** Every manifest once, on the highest level where it is listed: claims may repeat themselves, and form cycles. */
function treeOf(graph: Graph, subject: Descriptor): ReferrerTree {
  const root: GrowingNode = { descriptor: subject, referrers: [] }
  const placed = new Set<NodeKey>([nodeKeyOf(subject)])
  const repeated: Descriptor[] = []
  // The list grows while it is walked.
  const level = [root]
  for (const parent of level) {
    for (const key of graph.nodes.get(nodeKeyOf(parent.descriptor))?.needs ?? []) {
      const descriptor = graph.nodes.get(key)?.descriptor
      if (descriptor === undefined) continue
      if (placed.has(key)) {
        repeated.push(descriptor)
        continue
      }
      placed.add(key)
      const node: GrowingNode = { descriptor, referrers: [] }
      parent.referrers.push(node)
      level.push(node)
    }
  }
  return { root, repeated }
}
