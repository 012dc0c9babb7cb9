import { GantryError, isGantryError } from '../errors.js'
import { asManifest, isManifest, type Descriptor } from '../oci/descriptor.js'
import { parseManifest, successorsOf, type Manifest } from '../oci/manifest.js'
import { isIndexType, isNonDistributableType, isSchema1Type } from '../oci/media-types.js'
import { isLocalSource, isReferrerSource, type CallOptions, type Sink, type Source } from '../store/store.js'
import { both } from '../util/both.js'
import type { CopyAction } from './copy-plan.js'
import type { OnTransferEvent } from './events.js'
import { ManifestCache } from './manifest-cache.js'
import { nodeKeyOf, readGraph, type Graph, type GraphLimits, type Neighbours, type NodeKey } from './read-graph.js'
import { readSchema1 } from './read-schema-1.js'
import { SinkSurvey } from './sink-survey.js'
import { blame } from './transfer.js'

export interface CopyReaderOptions {
  readonly concurrency?: number
  readonly limits?: GraphLimits
  /**
   * Ask the sink about every blob, for a plan that is to be shown. Default: not about small ones once it turned out to
   * have none, so that a few are sent that are there.
   */
  readonly exact?: boolean
  /** Take no manifest at the sink for granted: push each again, and what is missing below it. */
  readonly force?: boolean
  /**
   * Move layers that their owner wants fetched from elsewhere too: from the source or, where it does not have them, from
   * the addresses that their descriptors name. Default: they are left out.
   */
  readonly nonDistributable?: boolean
  /** Only referrers of these types travel; default: all. */
  readonly artifactTypes?: readonly string[]
  /** What a manifest needs; default: all that it names, its subject too. */
  readonly successorsOf?: (manifest: Manifest) => readonly Descriptor[]
  /**
   * Called with how many manifests are said to refer to others, each time that more are found.
   * @internal
   */
  readonly onReferrers?: (count: number) => void
  /**
   * Called for each blob that has to move, as soon as that is known.
   * @internal
   */
  readonly onBlobToMove?: (blob: Descriptor) => void
  readonly onEvent?: OnTransferEvent
  readonly signal?: AbortSignal
}

/** What is to be done with a node. */
export interface NodeState {
  readonly action: CopyAction
  readonly reason?: string
  /** What a manifest refers to. */
  readonly subject?: Descriptor
}

interface Found extends NodeState {
  readonly manifest?: Manifest
}

/**
 * Finds out what a copy has to do. A manifest that the sink has is there with all that it needs, so nothing below it is
 * asked about; who refers to it is asked all the same, as referrers come later than their subject.
 */
export class CopyReader {
  readonly manifests: ManifestCache
  readonly #source: Source
  readonly #survey: SinkSurvey
  readonly #options: CopyReaderOptions
  readonly #states = new Map<NodeKey, NodeState>()
  /** What was named by content; a list of referrers, in contrast, is a claim. */
  readonly #named = new Set<NodeKey>()
  /** Who is said to refer to what. */
  readonly #claims = new Map<NodeKey, Set<string>>()
  readonly #subjects = new Map<NodeKey, Descriptor>()
  #nodesToMove = 0
  #bytesToMove = 0

  constructor(source: Source, sink: Sink, options: CopyReaderOptions) {
    this.#source = source
    this.#survey = new SinkSurvey(sink, options.exact ?? false)
    this.#options = options
    this.manifests = new ManifestCache(source)
  }

  get nodesToMove(): number {
    return this.#nodesToMove
  }

  get bytesToMove(): number {
    return this.#bytesToMove
  }

  /** How many manifests were found that refer to others. */
  get referrers(): number {
    return [...this.#claims.keys()].filter((key) => this.stateOf(key).action !== 'skip').length
  }

  /** What is to be done with a node that was read. */
  stateOf(key: NodeKey): NodeState {
    return this.#states.get(key) ?? { action: 'skip' }
  }

  /**
   * Reads what is below the roots and, when `follow` is set, the referrers of the roots, of their children and of these
   * referrers.
   * @throws GantryError `unsupported` when the source does not know referrers
   */
  async read(roots: readonly Descriptor[], follow: boolean, known?: Graph): Promise<Graph> {
    if (follow && !isReferrerSource(this.#source)) {
      throw new GantryError('unsupported', 'the source does not know who refers to a manifest', { side: 'source' })
    }
    for (const root of roots) this.#named.add(nodeKeyOf(root))
    let graph = await this.#walk(roots, follow, known)
    for (;;) {
      const strays = this.#straysIn(graph)
      // Subjects above the roots are needed, and their other referrers are not: they come last, and are not followed.
      const subjects = [...this.#subjects].filter(([key]) => !graph.nodes.has(key)).map(([, subject]) => subject)
      if (strays.length + subjects.length === 0) return graph
      graph = await this.#walk(strays, follow, without(graph, strays))
      graph = await this.#walk(subjects, false, graph)
    }
  }

  /** What was taken for a false referrer before something turned up that does name it, or that it does name. */
  #straysIn({ nodes }: Graph): readonly Descriptor[] {
    return [...nodes].flatMap(([key, { descriptor }]) => {
      const { reason, subject } = this.stateOf(key)
      const isNamed = this.#named.has(key) || this.#isClaimedBy(subject, key)
      return reason === FALSE_REFERRER && isNamed ? [descriptor] : []
    })
  }

  async #walk(roots: readonly Descriptor[], follow: boolean, known?: Graph): Promise<Graph> {
    const { concurrency, limits, signal } = this.#options
    return readGraph(roots, (descriptor) => this.#next(descriptor, follow), {
      concurrency,
      limits,
      known,
      signal,
    })
  }

  async #next(descriptor: Descriptor, follow: boolean): Promise<Neighbours | undefined> {
    const { mediaType } = descriptor
    if (isNonDistributableType(mediaType) && this.#options.nonDistributable !== true) {
      this.#note(descriptor, { action: 'skip', reason: 'it is not to be distributed' })
      return undefined
    }
    if (!isManifest(descriptor)) {
      const exists = await this.#has(descriptor)
      if (!exists) await this.#checkSource(descriptor)
      this.#note(descriptor, { action: exists ? 'exists' : 'move' })
      if (!exists) this.#options.onBlobToMove?.(descriptor)
      return undefined
    }
    const [found, referrers] = await both(
      this.#inspect(descriptor, follow),
      follow ? this.#referrersOf(descriptor) : Promise.resolve([]),
    )
    this.#note(descriptor, found)
    return found.action === 'skip' ? undefined : this.#neighboursOf(descriptor, found, follow ? referrers : undefined)
  }

  #neighboursOf(descriptor: Descriptor, found: Found, referrers: readonly Descriptor[] | undefined): Neighbours {
    const { action, manifest } = found
    const successors = manifest === undefined ? [] : (this.#options.successorsOf ?? successorsOf)(manifest)
    const subject = manifest?.subject
    const parts = successors.filter((successor) => successor !== subject)
    for (const part of parts) this.#named.add(nodeKeyOf(part))
    const needs = action === 'exists' ? [] : successors
    if (referrers === undefined) return { needs }
    if (subject !== undefined && needs.includes(subject)) this.#subjects.set(nodeKeyOf(subject), subject)
    // A list that names the node itself or parts of it is something else that was mistaken for a list of referrers.
    const own = new Set<string>([descriptor.digest, ...successors.map(({ digest }) => digest)])
    const claimed = referrers.filter(({ digest }) => !own.has(digest))
    for (const referrer of claimed) {
      const key = nodeKeyOf(referrer)
      this.#claims.set(key, (this.#claims.get(key) ?? new Set()).add(descriptor.digest))
    }
    if (claimed.length > 0) this.#options.onReferrers?.(this.#claims.size)
    return { needs, visit: [...parts, ...claimed] }
  }

  async #inspect(descriptor: Descriptor, follow: boolean): Promise<Found> {
    const key = nodeKeyOf(descriptor)
    const exists = this.#options.force !== true && (await this.#has(descriptor))
    // The children of an index may have referrers that came after it.
    if (exists && !(follow && isIndexType(descriptor.mediaType))) return { action: 'exists' }
    const manifest = await this.#readManifest(descriptor)
    if (exists) return { action: 'exists', manifest }
    if (manifest === undefined) return { action: 'skip', reason: 'it is not at the source' }
    const subject = manifest.subject === undefined ? {} : { subject: manifest.subject }
    if (this.#claims.has(key) && !this.#named.has(key) && !this.#isClaimedBy(manifest.subject, key)) {
      return { action: 'skip', reason: FALSE_REFERRER, ...subject }
    }
    return { action: 'move', manifest, ...subject }
  }

  /** Whether the list of a manifest's subject has the manifest. */
  #isClaimedBy(subject: Descriptor | undefined, key: NodeKey): boolean {
    return subject !== undefined && this.#claims.get(key)?.has(subject.digest) === true
  }

  /** Nothing when it is not there and only a subject field or a list of referrers says that it should be. */
  async #readManifest(descriptor: Descriptor): Promise<Manifest | undefined> {
    try {
      const content = await this.manifests.read(descriptor, this.#callOptions())
      return isSchema1Type(descriptor.mediaType)
        ? await readSchema1(this.#source, content, this.#callOptions())
        : parseManifest(content)
    } catch (error) {
      if (isGantryError(error, 'not-found') && !this.#named.has(nodeKeyOf(descriptor))) return undefined
      throw blame(error, 'source')
    }
  }

  async #referrersOf(descriptor: Descriptor): Promise<readonly Descriptor[]> {
    const { artifactTypes } = this.#options
    if (!isReferrerSource(this.#source) || artifactTypes?.length === 0) return []
    const [only] = artifactTypes ?? []
    const filter = artifactTypes?.length === 1 && only !== undefined ? { artifactType: only } : {}
    try {
      const referrers = await this.#source.referrers(descriptor, { ...this.#callOptions(), ...filter })
      const wanted = referrers.filter(({ artifactType = '' }) => artifactTypes?.includes(artifactType) ?? true)
      // Nothing but a manifest refers to another one, whatever its type.
      return wanted.map(asManifest)
    } catch (error) {
      throw blame(error, 'source')
    }
  }

  async #has(descriptor: Descriptor): Promise<boolean> {
    try {
      return await this.#survey.has(descriptor, this.#callOptions())
    } catch (error) {
      throw blame(error, 'destination')
    }
  }

  /** What a source on this machine does not have is noticed before anything is sent. */
  async #checkSource(descriptor: Descriptor): Promise<void> {
    if (!isLocalSource(this.#source)) return
    try {
      await this.#source.checkBlob(descriptor, this.#callOptions())
    } catch (error) {
      throw blame(error, 'source')
    }
  }

  #callOptions(): CallOptions {
    const { signal } = this.#options
    return signal === undefined ? {} : { signal }
  }

  #note(descriptor: Descriptor, { action, reason, subject }: Found): void {
    this.#states.set(nodeKeyOf(descriptor), {
      action,
      reason,
      subject,
    })
    if (action !== 'move') return
    this.#nodesToMove++
    this.#bytesToMove += descriptor.size
    this.#options.onEvent?.({ type: 'planned', nodes: this.#nodesToMove, bytes: this.#bytesToMove })
  }
}

const FALSE_REFERRER = 'it does not name the manifest that it is listed for as its subject'

function without(graph: Graph, descriptors: readonly Descriptor[]): Graph {
  const keys = new Set(descriptors.map(nodeKeyOf))
  return { roots: graph.roots, nodes: new Map([...graph.nodes].filter(([key]) => !keys.has(key))) }
}
