import { lstatSync } from 'node:fs'
import { mkdir, rm, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { GantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import { algorithmOf, type Digest } from '../oci/digest.js'
import { blobFolderOf, blobPathOf, BLOBS_FOLDER } from '../oci/image-layout.js'
import { throwIfAborted, untilAborted } from '../util/abort.js'
import type { Bytes, OpenContent } from '../util/bytes.js'
import { fileError, isSystemError, withFileErrors, withFileErrorsSync } from '../util/file-error.js'
import { openSizedFile, readAtOnce, readPieces, requireSize } from '../util/read-file.js'
import { syncFolder, TempFile, writeFileAtomically } from '../util/temp-file.js'
import { sweepTempFiles } from '../util/temp-path.js'
import type { BlobRange } from './layout-content.js'
import { receiveIntoFile, receiveWhole } from './receive-content.js'
import type { PushOptions } from './store.js'
import { Verifier } from './verify.js'

/** Content is small enough to be hashed whenever somebody asks whether it is there, up to this many bytes. */
const CHEAP_TO_VERIFY = 4 * 1024 * 1024

/** Content that is read and written in one go, up to this many bytes. */
const AT_ONCE = 64 * 1024

/** A blob is never changed once it has its name. */
const BLOB_MODE = 0o444

export interface IntactOptions {
  /** Check the digest whatever that costs; default false. */
  readonly whole?: boolean
  readonly signal?: AbortSignal
}

/**
 * The blobs of an image layout in a folder (image-spec, image-layout.md, "Blobs"). A blob gets its name when it is
 * complete and its digest is right; what else is found under that name is never followed, and replaced by a push.
 */
export class LayoutBlobs {
  readonly #root: string
  readonly #writing = new Map<Digest, Promise<void>>()
  /** Folders that are there and have been swept. */
  readonly #prepared = new Map<string, Promise<void>>()
  /** Folders in which names are not durable yet. */
  readonly #unsynced = new Set<string>()
  /** Folders that have been seen to be folders, and no links to one. */
  readonly #checked = new Set<string>()

  /** @param root the folder of the layout */
  constructor(root: string) {
    this.#root = root
  }

  /** The size of a blob; undefined when it is not there. @throws GantryError `file-error` for anything but a file */
  async sizeOf(digest: Digest): Promise<number | undefined> {
    const size = this.#look(digest)
    if (size === 'irregular') throw irregular(digest)
    return size
  }

  /** Whether there is anything in the place of a blob, a file or not. */
  async isThere(digest: Digest): Promise<boolean> {
    return this.#look(digest) !== undefined
  }

  /**
   * Whether a blob is there as its descriptor says. The digest is checked where that is cheap, up to 4 MiB.
   */
  async isIntact(descriptor: Descriptor, { whole = false, signal }: IntactOptions = {}): Promise<boolean> {
    const { digest, size } = descriptor
    if (this.#look(digest) !== size) return false
    if (!whole && size > CHEAP_TO_VERIFY) return true
    const verifier = new Verifier(descriptor)
    try {
      for await (const chunk of this.open(digest, { size, offset: 0, signal })) verifier.update(chunk)
      verifier.finish()
      return true
    } catch (error) {
      if (error instanceof GantryError && ['digest-mismatch', 'size-mismatch', 'not-found'].includes(error.code))
        return false
      throw error
    }
  }

  async *open(digest: Digest, { size, offset, signal, transient }: BlobRange): Bytes {
    const path = this.#pathOf(digest)
    if (size <= AT_ONCE) {
      throwIfAborted(signal)
      const bytes = this.#readAtOnce(digest, size)
      if (offset < size) yield bytes.subarray(offset)
      return
    }
    const { handle, size: actual } = await this.#openFile(digest)
    try {
      requireSize(path, actual, size)
      yield* readPieces(handle, { start: offset, end: size, path, signal, transient })
    } finally {
      await handle.close()
    }
  }

  /**
   * Stores content, unless it is there already: the digest of what is there is checked, whatever its size, and a
   * damaged blob is replaced. The same content that is pushed twice at once is written once.
   * @throws GantryError `size-mismatch`, `digest-mismatch`, `file-error`, `aborted`, and what the source throws
   */
  async write(descriptor: Descriptor, open: OpenContent, options: PushOptions = {}): Promise<void> {
    const { digest, size } = descriptor
    let isWritten = false
    while (!isWritten) {
      const other = this.#writing.get(digest)
      if (other === undefined) break
      // Its failure is reported to whoever began it; this push then tries for itself.
      isWritten = await untilAborted(
        other.then(
          () => true,
          () => false,
        ),
        options.signal,
      )
    }
    if (!isWritten) await this.#writeAlone(descriptor, open, options)
    options.onProgress?.(size)
  }

  /** Removes a blob, or what is there in its place. Whether there was anything. */
  async remove(digest: Digest): Promise<boolean> {
    const path = this.#pathOf(digest)
    if (!(await this.isThere(digest))) return false
    await withFileErrors('remove', path, () => rm(path, { force: true }))
    this.#unsynced.add(dirname(path))
    return true
  }

  /** Makes the names of what was written durable. @throws GantryError `file-error` */
  async sync(): Promise<void> {
    for (const folder of [...this.#unsynced]) {
      this.#unsynced.delete(folder)
      await syncFolder(folder)
    }
  }

  async #writeAlone(descriptor: Descriptor, open: OpenContent, options: PushOptions): Promise<void> {
    const writing = this.#write(descriptor, open, options)
    this.#writing.set(descriptor.digest, writing)
    try {
      await writing
    } finally {
      this.#writing.delete(descriptor.digest)
    }
  }

  async #write(descriptor: Descriptor, open: OpenContent, options: PushOptions): Promise<void> {
    const { digest, size } = descriptor
    const path = this.#pathOf(digest)
    const before = await this.#prepareFor(digest)
    if (before === size && (await this.isIntact(descriptor, { whole: true, signal: options.signal }))) return
    // Another process may be faster, and has checked its copy just the same. What had this size before was damaged.
    const isOvertaken = (): boolean => before !== size && this.#look(digest) === size
    if (size <= AT_ONCE) {
      const bytes = await receiveWhole(descriptor, open, options)
      if (isOvertaken()) return
      await writeFileAtomically(path, bytes, { mode: BLOB_MODE, syncFolder: false })
    } else {
      const file = await TempFile.create(path, { mode: BLOB_MODE })
      try {
        await receiveIntoFile(descriptor, open, file, options)
        if (isOvertaken()) return
        await file.publish({ syncFolder: false })
      } finally {
        await file.discard()
      }
    }
    this.#unsynced.add(dirname(path))
  }

  async #prepareFor(digest: Digest): Promise<number | 'irregular' | undefined> {
    const folder = join(this.#root, blobFolderOf(algorithmOf(digest)))
    const preparing = this.#prepared.get(folder) ?? this.#prepare(folder)
    this.#prepared.set(folder, preparing)
    try {
      await preparing
    } catch (cause) {
      this.#prepared.delete(folder)
      throw cause
    }
    return this.#look(digest)
  }

  async #prepare(folder: string): Promise<void> {
    for (const path of [join(this.#root, BLOBS_FOLDER), folder]) {
      try {
        await mkdir(path)
        this.#unsynced.add(dirname(path))
      } catch (cause) {
        if (!isSystemError(cause, 'EEXIST')) throw fileError(cause, 'create', path)
      }
      withFileErrorsSync('create', path, () => this.#checkFolder(path))
    }
    await sweepTempFiles(folder)
  }

  async #openFile(digest: Digest): Promise<{ readonly handle: FileHandle; readonly size: number }> {
    const path = this.#pathOf(digest)
    try {
      withFileErrorsSync('read', path, () => this.#checkFoldersOf(path))
      return await openSizedFile(path)
    } catch (cause) {
      throw this.#whyUnreadable(digest, cause)
    }
  }

  #readAtOnce(digest: Digest, size: number): Uint8Array {
    const path = this.#pathOf(digest)
    try {
      withFileErrorsSync('read', path, () => this.#checkFoldersOf(path))
      return readAtOnce(path, size)
    } catch (cause) {
      throw this.#whyUnreadable(digest, cause)
    }
  }

  #whyUnreadable(digest: Digest, cause: unknown): unknown {
    if (isSystemError(cause, 'ENOENT')) return new GantryError('not-found', `${digest}: not found`, { cause })
    return this.#look(digest) === 'irregular' ? irregular(digest) : cause
  }

  /** What is there in the place of a blob: its size, something that is no file, or nothing. */
  #look(digest: Digest): number | 'irregular' | undefined {
    const path = this.#pathOf(digest)
    try {
      this.#checkFoldersOf(path)
      // At once, as a trip to another thread takes longer than the answer.
      const stats = lstatSync(path, { throwIfNoEntry: false })
      if (stats === undefined) return undefined
      return stats.isFile() ? stats.size : 'irregular'
    } catch (cause) {
      if (isSystemError(cause, 'ENOENT')) return undefined
      throw fileError(cause, 'read', path)
    }
  }

  #checkFoldersOf(path: string): void {
    this.#checkFolder(join(this.#root, BLOBS_FOLDER))
    this.#checkFolder(dirname(path))
  }

  /** A folder that is a link would lead every blob out of the layout. */
  #checkFolder(folder: string): void {
    if (this.#checked.has(folder)) return
    if (!lstatSync(folder).isDirectory()) throw new GantryError('file-error', `${folder} is not a folder`)
    this.#checked.add(folder)
  }

  #pathOf(digest: Digest): string {
    return join(this.#root, blobPathOf(digest))
  }
}

function irregular(digest: Digest): GantryError {
  return new GantryError('file-error', `blob ${digest} is not a regular file`)
}
