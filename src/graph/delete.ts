import { isGantryError } from '../errors.js'
import { isManifest, type Descriptor } from '../oci/descriptor.js'
import { parseManifest, type Manifest } from '../oci/manifest.js'
import { isIndexType } from '../oci/media-types.js'
import type { CallOptions, Deleter, ReferrerSource, Source } from '../store/store.js'
import { readContent } from '../store/verify.js'
import { mapConcurrently } from '../util/limit.js'
import { callOptionsOf } from './call-options.js'
import type { OnTransferEvent } from './events.js'
import {
  orderOf,
  readGraph,
  type Graph,
  type GraphLimits,
  type GraphNode,
  type Neighbours,
  type NodeKey,
} from './read-graph.js'
import { runGraph } from './run-graph.js'

export interface PlanDeleteOptions extends CallOptions {
  /** Delete everything that refers to the manifest too, and what refers to that. */
  readonly referrers?: boolean
  /** Delete the children of an index too. Other indexes may need them: default false. */
  readonly children?: boolean
  readonly concurrency?: number
  readonly limits?: GraphLimits
}

const READS_AT_ONCE = 16

/** What would be deleted, as data: a dry run shows it, {@link deleteGraph} follows it. */
export interface DeletePlan {
  readonly root: Descriptor
  /** In the order in which they go: what refers to a manifest before it, an index before its children. */
  readonly nodes: readonly Descriptor[]
  readonly graph: Graph
}

export interface DeleteOptions extends CallOptions {
  readonly concurrency?: number
  readonly onEvent?: OnTransferEvent
}

/**
 * Finds out what has to be deleted with a manifest. A list of referrers is a claim: only manifests that name their
 * subject themselves are deleted with it.
 * @throws GantryError `limit-exceeded` when there are too many
 */
export async function planDelete(
  store: Source & ReferrerSource,
  root: Descriptor,
  options: PlanDeleteOptions = {},
): Promise<DeletePlan> {
  const { referrers = false, children = false, concurrency, limits } = options
  const callOptions = callOptionsOf(options)
  const next = async (descriptor: Descriptor): Promise<Neighbours> => {
    const needs = referrers ? await trueReferrersOf(store, descriptor, callOptions) : []
    const parts = children && isIndexType(descriptor.mediaType) ? await childrenOf(store, descriptor, callOptions) : []
    return { needs, visit: [...needs, ...parts] }
  }
  const graph = await readGraph([root], next, {
    ...callOptions,
    concurrency,
    limits,
  })
  const ordered = withParentsFirst(graph)
  return { root, nodes: orderOf(ordered).map(({ descriptor }) => descriptor), graph: ordered }
}

/**
 * Deletes what a plan says. What is gone already, because the registry drops referrers with their subject for instance,
 * is no failure; only the root has to be there.
 * @throws GantryError `not-found` for the root, `unsupported` where the store deletes nothing
 */
export async function deleteGraph(store: Deleter, plan: DeletePlan, options: DeleteOptions = {}): Promise<void> {
  const callOptions = callOptionsOf(options)
  const leave = async (descriptor: Descriptor): Promise<void> => {
    try {
      await store.delete(descriptor, callOptions)
    } catch (error) {
      // Some registries keep a referrer until its subject is gone, and say so with a 404.
      const isGone = isGantryError(error, 'not-found') || (isGantryError(error) && error.response?.status === 404)
      if (!isGone || descriptor.digest === plan.root.digest) throw error
      return
    }
    options.onEvent?.({ type: 'deleted', descriptor })
  }
  await runGraph(plan.graph, ({ descriptor }) => leave(descriptor), options)
}

async function trueReferrersOf(
  store: Source & ReferrerSource,
  subject: Descriptor,
  options: CallOptions,
): Promise<readonly Descriptor[]> {
  const listed = await store.referrers(subject, options)
  const manifests = listed.filter(isManifest)
  const isTrue = await mapConcurrently(
    manifests,
    async (referrer) => (await readManifest(store, referrer, options))?.subject?.digest === subject.digest,
    { concurrency: READS_AT_ONCE, ...options },
  )
  return manifests.filter((_, index) => isTrue[index])
}

async function childrenOf(store: Source, index: Descriptor, options: CallOptions): Promise<readonly Descriptor[]> {
  const manifest = await readManifest(store, index, options)
  if (manifest?.kind !== 'index') return []
  return manifest.manifests.filter(isManifest)
}

/** Nothing when it is not there: lists may be older than what they list. */
async function readManifest(
  store: Source,
  descriptor: Descriptor,
  options: CallOptions,
): Promise<Manifest | undefined> {
  try {
    return parseManifest({ descriptor, bytes: await readContent(store, descriptor, options) })
  } catch (error) {
    if (isGantryError(error, 'not-found')) return undefined
    throw error
  }
}

/** A registry may refuse to delete what an index still names. */
function withParentsFirst(graph: Graph): Graph {
  const nodes = new Map<NodeKey, GraphNode>(graph.nodes)
  for (const [parent, { needs, visit }] of graph.nodes) {
    const children = visit.filter((key) => !needs.includes(key))
    for (const key of children) {
      const child = nodes.get(key)
      if (child !== undefined) nodes.set(key, { ...child, needs: [...child.needs, parent] })
    }
  }
  return { roots: graph.roots, nodes }
}
