import { GantryError, isGantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { Digest } from '../oci/digest.js'
import type { LayoutIndex } from '../oci/layout-index.js'
import { parseManifest, referrerDescriptor } from '../oci/manifest.js'
import { isIndexType, isManifestType, isSchema1Type } from '../oci/media-types.js'
import { mapConcurrently } from '../util/limit.js'

/** How deep indexes may contain each other. */
const MAX_DEPTH = 32

/** How many manifests of one layout are looked at. */
const MAX_MANIFESTS = 100_000

const CONCURRENCY = 8

/** What matters of a manifest to find others. */
export interface LayoutNode {
  readonly descriptor: Descriptor
  /** What the manifest is about. */
  readonly subject?: Digest
  /** As it is listed among the referrers of its subject. */
  readonly referrer: Descriptor
  /** What an index contains. */
  readonly children: readonly Descriptor[]
}

export interface ContainedOptions {
  /** Leave out what only this index contains. */
  readonly without?: Digest
  readonly signal?: AbortSignal
}

/** Reads a manifest, checked against its digest; undefined when the layout does not hold it. */
export type ReadLayoutManifest = (descriptor: Descriptor, signal?: AbortSignal) => Promise<Uint8Array | undefined>

/**
 * How the manifests of a layout belong together. Each manifest is read once: its content cannot change.
 */
export class LayoutGraph {
  readonly #read: ReadLayoutManifest
  readonly #nodes = new Map<Digest, LayoutNode>()

  constructor(read: ReadLayoutManifest) {
    this.#read = read
  }

  /**
   * Every manifest that the layout lists, and those in the indexes among them, however deep. What is listed and not
   * there (an index need not be complete) is left out.
   * @throws GantryError `limit-exceeded`, and what is wrong with a manifest that is there
   */
  async nodes(index: LayoutIndex, signal?: AbortSignal): Promise<readonly LayoutNode[]> {
    return this.#walk(index, isManifest, (descriptor) => this.#node(descriptor, signal))
  }

  /**
   * What lies in indexes that the layout lists, whether it is there or not, by digest. A damaged index contains
   * nothing, so that it can be replaced or removed.
   * @throws GantryError `limit-exceeded`, `aborted`
   */
  async contained(index: LayoutIndex, options: ContainedOptions = {}): Promise<ReadonlyMap<Digest, Descriptor>> {
    const { without, signal } = options
    const isEntered = ({ mediaType, digest }: Descriptor): boolean => isIndexType(mediaType) && digest !== without
    const indexes = await this.#walk(index, isEntered, (descriptor) => this.#intactNode(descriptor, signal))
    return new Map(indexes.flatMap(({ children }) => children).map((child) => [child.digest, child]))
  }

  /** What an index contains; nothing for other manifests, and for one that is damaged or not there. */
  async childrenOf(descriptor: Descriptor, signal?: AbortSignal): Promise<readonly Descriptor[]> {
    if (!isIndexType(descriptor.mediaType)) return []
    return (await this.#intactNode(descriptor, signal))?.children ?? []
  }

  /** The manifest is gone. */
  forget(digest: Digest): void {
    this.#nodes.delete(digest)
  }

  /** @throws GantryError when the manifest is there and malformed */
  async #node(descriptor: Descriptor, signal: AbortSignal | undefined): Promise<LayoutNode | undefined> {
    const known = this.#nodes.get(descriptor.digest)
    if (known !== undefined) return known
    const bytes = await this.#read(descriptor, signal)
    if (bytes === undefined) return undefined
    const node = parseNode(descriptor, bytes)
    this.#nodes.set(descriptor.digest, node)
    return node
  }

  async #intactNode(descriptor: Descriptor, signal: AbortSignal | undefined): Promise<LayoutNode | undefined> {
    try {
      return await this.#node(descriptor, signal)
    } catch (error) {
      if (!isGantryError(error) || error.code === 'aborted') throw error
      return undefined
    }
  }

  /** Breadth first, and only into what is to be entered. */
  async #walk(
    index: LayoutIndex,
    isEntered: (descriptor: Descriptor) => boolean,
    nodeOf: (descriptor: Descriptor) => Promise<LayoutNode | undefined>,
  ): Promise<readonly LayoutNode[]> {
    const seen = new Set<Digest>()
    const isNew = (descriptor: Descriptor): boolean => {
      if (!isEntered(descriptor) || seen.has(descriptor.digest)) return false
      seen.add(descriptor.digest)
      return true
    }
    const found: LayoutNode[] = []
    let level = [...index.entries].map((entry) => entry.descriptor).filter(isNew)
    for (let depth = 0; level.length > 0; depth++) {
      checkBounds(depth, seen.size)
      const nodes = await mapConcurrently(level, nodeOf, { concurrency: CONCURRENCY })
      const present = nodes.filter((node) => node !== undefined)
      found.push(...present)
      level = present.flatMap((node) => node.children).filter(isNew)
    }
    return found
  }
}

function isManifest({ mediaType }: Descriptor): boolean {
  return isManifestType(mediaType) && !isSchema1Type(mediaType)
}

function checkBounds(depth: number, manifests: number): void {
  if (depth > MAX_DEPTH) throw new GantryError('limit-exceeded', `indexes are nested deeper than ${MAX_DEPTH} levels`)
  if (manifests > MAX_MANIFESTS) {
    throw new GantryError('limit-exceeded', `the layout holds more than ${MAX_MANIFESTS} manifests`)
  }
}

function parseNode(descriptor: Descriptor, bytes: Uint8Array): LayoutNode {
  const content = { descriptor, bytes }
  const manifest = parseManifest(content)
  return {
    descriptor,
    subject: manifest.subject?.digest,
    referrer: referrerDescriptor(content, manifest),
    children: manifest.kind === 'index' ? manifest.manifests : [],
  }
}
