import { GantryError, isGantryError } from '../errors.js'
import { deleteGraph, planDelete } from '../graph/delete.js'
import type { OnTransferEvent } from '../graph/events.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { SinkReference, Target, WritableStore } from './open-target.js'
import type { Opener } from './opener.js'
import { withDigest, withReference } from './target.js'

/** What would be deleted. */
export interface RemovalPlan {
  readonly descriptor: Descriptor
  /** Everything that goes, in that order: what refers to the manifest, the manifest itself, its children. */
  readonly nodes: readonly Descriptor[]
}

export interface RemoveOptions {
  /** What the reference names. Default `manifest`; a blob is named by its digest. */
  readonly kind?: 'manifest' | 'blob'
  /** Delete everything that refers to the manifest too, and what refers to that. Default false. */
  readonly referrers?: boolean
  /** Delete the children of an index too, which other indexes may need. Default false. */
  readonly children?: boolean
  /** Not to find it is no error. Default false. */
  readonly ignoreMissing?: boolean
  /** Asked before anything is deleted; false leaves everything as it is. */
  readonly confirm?: (plan: RemovalPlan) => boolean | Promise<boolean>
  /** Called after each thing that was deleted. */
  readonly onDeleted?: (descriptor: Descriptor, plan: RemovalPlan) => void
  readonly concurrency?: number
  readonly signal?: AbortSignal
}

export interface RemoveResult {
  readonly outcome: 'deleted' | 'cancelled' | 'missing'
  /** Absent where nothing was deleted. */
  readonly descriptor?: Descriptor
  /** In the order in which they went. */
  readonly deleted: readonly Descriptor[]
}

/** Deletes a manifest with its tags, or a blob. */
export async function remove(opener: Opener, reference: SinkReference, options: RemoveOptions): Promise<RemoveResult> {
  const { kind = 'manifest', ignoreMissing = false } = options
  const target = await opener.openSink(reference)
  try {
    const found = await (kind === 'blob' ? findBlob(target, options) : findManifest(target, options))
    return await (kind === 'blob' ? removeBlob(target, found, options) : removeManifest(target, found, options))
  } catch (error) {
    if (!(error instanceof MissingError)) throw error
    if (ignoreMissing) return { outcome: 'missing', deleted: [] }
    throw new GantryError('not-found', `${target.typed}: the specified ${kind} does not exist`, { cause: error.cause })
  }
}

/** What was asked for is not there, which is something else than a part of it that went meanwhile. */
class MissingError extends Error {}

async function findManifest(target: Target<WritableStore>, { signal }: RemoveOptions): Promise<Descriptor> {
  const { store, reference } = withReference(target)
  return store.resolve(reference, { signal }).catch(asMissing)
}

async function findBlob(target: Target<WritableStore>, { signal }: RemoveOptions): Promise<Descriptor> {
  const { store, digest } = withDigest(target)
  return store.resolveBlob(digest, { signal }).catch(asMissing)
}

function asMissing(error: unknown): never {
  throw isGantryError(error, 'not-found') ? new MissingError('', { cause: error }) : error
}

async function removeManifest(
  { store }: Target<WritableStore>,
  descriptor: Descriptor,
  { referrers, children, confirm, onDeleted, concurrency, signal }: RemoveOptions,
): Promise<RemoveResult> {
  const { nodes, ...graph } = await planDelete(store, descriptor, { referrers, children, concurrency, signal })
  const plan = { descriptor, nodes }
  if (confirm !== undefined && !(await confirm(plan))) {
    return { outcome: 'cancelled', deleted: [] }
  }
  const deleted: Descriptor[] = []
  const onEvent: OnTransferEvent = (event) => {
    if (event.type !== 'deleted') return
    deleted.push(event.descriptor)
    onDeleted?.(event.descriptor, plan)
  }
  await deleteGraph(store, { ...graph, nodes }, { concurrency, onEvent, signal })
  return { outcome: 'deleted', descriptor, deleted }
}

async function removeBlob(
  { store }: Target<WritableStore>,
  descriptor: Descriptor,
  { confirm, onDeleted, signal }: RemoveOptions,
): Promise<RemoveResult> {
  const plan = { descriptor, nodes: [descriptor] }
  if (confirm !== undefined && !(await confirm(plan))) {
    return { outcome: 'cancelled', deleted: [] }
  }
  await store.delete(descriptor, { signal })
  onDeleted?.(descriptor, plan)
  return { outcome: 'deleted', descriptor, deleted: [descriptor] }
}
