import { GantryError } from '../errors.js'
import { isManifest, type Descriptor } from '../oci/descriptor.js'
import type { Digest } from '../oci/digest.js'
import type { LayoutIndex } from '../oci/layout-index.js'
import { throwIfAborted } from '../util/abort.js'
import { openBytes, type OpenContent } from '../util/bytes.js'
import { LayoutBlobs } from './layout-blobs.js'
import { collectGarbage, type GarbageOptions, type GarbageResult } from './layout-garbage.js'
import { LayoutIndexFile } from './layout-index-file.js'
import { LayoutReader } from './layout-reader.js'
import { receiveManifest } from './receive-content.js'
import type { CallOptions, Deleter, PushOptions, Sink, Untagger } from './store.js'
import { checkTagName } from './tag-name.js'
import { requireText } from '../util/require-kind.js'

export interface LayoutStoreOptions {
  /** Make the folder a layout with the first write where it is none yet; default false. */
  readonly create?: boolean
  /** Let {@link LayoutStore.has} check the digest of content of any size; default false: up to 4 MiB. */
  readonly verify?: boolean
}

/**
 * An image layout in a folder (image-spec, image-layout.md). Any number of processes may work on it at once: blobs
 * appear complete or not at all, and `index.json` is replaced under a lock, which outlives no process.
 *
 * `index.json` lists what has a name, and manifests without one that no index there contains.
 */
export class LayoutStore extends LayoutReader implements Sink, Deleter, Untagger {
  readonly #folder: string
  readonly #blobs: LayoutBlobs
  readonly #index: LayoutIndexFile
  readonly #verify: boolean

  private constructor(folder: string, blobs: LayoutBlobs, index: LayoutIndexFile, verify: boolean) {
    super({
      readIndex: () => index.read(),
      sizeOf: (digest) => blobs.sizeOf(digest),
      open: (digest, range) => blobs.open(digest, range),
    })
    this.#folder = folder
    this.#blobs = blobs
    this.#index = index
    this.#verify = verify
  }

  /**
   * Opens a layout.
   * @throws GantryError `not-found` when there is nothing at the path; `invalid-content` when it is no layout or its
   *   `index.json` is malformed; `unsupported` for another version; `limit-exceeded` for an `index.json` above 4 MiB
   */
  static async open(folder: string, options: LayoutStoreOptions = {}): Promise<LayoutStore> {
    requireText('the folder of a layout', folder)
    const blobs = new LayoutBlobs(folder)
    const index = new LayoutIndexFile(folder, { create: options.create ?? false, beforeWrite: () => blobs.sync() })
    await index.check()
    return new LayoutStore(folder, blobs, index, options.verify ?? false)
  }

  /**
   * Whether content is there. A file under the right name counts when it is a regular file of the right size, and up to
   * 4 MiB also of the right digest; a manifest has to be found from `index.json` as well.
   */
  async has(descriptor: Descriptor, { signal }: CallOptions = {}): Promise<boolean> {
    throwIfAborted(signal)
    if (!(await this.#blobs.isIntact(descriptor, { whole: this.#verify, signal }))) return false
    if (!isManifest(descriptor)) return true
    const index = await this.#index.read()
    if (index.entriesOf(descriptor.digest).length > 0) return true
    return (await this.graph.contained(index, { signal })).has(descriptor.digest)
  }

  /**
   * Stores content. What is there already is not read from the source again; a blob of any size is checked first.
   * @throws GantryError `digest-mismatch`, `size-mismatch`, `invalid-content` for a manifest that is none,
   *   `invalid-argument` for the tag, `file-error`, `locked`, `aborted`
   */
  async push(descriptor: Descriptor, open: OpenContent, options: PushOptions = {}): Promise<void> {
    const { tag, signal } = options
    if (tag !== undefined) checkTagName(tag)
    throwIfAborted(signal)
    await this.#index.prepare(signal)
    if (isManifest(descriptor)) {
      await this.#pushManifest(descriptor, open, options)
      return
    }
    await this.#blobs.write(descriptor, open, options)
    if (tag !== undefined) await this.tag(descriptor, tag, options)
  }

  /**
   * Gives content that is there a name, any visible text that is no digest; whatever had the name stays listed.
   * @throws GantryError `not-found`, `invalid-argument`, `file-error`, `locked`, `aborted`
   */
  async tag(descriptor: Descriptor, tag: string, { signal }: CallOptions = {}): Promise<void> {
    checkTagName(tag)
    await this.#index.update(async (index) => {
      if ((await this.#blobs.sizeOf(descriptor.digest)) !== descriptor.size) throw notFound(descriptor.digest)
      await this.#moveTag(index, descriptor, tag, signal)
      return undefined
    }, signal)
  }

  /**
   * Removes what nothing in the layout refers to: blobs that `index.json` does not lead to, and what dead processes have
   * left.
   * @throws GantryError `locked` while another process writes; what is wrong with a manifest that is listed
   */
  async collectGarbage(options: GarbageOptions = {}): Promise<GarbageResult> {
    let result: GarbageResult = { removed: [], kept: [] }
    await this.#index.update(async (index) => {
      const { signal } = options
      const readManifest = (descriptor: Descriptor) => this.readManifest(descriptor.digest, { signal })
      result = await collectGarbage({ folder: this.#folder, index, readManifest }, options)
      return undefined
    }, options.signal)
    return result
  }

  /**
   * Takes a name away; the manifest stays.
   * @throws GantryError `not-found`, `file-error`, `locked`, `aborted`
   */
  async untag(tag: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#index.update(async (index) => {
      const digest = index.tagged(tag)?.descriptor.digest
      if (digest === undefined) throw notFound(tag)
      const contained = await this.graph.contained(index, { signal })
      index.untag(tag)
      if (contained.has(digest)) index.removeUntagged(digest)
      return undefined
    }, signal)
  }

  /**
   * Removes a manifest, with all its names, or a blob. Nothing else goes: what an index contained stays listed, and so
   * do referrers.
   * @throws GantryError `not-found`, `file-error`, `locked`, `aborted`
   */
  async delete({ digest }: Descriptor, { signal }: CallOptions = {}): Promise<void> {
    await this.#index.update(async (index) => {
      if (index.entriesOf(digest).length === 0 && !(await this.#blobs.isThere(digest))) throw notFound(digest)
      const orphans = await this.#orphansOf(digest, index, signal)
      index.remove(digest)
      for (const orphan of orphans) index.add(orphan)
      // One of them may lead to another.
      const contained = orphans.length > 1 ? await this.graph.contained(index, { signal }) : new Map()
      for (const orphan of orphans) if (contained.has(orphan.digest)) index.removeUntagged(orphan.digest)
      return async () => {
        await this.#blobs.remove(digest)
        this.graph.forget(digest)
      }
    }, signal)
  }

  async #pushManifest(descriptor: Descriptor, open: OpenContent, options: PushOptions): Promise<void> {
    const { tag, signal } = options
    if (await this.has(descriptor, { signal })) {
      options.onProgress?.(descriptor.size)
      if (tag !== undefined) await this.tag(descriptor, tag, { signal })
      return
    }
    const received = await receiveManifest(descriptor, open, options)
    const { manifest } = received
    const write = (): Promise<void> => this.#blobs.write(descriptor, openBytes(received.bytes))
    await write()
    await this.#index.update(async (index) => {
      // Somebody may have deleted it since; under the lock nobody does.
      if (!(await this.#blobs.isThere(descriptor.digest))) await write()
      if (tag !== undefined) await this.#moveTag(index, descriptor, tag, signal)
      else if (!(await this.graph.contained(index, { signal })).has(descriptor.digest)) index.add(descriptor)
      // From now on this leads to them.
      if (manifest?.kind === 'index') for (const { digest } of manifest.manifests) index.removeUntagged(digest)
      return undefined
    }, signal)
  }

  /** What had the name before stays listed without one, unless an index contains it. */
  async #moveTag(index: LayoutIndex, descriptor: Descriptor, tag: string, signal?: AbortSignal): Promise<void> {
    const before = index.tagged(tag)?.descriptor.digest
    index.tag(descriptor, tag)
    if (before === undefined || before === descriptor.digest) return
    if ((await this.graph.contained(index, { signal })).has(before)) index.removeUntagged(before)
  }

  /** The manifests that only this index led to, which have to be listed when it goes. */
  async #orphansOf(digest: Digest, index: LayoutIndex, signal: AbortSignal | undefined): Promise<Descriptor[]> {
    const contained = await this.graph.contained(index, { without: digest, signal })
    const descriptor = index.entriesOf(digest)[0]?.descriptor ?? contained.get(digest)
    const children = descriptor === undefined ? [] : await this.graph.childrenOf(descriptor, signal)
    const orphans: Descriptor[] = []
    for (const child of children) {
      if (!isManifest(child) || contained.has(child.digest)) continue
      if (await this.#blobs.isThere(child.digest)) orphans.push(child)
    }
    return orphans
  }
}

function notFound(reference: string): GantryError {
  return new GantryError('not-found', `${reference}: not found`)
}
