import { createReadStream } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { GantryError } from '../../errors.js'
import {
  algorithmOf,
  DIGEST_ALGORITHMS,
  Digester,
  hexOf,
  isDigest,
  type Digest,
  type DigestAlgorithm,
} from '../../oci/digest.js'
import type { Bytes } from '../../util/bytes.js'
import { isSystemError, withFileErrors } from '../../util/file-error.js'
import { makeFolder } from '../../util/make-folder.js'
import { TempFile } from '../../util/temp-file.js'
import type { ByteRange } from '../byte-range.js'
import type { ContentStore, ContentWriter } from './content-store.js'
import { FolderSync } from './folder-sync.js'

/** Larger pieces than the default of 64 KiB make reading much faster. */
const READ_SIZE = 1024 * 1024

/** Content in a folder: `blobs/<algorithm>/<hex>`, and `uploads/` for what has no digest yet. */
export class FolderContent implements ContentStore {
  readonly #folder: string
  readonly #syncs: ReadonlyMap<DigestAlgorithm, FolderSync>
  readonly #writers = new Set<FolderWriter>()

  private constructor(folder: string, syncs: ReadonlyMap<DigestAlgorithm, FolderSync>) {
    this.#folder = folder
    this.#syncs = syncs
  }

  /**
   * Opens the content of a registry, and removes what a process that was killed has left behind.
   * @param isUsed whether a digest is part of the registry's state
   * @returns the store, and the digests that it holds
   * @throws GantryError `file-error`
   */
  static async open(
    folder: string,
    isUsed: (digest: Digest) => boolean,
  ): Promise<{ content: FolderContent; digests: ReadonlySet<Digest> }> {
    const uploads = join(folder, 'uploads')
    await withFileErrors('create', uploads, () => makeFolder(uploads))
    for (const name of await withFileErrors('list', uploads, () => readdir(uploads))) {
      await withFileErrors('remove', join(uploads, name), () => rm(join(uploads, name), { force: true }))
    }
    const digests = new Set<Digest>()
    const syncs = new Map<DigestAlgorithm, FolderSync>()
    for (const algorithm of DIGEST_ALGORITHMS) {
      const blobs = join(folder, 'blobs', algorithm)
      await withFileErrors('create', blobs, () => makeFolder(blobs))
      syncs.set(algorithm, new FolderSync(blobs))
      for (const name of await withFileErrors('list', blobs, () => readdir(blobs))) {
        const digest = `${algorithm}:${name}`
        if (!isDigest(digest)) continue
        if (isUsed(digest)) digests.add(digest)
        else await withFileErrors('remove', join(blobs, name), () => rm(join(blobs, name), { force: true }))
      }
    }
    return { content: new FolderContent(folder, syncs), digests }
  }

  createWriter(algorithm: DigestAlgorithm): ContentWriter {
    const writer = new FolderWriter(algorithm, join(this.#folder, 'uploads', 'upload'), {
      publish: (file, digest) => this.#publish(file, digest),
      ended: () => this.#writers.delete(writer),
    })
    this.#writers.add(writer)
    return writer
  }

  open(digest: Digest, range?: ByteRange): Bytes {
    const bounds = { start: range?.start, end: range?.end }
    return createReadStream(this.#pathOf(digest), { ...bounds, highWaterMark: READ_SIZE })
  }

  async remove(digest: Digest): Promise<void> {
    const path = this.#pathOf(digest)
    try {
      await rm(path, { force: true })
    } catch (cause) {
      // Windows keeps files that are being read; what stays is removed when the folder is opened the next time.
      if (!isSystemError(cause, 'EBUSY', 'EPERM', 'EACCES')) throw cause
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#writers].map((writer) => writer.abort()))
  }

  async #publish(file: TempFile, digest: Digest): Promise<void> {
    const target = this.#pathOf(digest)
    await file.flush()
    await withFileErrors('write', target, () => file.handle.sync())
    await withFileErrors('rename', target, () => rename(file.path, target))
    await Promise.all([file.discard(), this.#syncs.get(algorithmOf(digest))?.sync()])
  }

  #pathOf(digest: Digest): string {
    return join(this.#folder, 'blobs', algorithmOf(digest), hexOf(digest))
  }
}

/** What a writer needs of its store. */
interface WriterOwner {
  publish(file: TempFile, digest: Digest): Promise<void>
  ended(): void
}

class FolderWriter implements ContentWriter {
  readonly #aside: string
  readonly #owner: WriterOwner
  #digester: Digester
  #file: TempFile | undefined
  #ended = false

  constructor(algorithm: DigestAlgorithm, aside: string, owner: WriterOwner) {
    this.#digester = new Digester(algorithm)
    this.#aside = aside
    this.#owner = owner
  }

  get size(): number {
    return this.#digester.size
  }

  async write(content: Bytes, limit: number): Promise<void> {
    const file = await this.#open()
    for await (const chunk of content) {
      if (this.size + chunk.byteLength > limit) {
        throw new GantryError('limit-exceeded', `the content exceeds the limit of ${limit} bytes`)
      }
      await file.write(chunk)
      this.#digester.update(chunk)
    }
  }

  async commit(digest: Digest): Promise<void> {
    const file = await this.#open()
    try {
      const actual = await this.#digestOf(file, algorithmOf(digest))
      if (actual !== digest) {
        throw new GantryError('digest-mismatch', `digest mismatch: wanted ${digest}, got ${actual}`)
      }
      await this.#owner.publish(file, digest)
    } finally {
      await this.abort()
    }
  }

  async abort(): Promise<void> {
    this.#ended = true
    this.#owner.ended()
    await this.#file?.discard()
  }

  async #open(): Promise<TempFile> {
    if (this.#ended) throw new GantryError('conflict', 'the upload has ended')
    this.#file ??= await TempFile.create(this.#aside, { mode: 0o600 })
    return this.#file
  }

  /** An upload that began without a digest may turn out to be of the other algorithm: then it is read again. */
  async #digestOf(file: TempFile, algorithm: DigestAlgorithm): Promise<Digest> {
    const digest = this.#digester.digest()
    if (algorithmOf(digest) === algorithm) return digest
    await file.flush()
    this.#digester = new Digester(algorithm)
    for await (const chunk of createReadStream(file.path, { highWaterMark: READ_SIZE })) {
      this.#digester.update(chunk as Uint8Array)
    }
    return this.#digester.digest()
  }
}
