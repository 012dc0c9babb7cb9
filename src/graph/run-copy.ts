import { Annotation } from '../oci/annotations.js'
import { isManifest, type Descriptor } from '../oci/descriptor.js'
import { parseManifest, successorsOf } from '../oci/manifest.js'
import { isSchema1Type } from '../oci/media-types.js'
import { isReferrerSource, type Sink, type Source } from '../store/store.js'
import { openBytes } from '../util/bytes.js'
import { mapConcurrently } from '../util/limit.js'
import { callOptionsOf } from './call-options.js'
import type { CopyPlan, PlannedNode, PlannedTag } from './copy-plan.js'
import type { EarlyMoves } from './early-moves.js'
import type { OnTransferEvent } from './events.js'
import { mendReferrers } from './mend-referrers.js'
import { nodeKeyOf, type NodeKey } from './read-graph.js'
import { runGraph } from './run-graph.js'
import { blame, transfer, transferBytes, type TransferOutcome } from './transfer.js'
import { TransferSpeed } from './transfer-speed.js'

export interface RunCopyOptions {
  readonly concurrency?: number
  /** Take layers that their owner wants fetched from elsewhere from there, where the source does not have them. */
  readonly nonDistributable?: boolean
  /**
   * Blobs that are moving already.
   * @internal
   */
  readonly early?: EarlyMoves
  readonly onEvent?: OnTransferEvent
  readonly signal?: AbortSignal
}

/** How many nodes, and how many bytes they have together. */
export interface Amount {
  readonly nodes: number
  readonly bytes: number
}

/** What a transfer has done, in nodes and bytes. */
export interface TransferAmounts {
  readonly copied: Amount
  readonly mounted: Amount
  /** What was there already; what is below such a manifest is not counted. */
  readonly existing: Amount
}

/** The amounts of several transfers together. */
export function sumOf(transfers: readonly TransferAmounts[]): TransferAmounts {
  const sum = (of: keyof TransferAmounts): Amount => ({
    nodes: transfers.reduce((total, transfer) => total + transfer[of].nodes, 0),
    bytes: transfers.reduce((total, transfer) => total + transfer[of].bytes, 0),
  })
  return { copied: sum('copied'), mounted: sum('mounted'), existing: sum('existing') }
}

export interface CopyResult extends TransferAmounts {
  /** What the tags point at. */
  readonly descriptor: Descriptor
  /** The tags of the root, new or not. */
  readonly tags: readonly string[]
  /** Further tags that came along: those made from digests. */
  readonly digestTags: readonly string[]
  /** How many manifests refer to the root, to a child of it, or to one of these. */
  readonly referrers: number
  /** What was copied and is not found by its subject, as the sink's list does not have it. */
  readonly unlisted: readonly Descriptor[]
  /** What was left out, and why. */
  readonly skipped: readonly { readonly descriptor: Descriptor; readonly reason: string }[]
}

/**
 * Does what a plan says: what a manifest names is there before it, and its tags come last. After a failure nothing new
 * starts; what has been moved stays, and the next plan finds it there.
 * @throws GantryError that says which side failed, when nothing is running any more
 */
export async function runCopy(
  source: Source,
  sink: Sink,
  plan: CopyPlan,
  options: RunCopyOptions = {},
): Promise<CopyResult> {
  const run = new CopyRun(source, sink, plan, options)
  await runGraph(plan.graph, ({ descriptor }) => run.leave(descriptor), { ...options, speed: run.speed })
  const unlisted = await run.mendReferrers()
  await run.setTags()
  return run.result(unlisted)
}

class CopyRun {
  readonly speed = new TransferSpeed()
  readonly #source: Source
  readonly #sink: Sink
  readonly #plan: CopyPlan
  readonly #options: RunCopyOptions
  readonly #planned: ReadonlyMap<NodeKey, PlannedNode>
  readonly #outcomes = new Map<NodeKey, TransferOutcome>()
  /** The tag that is set when the root is pushed, where that is not too early. */
  readonly #tagOfPush: PlannedTag | undefined

  constructor(source: Source, sink: Sink, plan: CopyPlan, options: RunCopyOptions) {
    this.#source = source
    this.#sink = sink
    this.#plan = plan
    this.#options = options
    this.#planned = new Map(plan.nodes.map((node) => [nodeKeyOf(node.descriptor), node]))
    const isMoved = this.#planned.get(nodeKeyOf(plan.root))?.action === 'move'
    this.#tagOfPush = isMoved && !plan.tagsLast ? plan.tags.find(({ isNew }) => isNew) : undefined
  }

  async leave(descriptor: Descriptor): Promise<void> {
    const { onEvent } = this.#options
    const key = nodeKeyOf(descriptor)
    const { action, reason } = this.#planned.get(key) ?? { action: 'skip' }
    if (action === 'skip') return onEvent?.({ type: 'skipped', descriptor, reason: reason ?? '' })
    if (action === 'exists') {
      return onEvent?.({ type: 'exists', descriptor, subgraph: isManifest(descriptor) })
    }
    this.#tellOtherNames(descriptor, onEvent)
    try {
      const early = this.#options.early?.outcomeOf(key)
      this.#outcomes.set(key, await (early ?? this.#move(descriptor, onEvent)))
    } catch (error) {
      onEvent?.({ type: 'failed', descriptor, error })
      throw error
    }
  }

  async mendReferrers(): Promise<readonly Descriptor[]> {
    const sink = this.#sink
    if (!isReferrerSource(sink)) return []
    const pushed = this.#plan.nodes.flatMap(({ descriptor, subject }) =>
      subject !== undefined && this.#outcomes.has(nodeKeyOf(descriptor)) ? [{ descriptor, subject }] : [],
    )
    return mendReferrers(sink, pushed, {
      ...callOptionsOf(this.#options),
      pushAgain: async (descriptor) => {
        await this.#move(descriptor, undefined)
      },
    })
  }

  /** Tags that are made from digests come first, so that an image has its signature as soon as it has a name. */
  async setTags(): Promise<void> {
    const { root, tags } = this.#plan
    await this.#setTagsSideBySide(tags.filter(({ descriptor }) => descriptor !== root))
    const ofRoot = tags.filter(({ descriptor }) => descriptor === root)
    // The first one brings the manifest along where the sink did not get it from here.
    await this.#setTagsSideBySide(ofRoot.slice(0, 1))
    await this.#setTagsSideBySide(ofRoot.slice(1))
  }

  result(unlisted: readonly Descriptor[]): CopyResult {
    const { root, tags, referrers, nodes } = this.#plan
    const amountOf = (select: (node: PlannedNode) => boolean): Amount => {
      const selected = nodes.filter(select)
      return { nodes: selected.length, bytes: selected.reduce((sum, { descriptor }) => sum + descriptor.size, 0) }
    }
    const outcomeOf = ({ descriptor }: PlannedNode): TransferOutcome | undefined =>
      this.#outcomes.get(nodeKeyOf(descriptor))
    return {
      descriptor: root,
      tags: tags.filter(({ descriptor }) => descriptor === root).map(({ tag }) => tag),
      digestTags: tags.filter(({ descriptor }) => descriptor !== root).map(({ tag }) => tag),
      referrers,
      copied: amountOf((node) => outcomeOf(node) === 'copied'),
      mounted: amountOf((node) => outcomeOf(node) === 'mounted'),
      existing: amountOf(({ action }) => action === 'exists'),
      unlisted,
      skipped: nodes.flatMap(({ descriptor, action, reason = '' }) =>
        action === 'skip' ? [{ descriptor, reason }] : [],
      ),
    }
  }

  /** Content that a manifest names differently from where it was met first has moved under that other name. */
  #tellOtherNames(descriptor: Descriptor, onEvent: OnTransferEvent | undefined): void {
    const bytes = isManifest(descriptor) ? this.#plan.manifests.get(descriptor.digest) : undefined
    if (onEvent === undefined || bytes === undefined || isSchema1Type(descriptor.mediaType)) return
    const told = new Set<string>()
    for (const part of successorsOf(parseManifest({ descriptor, bytes }))) {
      const node = this.#planned.get(nodeKeyOf(part))
      const title = part.annotations?.[Annotation.title] ?? ''
      const name = `${part.digest} ${title}`
      const isFirstName = node?.descriptor.annotations?.[Annotation.title] === part.annotations?.[Annotation.title]
      if (node === undefined || node.action === 'skip' || isFirstName || told.has(name)) continue
      told.add(name)
      onEvent({ type: 'restored', descriptor: part })
    }
  }

  async #move(descriptor: Descriptor, onEvent: OnTransferEvent | undefined): Promise<TransferOutcome> {
    const { signal, nonDistributable } = this.#options
    const isRoot = nodeKeyOf(descriptor) === nodeKeyOf(this.#plan.root)
    const tag = isRoot ? this.#tagOfPush?.tag : undefined
    const transferOptions = {
      speed: this.speed,
      nonDistributable,
      onEvent,
      signal,
      tag,
    }
    const bytes = isManifest(descriptor) ? this.#plan.manifests.get(descriptor.digest) : undefined
    if (bytes === undefined) return transfer(this.#source, this.#sink, descriptor, transferOptions)
    await transferBytes(bytes, this.#sink, descriptor, transferOptions)
    return 'copied'
  }

  async #setTagsSideBySide(tags: readonly PlannedTag[]): Promise<void> {
    await mapConcurrently(tags, async (tag) => this.#setTag(tag), { concurrency: 16, ...callOptionsOf(this.#options) })
  }

  async #setTag(planned: PlannedTag): Promise<void> {
    const { tag, descriptor, isNew } = planned
    const callOptions = callOptionsOf(this.#options)
    const bytes = this.#plan.manifests.get(descriptor.digest)
    const isPushed = this.#outcomes.has(nodeKeyOf(descriptor))
    try {
      if (isNew && planned !== this.#tagOfPush) {
        // A manifest that is at hand need not be fetched back from the sink to be tagged.
        if (bytes === undefined || isPushed) await this.#sink.tag(descriptor, tag, callOptions)
        else await this.#sink.push(descriptor, openBytes(bytes), { ...callOptions, tag })
      }
    } catch (error) {
      throw blame(error, 'destination')
    }
    this.#options.onEvent?.({ type: 'tagged', descriptor, tag })
  }
}
