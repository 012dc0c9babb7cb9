import { realpath, type FileHandle } from 'node:fs/promises'
import { GantryError } from '../errors.js'
import { visibleLine } from '../util/visible-text.js'
import type { Bytes } from '../util/bytes.js'
import { withFileErrors } from '../util/file-error.js'
import { openRegularFile, readPieces } from '../util/read-file.js'
import { changedWhileReading, isUnchanged, type FileStamp } from './file-stamp.js'
import { TarChecker } from './tar/tar-checker.js'
import type { TarEntry } from './tar/tar-entry.js'

/** Where the content of an entry is, in bytes. */
export interface TarPlace {
  readonly offset: number
  readonly size: number
}

/** Enough for many headers of small entries in one go, and little to read in vain before a large one. */
const CHUNK_SIZE = 64 * 1024

const COMPRESSED: readonly (readonly [name: string, magic: readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
]

/** An uncompressed tar on disk whose entries can be read in any order, as often as needed. */
export class TarFile {
  readonly path: string
  readonly #stamp: FileStamp
  readonly #places: ReadonlyMap<string, TarPlace>

  private constructor(path: string, stamp: FileStamp, places: ReadonlyMap<string, TarPlace>) {
    this.path = path
    this.#stamp = stamp
    this.#places = places
  }

  /**
   * Finds every file in an archive, by its headers alone.
   * @throws GantryError `unsupported` when it is compressed or has anything but files and folders; `invalid-content`
   *   when it is not one archive with one meaning; `limit-exceeded` above a million entries; `file-error`
   */
  static async open(path: string): Promise<TarFile> {
    const target = await withFileErrors('read', path, () => realpath(path))
    const handle = await openRegularFile(target)
    try {
      const stamp = await handle.stat()
      return new TarFile(target, stamp, await readPlaces(handle, path, stamp.size))
    } finally {
      await handle.close()
    }
  }

  /** Where a file is in the archive, by its name without `./` at the beginning; undefined when there is none. */
  placeOf(name: string): TarPlace | undefined {
    return this.#places.get(name)
  }

  /**
   * The bytes of a file from an offset on. The archive is opened when the first piece is asked for.
   * @throws GantryError `conflict` when the archive is not the one that was opened; `file-error`, `aborted`
   */
  async *read({ offset, size }: TarPlace, from: number, signal?: AbortSignal): Bytes {
    const handle = await openRegularFile(this.path)
    try {
      if (!isUnchanged(this.#stamp, await handle.stat())) throw changedWhileReading(this.path)
      yield* readPieces(handle, { start: offset + from, end: offset + size, path: this.path, signal })
    } finally {
      await handle.close()
    }
  }
}

async function readPlaces(handle: FileHandle, path: string, size: number): Promise<ReadonlyMap<string, TarPlace>> {
  const checker = new TarChecker(path)
  const places = new Map<string, TarPlace>()
  const buffer = Buffer.alloc(CHUNK_SIZE)
  for (let position = 0; position < size;) {
    const { bytesRead } = await withFileErrors('read', path, () => handle.read(buffer, 0, CHUNK_SIZE, position))
    if (bytesRead === 0) break
    if (position === 0) checkUncompressed(buffer, path)
    // The checker keeps parts of what it is given.
    for (const entry of checker.push(Buffer.from(buffer.subarray(0, bytesRead)))) addPlace(places, entry, path)
    position += bytesRead + checker.skippable
    checker.skip(checker.skippable)
  }
  checker.finish()
  return places
}

function addPlace(places: Map<string, TarPlace>, { type, name, offset, size }: TarEntry, path: string): void {
  const shown = visibleLine(name)
  if (type !== 'file' && type !== 'directory') {
    throw new GantryError('unsupported', `${path} has the entry "${shown}", which is a ${type}`)
  }
  const plain = name.replace(/^(\.\/)+/, '')
  if (/(^|\/)\.\.?(\/|$)|\/\/|^\/|\\|\0/.test(plain)) {
    throw new GantryError('invalid-content', `${path} has the entry "${shown}", which is no plain path`)
  }
  if (type === 'directory') return
  if (places.has(plain)) throw new GantryError('invalid-content', `${path} has the entry "${shown}" twice`)
  places.set(plain, { offset, size })
}

function checkUncompressed(start: Uint8Array, path: string): void {
  const [name] = COMPRESSED.find(([, magic]) => magic.every((byte, index) => start[index] === byte)) ?? []
  if (name === undefined) return
  throw new GantryError('unsupported', `${path} is compressed with ${name}`, {
    hint: 'an image layout in an archive is read at any place of it: decompress it first',
  })
}
