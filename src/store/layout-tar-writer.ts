import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { GantryError, isGantryError } from '../errors.js'
import { isManifest, type Annotations, type Descriptor } from '../oci/descriptor.js'
import type { Digest } from '../oci/digest.js'
import { blobPathOf, encodeLayoutFile, INDEX_FILE, LAYOUT_FILE } from '../oci/image-layout.js'
import { LayoutIndex, type LayoutEntry } from '../oci/layout-index.js'
import { throwIfAborted } from '../util/abort.js'
import { openBytes, type OpenContent } from '../util/bytes.js'
import { fileError, isSystemError } from '../util/file-error.js'
import { Limit } from '../util/limit.js'
import { TempFile } from '../util/temp-file.js'
import { sweepTempFiles } from '../util/temp-path.js'
import { receiveIntoFile, receiveManifest, type ReceivedManifest } from './receive-content.js'
import type { CallOptions, LocalSource, PushOptions, Sink } from './store.js'
import { checkTagName } from './tag-name.js'
import { encodeTarHeader } from './tar/encode-tar-header.js'
import { TAR_BLOCK_SIZE, tarPaddingOf } from './tar/tar-entry.js'
import { requireText } from '../util/require-kind.js'

/** Two blocks of zeros end an archive. */
const END_MARKER_SIZE = 2 * TAR_BLOCK_SIZE

const ENTRY_MODE = 0o644

export interface LayoutTarOptions {
  /** What it has is left out; manifests that it has get their tags. */
  readonly older?: LocalSource | undefined
  /** Of `index.json` as a whole. */
  readonly annotations?: Annotations | undefined
}

/**
 * Writes an image layout into a tar, once: content goes straight into the archive, one blob after the other, and the
 * archive gets its name with {@link close}. It is uncompressed, has no times and no owners, and the same content pushed
 * in the same order gives the same bytes. One of {@link close} and {@link abort} has to be called.
 */
export class LayoutTarWriter implements Sink {
  readonly #file: TempFile
  readonly #index: LayoutIndex
  readonly #older: LocalSource | undefined
  readonly #written = new Map<Digest, number>()
  readonly #manifests = new Set<Digest>()
  /** What the indexes that were pushed contain. */
  readonly #contained = new Set<Digest>()
  readonly #turn = new Limit(1)
  /** Why nothing can be written any more. */
  #ended: Error | undefined

  private constructor(file: TempFile, { older, annotations }: LayoutTarOptions) {
    this.#file = file
    this.#index = LayoutIndex.create(annotations)
    this.#older = older
  }

  /**
   * Begins an archive at `path`; one that is there is replaced when the new one is complete.
   * @throws GantryError `file-error`
   */
  static async create(path: string, options: LayoutTarOptions = {}): Promise<LayoutTarWriter> {
    requireText('the path of a layout', path)
    if (await isFolder(path)) throw new GantryError('file-error', `${path} is a folder`)
    await sweepTempFiles(dirname(path))
    return new LayoutTarWriter(await TempFile.create(path), options)
  }

  async has(descriptor: Descriptor, { signal }: CallOptions = {}): Promise<boolean> {
    throwIfAborted(signal)
    return this.#has(descriptor) || (this.#older !== undefined && this.#isIn(this.#older, descriptor, signal))
  }

  /** @throws GantryError `digest-mismatch`, `size-mismatch`, `invalid-content`, `file-error`, `aborted` */
  async push(descriptor: Descriptor, open: OpenContent, options: PushOptions = {}): Promise<void> {
    const { tag, signal } = options
    if (tag !== undefined) checkTagName(tag)
    throwIfAborted(signal)
    const isOlder = this.#older !== undefined && (await this.#isIn(this.#older, descriptor, signal))
    if (!isOlder && !this.#has(descriptor)) {
      if (isManifest(descriptor)) {
        this.#list(await this.#pushManifest(descriptor, open, options))
      } else {
        await this.#turn.run(() => this.#append(descriptor, open, options), signal)
      }
    }
    options.onProgress?.(descriptor.size)
    if (tag !== undefined) this.#index.tag(descriptor, tag)
  }

  async tag(descriptor: Descriptor, tag: string, { signal }: CallOptions = {}): Promise<void> {
    throwIfAborted(signal)
    checkTagName(tag)
    if (!(await this.has(descriptor, { signal }))) throw new GantryError('not-found', `${descriptor.digest}: not found`)
    this.#index.tag(descriptor, tag)
  }

  /**
   * Completes the archive and gives it its name. After a failure there is nothing.
   * @throws GantryError `file-error`, `limit-exceeded` when there are too many manifests for one layout
   */
  async close(): Promise<void> {
    await this.#turn.run(async () => {
      try {
        this.#throwIfEnded()
        await this.#appendFile(LAYOUT_FILE, encodeLayoutFile())
        await this.#appendFile(INDEX_FILE, this.#index.encode(byNameAndDigest))
        await this.#file.write(new Uint8Array(END_MARKER_SIZE))
        await this.#file.publish()
        this.#ended = new GantryError('unsupported', `${this.#file.target} is complete`)
      } catch (cause) {
        this.#ended ??= fileError(cause, 'write', this.#file.target)
        await this.#file.discard()
        throw cause
      }
    })
  }

  /** Removes what was written; nothing to do after {@link close}. */
  async abort(): Promise<void> {
    this.#ended ??= new GantryError('aborted', `${this.#file.target} was given up`)
    await this.#turn.run(() => this.#file.discard())
  }

  async #pushManifest(descriptor: Descriptor, open: OpenContent, options: PushOptions): Promise<ReceivedManifest> {
    const received = await receiveManifest(descriptor, open, options)
    await this.#turn.run(
      () => this.#append(descriptor, openBytes(received.bytes), { signal: options.signal }),
      options.signal,
    )
    return received
  }

  #list({ descriptor, manifest }: ReceivedManifest): void {
    this.#manifests.add(descriptor.digest)
    if (!this.#contained.has(descriptor.digest)) this.#index.add(descriptor)
    if (manifest?.kind !== 'index') return
    for (const { digest } of manifest.manifests) {
      this.#contained.add(digest)
      this.#index.removeUntagged(digest)
    }
  }

  /** Only one at a time: the archive is one stream. A blob that fails is cut off again. */
  async #append(descriptor: Descriptor, open: OpenContent, options: PushOptions): Promise<void> {
    this.#throwIfEnded()
    const { digest, size } = descriptor
    // Another push of the same content had its turn before this one.
    if (this.#written.get(digest) === size) return
    const start = this.#file.position
    try {
      await this.#file.write(encodeTarHeader({ type: 'file', name: blobPathOf(digest), mode: ENTRY_MODE, size }))
      await receiveIntoFile(descriptor, open, this.#file, options)
      await this.#file.write(new Uint8Array(tarPaddingOf(size)))
    } catch (cause) {
      await this.#cutBack(start)
      throw cause
    }
    this.#written.set(digest, size)
  }

  async #appendFile(name: string, bytes: Uint8Array): Promise<void> {
    await this.#file.write(encodeTarHeader({ type: 'file', name, mode: ENTRY_MODE, size: bytes.byteLength }))
    await this.#file.write(bytes)
    await this.#file.write(new Uint8Array(tarPaddingOf(bytes.byteLength)))
  }

  async #cutBack(position: number): Promise<void> {
    try {
      await this.#file.truncate(position)
    } catch (cause) {
      // The archive is damaged for good; whoever goes on, or closes it, is told.
      this.#ended = fileError(cause, 'write', this.#file.target)
    }
  }

  async #isIn(older: LocalSource, descriptor: Descriptor, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      await older.checkBlob(descriptor, { signal })
      return true
    } catch (error) {
      if (isGantryError(error, 'not-found') || isGantryError(error, 'size-mismatch')) return false
      throw error
    }
  }

  #has(descriptor: Descriptor): boolean {
    const { digest, size } = descriptor
    if (isManifest(descriptor) && !this.#manifests.has(digest)) return false
    return this.#written.get(digest) === size
  }

  #throwIfEnded(): void {
    if (this.#ended !== undefined) throw this.#ended
  }
}

function byNameAndDigest(a: LayoutEntry, b: LayoutEntry): number {
  return compare(a.tag ?? '', b.tag ?? '') || compare(a.descriptor.digest, b.descriptor.digest)
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return false
    throw fileError(cause, 'create', path)
  }
}
