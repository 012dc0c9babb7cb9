import { GantryError } from '../errors.js'
import { isManifest, type Descriptor } from '../oci/descriptor.js'
import { WorkQueue } from './work-queue.js'

/** Identifies a node: its digest, and whether it is read as a manifest or as a blob. */
export type NodeKey = string & { readonly nodeKey: never }

/** The key of the node that a descriptor points at. */
export function nodeKeyOf(descriptor: Descriptor): NodeKey {
  return `${isManifest(descriptor) ? 'manifest' : 'blob'}@${descriptor.digest}` as NodeKey
}

/** Bounds of a graph that comes from outside. */
export interface GraphLimits {
  /** Most manifests; default 10 000. */
  readonly manifests?: number
  /** Most blobs; default 100 000. */
  readonly blobs?: number
  /** Most levels of manifests below a root; default 32. */
  readonly depth?: number
}

/** What was found at a node. */
export interface Neighbours {
  /** What has to be dealt with before the node. */
  readonly needs: readonly Descriptor[]
  /** What is read next; default: `needs`. */
  readonly visit?: readonly Descriptor[]
}

/** Finds the neighbours of a node; nothing prunes the graph there. */
export type NextNodes = (descriptor: Descriptor, depth: number) => Promise<Neighbours | undefined>

export interface GraphNode {
  /** As it was first met. */
  readonly descriptor: Descriptor
  /** Levels below the root from which it was first met. */
  readonly depth: number
  readonly needs: readonly NodeKey[]
  readonly visit: readonly NodeKey[]
}

/** Nodes and their neighbours. Neighbours may be missing in it, and claims may form cycles. */
export interface Graph {
  readonly roots: readonly NodeKey[]
  readonly nodes: ReadonlyMap<NodeKey, GraphNode>
}

export interface ReadGraphOptions {
  /** How many nodes are asked about at once; default 64. */
  readonly concurrency?: number
  readonly limits?: GraphLimits
  /** A graph that was read before: its nodes are known and not asked about again. */
  readonly known?: Graph
  readonly signal?: AbortSignal
}

const DEFAULT_CONCURRENCY = 64

/**
 * Reads a graph breadth first, many nodes side by side; each digest is asked about once.
 * @throws GantryError `limit-exceeded`; and whatever `next` throws, when nothing is running any more
 */
export async function readGraph(
  roots: readonly Descriptor[],
  next: NextNodes,
  options: ReadGraphOptions = {},
): Promise<Graph> {
  const { known, limits = {}, signal } = options
  const nodes = new Map(known?.nodes)
  const bounds = new GraphBounds(limits, nodes)
  const meet = (descriptor: Descriptor, depth: number): NodeKey => {
    const key = nodeKeyOf(descriptor)
    if (nodes.has(key)) return key
    bounds.count(descriptor, depth)
    nodes.set(key, { descriptor, depth, needs: [], visit: [] })
    queue.add(key)
    return key
  }
  const ask = async (key: NodeKey): Promise<void> => {
    const node = nodes.get(key)
    const neighbours = node === undefined ? undefined : await next(node.descriptor, node.depth)
    if (node === undefined || neighbours === undefined) return
    const visit = (neighbours.visit ?? neighbours.needs).map((neighbour) => meet(neighbour, node.depth + 1))
    nodes.set(key, { ...node, needs: neighbours.needs.map(nodeKeyOf), visit })
  }
  const queue = new WorkQueue(ask, {
    lanes: [options.concurrency ?? DEFAULT_CONCURRENCY],
    signal,
  })
  const rootKeys = roots.map((root) => meet(root, 0))
  await queue.drain()
  return { roots: [...(known?.roots ?? []), ...rootKeys], nodes }
}

/**
 * The nodes of a graph, each after those that it needs. Where claims form a cycle, one of them is not waited for.
 * The order depends on the graph alone, not on the time that answers took.
 */
export function orderOf(graph: Graph): readonly GraphNode[] {
  const order: GraphNode[] = []
  const entered = new Set<NodeKey>()
  for (const start of breadthFirst(graph)) {
    if (entered.has(start)) continue
    entered.add(start)
    const path = [{ key: start, next: 0 }]
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const node = graph.nodes.get(top.key)
      const need = node?.needs[top.next++]
      if (need === undefined) {
        if (node !== undefined) order.push(node)
        path.pop()
      } else if (!entered.has(need)) {
        entered.add(need)
        path.push({ key: need, next: 0 })
      }
    }
  }
  return order
}

function breadthFirst({ roots, nodes }: Graph): Iterable<NodeKey> {
  // A Set that grows while it is walked is a queue that takes each key once.
  const queue = new Set(roots)
  for (const key of queue) {
    for (const neighbour of nodes.get(key)?.visit ?? []) queue.add(neighbour)
  }
  return queue
}

class GraphBounds {
  readonly #limits: Required<GraphLimits>
  #manifests = 0
  #blobs = 0

  constructor(limits: GraphLimits, nodes: ReadonlyMap<NodeKey, GraphNode>) {
    const { manifests = 10_000, blobs = 100_000, depth = 32 } = limits
    this.#limits = { manifests, blobs, depth }
    for (const { descriptor } of nodes.values()) this.#add(descriptor)
  }

  count(descriptor: Descriptor, depth: number): void {
    this.#add(descriptor)
    const { manifests, blobs, depth: maxDepth } = this.#limits
    if (this.#manifests > manifests) throw tooMuch(`more than ${manifests} manifests`)
    if (this.#blobs > blobs) throw tooMuch(`more than ${blobs} blobs`)
    if (depth > maxDepth && isManifest(descriptor)) {
      throw tooMuch(`more than ${maxDepth} levels, down to ${descriptor.digest}`)
    }
  }

  #add(descriptor: Descriptor): void {
    if (isManifest(descriptor)) this.#manifests++
    else this.#blobs++
  }
}

function tooMuch(what: string): GantryError {
  return new GantryError('limit-exceeded', `the graph has ${what}`)
}
