import { closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs'
import { promisify } from 'node:util'
import { throwIfAborted } from '../../util/abort.js'
import { fileError, isSystemError } from '../../util/file-error.js'
import { changedWhileReading, isUnchanged } from '../file-stamp.js'
import { encodeTarHeader, type TarEntryHeader } from './encode-tar-header.js'
import { walkFolder, type FolderEntry } from './folder-walk.js'
import { TAR_BLOCK_SIZE, tarPaddingOf } from './tar-entry.js'
import { UnpackRehearsal, type RefusedEntries } from './unpack-rehearsal.js'

const CHUNK_SIZE = 1024 * 1024
/** Up to this size the turn of the event loop that a promise takes costs more than reading does. In bytes. */
const SMALL_READ = 64 * 1024
const END_MARKER_SIZE = 2 * TAR_BLOCK_SIZE
const OWNER_MAY_EXECUTE = 0o100

const readAsync = promisify(read)

export interface TarFolderOptions {
  /** Told of names that are only unpacked where that is asked for, as they mean something else on other systems. */
  readonly onUnportableNames?: (entries: RefusedEntries) => void
  readonly signal?: AbortSignal
}

/**
 * Packs a folder into a tar, reproducibly: sorted, without owners and times, with modes reduced to 0755 for folders and
 * for files that their owner may execute, and 0644 for others. Links are stored as links, hard links as files of their
 * own. Folders have no slash at the end of their names.
 * @param folder path on disk; not a link
 * @param name prefix of all names in the archive, and the name of the folder itself
 * @throws GantryError `file-error`; `unsupported` for sockets, pipes and devices, and for names and links that would
 *   not be unpacked again; `limit-exceeded` for too many entries; `conflict` when something changes while it is read;
 *   `aborted`
 */
export async function* tarFolder(
  folder: string,
  name: string,
  { onUnportableNames, signal }: TarFolderOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const rehearsal = new UnpackRehearsal(name, folder)
  let chunk = new TarChunk()
  for (const entry of walkFolder(folder)) {
    throwIfAborted(signal)
    const fields = headerOf(entry, name)
    rehearsal.add(fields)
    // Nothing comes of it any more, but whoever mends the folder wants to know of everything.
    if (rehearsal.hasFailed) continue
    const header = encodeTarHeader(fields)
    if (header.byteLength > chunk.room.byteLength) {
      yield chunk.content
      chunk = new TarChunk()
    }
    chunk.append(header)
    if (!entry.stats.isFile()) continue
    const file = new StableFile(entry)
    try {
      for (let left = entry.stats.size + tarPaddingOf(entry.stats.size); left > 0;) {
        if (chunk.room.byteLength === 0) {
          throwIfAborted(signal)
          yield chunk.content
          chunk = new TarChunk()
        }
        const filled = await file.readInto(chunk.room.subarray(0, left))
        chunk.advance(filled)
        left -= filled
      }
      file.checkUnchanged()
    } finally {
      file.close()
    }
  }
  rehearsal.finish()
  if (rehearsal.unportable.count > 0) onUnportableNames?.(rehearsal.unportable)
  yield chunk.content
  yield Buffer.alloc(END_MARKER_SIZE)
}

function headerOf({ relativePath, stats, linkTarget }: FolderEntry, prefix: string): TarEntryHeader {
  const name = relativePath === '' ? prefix : `${prefix}/${relativePath}`
  if (linkTarget !== undefined) return { type: 'symbolic link', name, linkName: linkTarget, mode: 0o777, size: 0 }
  if (stats.isDirectory()) return { type: 'directory', name, mode: 0o755, size: 0 }
  return { type: 'file', name, mode: (stats.mode & OWNER_MAY_EXECUTE) === 0 ? 0o644 : 0o755, size: stats.size }
}

/** A piece of the archive that is being filled. */
class TarChunk {
  readonly #buffer = Buffer.allocUnsafeSlow(CHUNK_SIZE)
  #size = 0

  get content(): Uint8Array {
    return this.#buffer.subarray(0, this.#size)
  }

  get room(): Uint8Array {
    return this.#buffer.subarray(this.#size)
  }

  append(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#size)
    this.#size += bytes.byteLength
  }

  /** Counts bytes that were put into the room. */
  advance(size: number): void {
    this.#size += size
  }
}

/** A file that has to stay as the walk has found it. */
class StableFile {
  readonly #entry: FolderEntry
  readonly #descriptor: number
  #position = 0

  constructor(entry: FolderEntry) {
    this.#entry = entry
    this.#descriptor = openFile(entry.path)
    try {
      this.checkUnchanged()
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Fills as much as it can: with content, then with the zeros that follow it. @returns how many bytes */
  async readInto(room: Uint8Array): Promise<number> {
    const left = this.#entry.stats.size - this.#position
    if (left === 0) {
      room.fill(0)
      return room.byteLength
    }
    const count = await this.#read(room, Math.min(left, room.byteLength))
    if (count === 0) throw changedWhileReading(this.#entry.path)
    this.#position += count
    return count
  }

  checkUnchanged(): void {
    if (!isUnchanged(this.#entry.stats, fstatSync(this.#descriptor))) throw changedWhileReading(this.#entry.path)
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  async #read(room: Uint8Array, length: number): Promise<number> {
    try {
      if (length <= SMALL_READ) return readSync(this.#descriptor, room, 0, length, this.#position)
      return (await readAsync(this.#descriptor, room, 0, length, this.#position)).bytesRead
    } catch (cause) {
      throw fileError(cause, 'read', this.#entry.path)
    }
  }
}

function openFile(path: string): number {
  try {
    // No link, no waiting for the other end of a pipe: either may have taken the file's place.
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT', 'ELOOP')) throw changedWhileReading(path, cause)
    throw fileError(cause, 'read', path)
  }
}
