import { closeSync, constants, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { TRANSIENT_REACH } from './bytes.js'
import { fileError, isSystemError, withFileErrors, withFileErrorsSync } from './file-error.js'
import { syncFile } from './sync-file.js'
import { forgetTempPath, rememberTempPath, tempPathBeside, whileMaking } from './temp-path.js'

/** Bytes that wait to be written before {@link TempFile.write} holds the writer back: no more than what is transient. */
const HIGH_WATER = TRANSIENT_REACH
/** A new file for reading and writing, and never through a link. */
const NEW_FILE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

export interface TempFileOptions {
  /** Permission bits, before the process's umask; default 0o666. */
  readonly mode?: number
}

export interface PublishOptions {
  /** Also make the name durable; default true. */
  readonly syncFolder?: boolean
}

/**
 * A file that is written beside its target and gets its name only when it is complete, so that nobody ever sees half
 * of it: temporary name in the same folder, never through a link, fsync, rename, fsync of the folder. Exactly one of
 * {@link publish} and {@link discard} ends it.
 */
export class TempFile {
  readonly target: string
  /** Where the bytes are until they are published. */
  readonly path: string
  /** For reads and writes at a place of the caller's choice; not to be mixed with {@link write}. */
  readonly handle: FileHandle
  #position = 0
  #queue: Uint8Array[] = []
  #queued = 0
  #writing: Promise<void> | undefined
  /** The part of it that is under way; never rejects. */
  #step: Promise<void> | undefined
  #failure: Error | undefined
  #ended = false

  private constructor(target: string, path: string, handle: FileHandle) {
    this.target = target
    this.path = path
    this.handle = handle
  }

  /**
   * Opens a temporary file beside `target`, whose folder has to be there.
   * @throws GantryError `file-error`
   */
  static async create(target: string, { mode = 0o666 }: TempFileOptions = {}): Promise<TempFile> {
    const path = tempPathBeside(target)
    rememberTempPath(path)
    try {
      return new TempFile(target, path, await whileMaking(() => open(path, NEW_FILE, mode)))
    } catch (cause) {
      forgetTempPath(path)
      throw fileError(cause, 'create', target)
    }
  }

  /** Bytes handed to {@link write} so far. */
  get position(): number {
    return this.#position + this.#queued
  }

  /**
   * Appends a chunk. Comes back as soon as the chunk is queued, so that the caller can hash the next one meanwhile, and
   * waits while too much is queued. The chunk must not be changed as long as it is among the last {@link TRANSIENT_REACH}
   * bytes that were handed over.
   * @throws GantryError `file-error`, also for chunks that were handed over earlier
   */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    if (chunk.byteLength === 0) return
    this.#queue.push(chunk)
    this.#queued += chunk.byteLength
    this.#writing ??= this.#drain()
    while (this.#queued > HIGH_WATER) await this.#step
    this.#throwFailure()
  }

  /** Waits until everything that was handed over is written. @throws GantryError `file-error` */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
    this.#throwFailure()
  }

  /** Drops what was written after `position`, and goes on from there. @throws GantryError `file-error` */
  async truncate(position: number): Promise<void> {
    await this.flush()
    await withFileErrors('write', this.target, () => this.handle.truncate(position))
    this.#position = position
  }

  /**
   * Makes the content durable and gives it its name; what had the name before is replaced, a link itself and never
   * its target. After a failure the temporary file is gone and the target is as it was.
   * @throws GantryError `file-error`
   */
  async publish({ syncFolder: sync = true }: PublishOptions = {}): Promise<void> {
    try {
      await this.flush()
      await withFileErrors('write', this.target, async () => {
        await this.handle.sync()
        await this.handle.close()
      })
      await withFileErrors('rename', this.target, () => rename(this.path, this.target))
      forgetTempPath(this.path)
      this.#ended = true
    } catch (cause) {
      await this.discard()
      throw cause
    }
    if (sync) await syncFolder(dirname(this.target))
  }

  /** Removes the temporary file; nothing to do after {@link publish}. */
  async discard(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    while (this.#writing !== undefined) await this.#writing
    // A failed close or removal leaves a temporary file, which the next sweep finds; the first error is the one to report.
    await this.handle.close().catch(() => undefined)
    await rm(this.path, { force: true }).catch(() => undefined)
    forgetTempPath(this.path)
  }

  /** Writes what is queued, in as few steps as there are waits; never rejects. */
  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const chunks = this.#queue
      this.#queue = []
      this.#step = this.#writeStep(chunks)
      await this.#step
    }
    this.#writing = undefined
  }

  async #writeStep(chunks: readonly Uint8Array[]): Promise<void> {
    try {
      await this.#writeAll(chunks)
    } catch (cause) {
      this.#failure = fileError(cause, 'write', this.target)
      this.#queue = []
      this.#queued = 0
    }
  }

  async #writeAll(chunks: readonly Uint8Array[]): Promise<void> {
    let rest = chunks
    while (rest.length > 0) {
      const { bytesWritten } = await this.handle.writev(rest.slice(0, 1024), this.#position)
      this.#position += bytesWritten
      this.#queued -= bytesWritten
      rest = afterBytes(rest, bytesWritten)
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure
  }
}

/**
 * Replaces the content of a small file in one step, as {@link TempFile} does. What a system does in no time is done at
 * once, as a trip to another thread takes longer; only to make the content durable takes as long as the disk does.
 * @throws GantryError `file-error`; the file is as it was then
 */
export async function writeFileAtomically(
  target: string,
  bytes: Uint8Array,
  { mode = 0o666, syncFolder: sync = true }: TempFileOptions & PublishOptions = {},
): Promise<void> {
  const path = tempPathBeside(target)
  rememberTempPath(path)
  try {
    const file = withFileErrorsSync('create', target, () => openSync(path, NEW_FILE, mode))
    await withFileErrors('write', target, async () => {
      try {
        for (let offset = 0; offset < bytes.byteLength;) offset += writeSync(file, bytes, offset)
        await syncFile(file, dirname(target))
      } finally {
        closeSync(file)
      }
    })
    withFileErrorsSync('rename', target, () => renameSync(path, target))
  } catch (cause) {
    removeQuietly(path)
    throw cause
  } finally {
    forgetTempPath(path)
  }
  if (sync) await syncFolder(dirname(target))
}

/** For a temporary file after a failure, which is the one to report; what is left the next sweep finds. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // See above.
  }
}

/** Makes the names in a folder durable, where the system can do that. @throws GantryError `file-error` */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders.
  if (process.platform === 'win32') return
  await withFileErrors('write', folder, async () => {
    const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      await handle.sync()
    } catch (cause) {
      // Some network and FUSE file systems have no such thing.
      if (!isSystemError(cause, 'EINVAL', 'ENOTSUP', 'ENOSYS')) throw cause
    } finally {
      await handle.close()
    }
  })
}

function afterBytes(chunks: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let skipped = 0
  for (const [index, chunk] of chunks.entries()) {
    if (skipped + chunk.byteLength > count) return [chunk.subarray(count - skipped), ...chunks.slice(index + 1)]
    skipped += chunk.byteLength
  }
  return []
}
