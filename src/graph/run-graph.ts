import { nodeKeyOf, orderOf, type Graph, type GraphNode } from './read-graph.js'
import type { TransferSpeed } from './transfer-speed.js'
import { WorkQueue, type Place, type WorkQueueOptions } from './work-queue.js'

export interface RunGraphOptions {
  /**
   * How many nodes run at once. Default: up to 64 small ones, and beside them large ones of 48 MiB together, each
   * counted with 12 MiB at most, or with 4 MiB where they are slow.
   */
  readonly concurrency?: number
  /** Tells whether large ones are slow; without, they are not. */
  readonly speed?: TransferSpeed
  readonly signal?: AbortSignal
}

const MEBIBYTE = 1024 * 1024
/** Below this many bytes it is the way, and not the content, that takes the time. */
export const SMALL_SIZE = MEBIBYTE
/** How many small ones run at once. */
export const SMALL_AT_ONCE = 64
const LARGE_AT_ONCE = 48
const LARGEST_WEIGHT = 12
/** Where each connection is slow, more of them bring more. */
const LARGEST_WEIGHT_WHEN_SLOW = 4

/**
 * Runs `leave` once for each node, after the nodes that it needs; independent ones run side by side. A node waits only
 * for nodes that stand before it in the order, so that claims which form a cycle cannot block it.
 * @throws the first error of `leave`, or GantryError `aborted`, when nothing is running any more
 */
export async function runGraph(
  graph: Graph,
  leave: (node: GraphNode) => Promise<void>,
  options: RunGraphOptions = {},
): Promise<void> {
  const steps = stepsOf(orderOf(graph))
  const queue = new WorkQueue<Step>(async (step) => {
    await leave(step.node)
    for (const dependent of step.dependents) {
      if (--dependent.waitsFor === 0) queue.add(dependent)
    }
  }, queueOptions(options))
  options.speed?.watch(() => queue.weighAgain())
  for (const step of steps) if (step.waitsFor === 0) queue.add(step)
  await queue.drain()
}

interface Step {
  readonly node: GraphNode
  readonly dependents: Step[]
  waitsFor: number
}

function stepsOf(order: readonly GraphNode[]): readonly Step[] {
  const earlier = new Map<string, Step>()
  return order.map((node) => {
    const step: Step = { node, dependents: [], waitsFor: 0 }
    for (const need of node.needs) {
      const needed = earlier.get(need)
      if (needed === undefined) continue
      needed.dependents.push(step)
      step.waitsFor++
    }
    earlier.set(nodeKeyOf(node.descriptor), step)
    return step
  })
}

function queueOptions({ concurrency, speed, signal }: RunGraphOptions): WorkQueueOptions<Step> {
  const common = signal === undefined ? {} : { signal }
  if (concurrency !== undefined) return { ...common, lanes: [concurrency] }
  return {
    ...common,
    lanes: [SMALL_AT_ONCE, LARGE_AT_ONCE],
    placeOf: ({ node }) => placeOf(node.descriptor.size, speed?.isSlow === true),
  }
}

/** Many small transfers hide the way to the registry; large ones share what it carries, and memory. */
function placeOf(size: number, isSlow: boolean): Place {
  if (size < SMALL_SIZE) return { lane: 0, weight: 1 }
  const largest = isSlow ? LARGEST_WEIGHT_WHEN_SLOW : LARGEST_WEIGHT
  return { lane: 1, weight: Math.min(largest, Math.ceil(size / MEBIBYTE)) }
}
