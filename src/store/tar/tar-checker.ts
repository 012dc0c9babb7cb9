import { GantryError } from '../../errors.js'
import { ExtendedHeaders, type MetadataType } from './extended-headers.js'
import { hasValidChecksum, isZero, readNumber, readText, type TarField } from './tar-fields.js'
import { TAR_BLOCK_SIZE, tarPaddingOf, type TarEntry, type TarEntryType } from './tar-entry.js'

/** Entries that an archive may have where nothing else is asked for. */
export const DEFAULT_MAX_ENTRIES = 1_000_000
/** Largest extended header, in bytes. */
export const MAX_EXTENDED_HEADER_SIZE = 1024 * 1024
/** Zeros after the end marker that are read, in bytes; writers pad to whole records of some KiB. */
const MAX_TRAILING_ZEROS = 16 * 1024 * 1024

const FIELD = {
  name: { name: 'name', start: 0, end: 100 },
  mode: { name: 'mode', start: 100, end: 108 },
  uid: { name: 'owner', start: 108, end: 116 },
  gid: { name: 'group', start: 116, end: 124 },
  size: { name: 'size', start: 124, end: 136 },
  modified: { name: 'time', start: 136, end: 148 },
  linkName: { name: 'link name', start: 157, end: 257 },
  prefix: { name: 'name prefix', start: 345, end: 500 },
} as const satisfies Readonly<Record<string, TarField>>
/** Fields that have to be numbers in any header, whether anything is made of them or not: some readers stumble over them. */
const PLAIN_NUMBERS: readonly TarField[] = [
  FIELD.mode,
  FIELD.uid,
  FIELD.gid,
  { name: 'device', start: 329, end: 337 },
  { name: 'device', start: 337, end: 345 },
]
const TYPE_OFFSET = 156
const MAGIC_START = 257
const MAGIC_END = 265

const ENTRY_TYPES: Readonly<Record<string, TarEntryType>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hard link',
  '2': 'symbolic link',
  '3': 'character device',
  '4': 'block device',
  '5': 'directory',
  '6': 'fifo',
}
const METADATA_TYPES: Readonly<Record<string, MetadataType>> = {
  x: 'extended',
  g: 'global',
  L: 'long name',
  K: 'long link name',
}

export interface TarCheckOptions {
  /** Entries that an archive may have, extended headers for the whole archive among them; default 1 000 000. */
  readonly maxEntries?: number
}

/**
 * A strict reader of an archive's structure. Readers of tar forgive much, and each something else, so that one archive
 * can be two: this one knows a single meaning for each archive that it lets pass, and refuses the others. Feed it every
 * chunk, then call {@link finish}.
 */
export class TarChecker {
  readonly #what: string
  readonly #maxEntries: number
  readonly #extended = new ExtendedHeaders()
  #position = 0
  #count = 0
  /** Content and padding that come before the next header, in bytes. */
  #skip = 0
  /** What is there of a header or of an extended header that is not complete yet. */
  #partial: Uint8Array[] = []
  #partialSize = 0
  #metadata: { readonly type: MetadataType; readonly size: number } | undefined
  #zeroBlocks = 0

  /** @param what names the archive in errors */
  constructor(what: string, { maxEntries = DEFAULT_MAX_ENTRIES }: TarCheckOptions = {}) {
    this.#what = what
    this.#maxEntries = maxEntries
  }

  /** Whether the end marker, two blocks of zeros, has been seen. */
  get hasEnded(): boolean {
    return this.#zeroBlocks >= 2
  }

  /** Content and padding that come next, in bytes; they may be left out with {@link skip} instead of being read. */
  get skippable(): number {
    return this.#skip
  }

  /** Goes on behind bytes of content that were not read, at most {@link skippable} of them. */
  skip(count: number): void {
    this.#skip -= count
    this.#position += count
  }

  /**
   * Reads on.
   * @returns the entries whose headers ended in this chunk, in their order
   * @throws GantryError `invalid-content`; `limit-exceeded` above the limits on entries, extended headers and padding
   */
  push(chunk: Uint8Array): TarEntry[] {
    const entries: TarEntry[] = []
    let offset = 0
    while (offset < chunk.byteLength) {
      const rest = chunk.subarray(offset)
      const taken = this.hasEnded ? this.#takePadding(rest) : this.#take(rest, entries)
      offset += taken
      this.#position += taken
    }
    return entries
  }

  /** @throws GantryError `invalid-content` when the archive has no end */
  finish(): void {
    if (!this.hasEnded) throw this.#invalid(`${this.#what} is not a complete tar archive`)
  }

  #take(bytes: Uint8Array, entries: TarEntry[]): number {
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, bytes.byteLength)
      this.#skip -= skipped
      return skipped
    }
    const wanted = (this.#metadata?.size ?? TAR_BLOCK_SIZE) - this.#partialSize
    const part = bytes.subarray(0, wanted)
    this.#partial.push(part.byteLength === wanted ? part : part.slice())
    this.#partialSize += part.byteLength
    if (part.byteLength === wanted) {
      const [first] = this.#partial
      const whole = this.#partial.length === 1 && first !== undefined ? first : Buffer.concat(this.#partial)
      this.#partial = []
      this.#partialSize = 0
      if (this.#metadata === undefined) this.#takeHeader(whole, this.#position + wanted, entries)
      else this.#takeMetadata(this.#metadata.type, whole)
    }
    return part.byteLength
  }

  #takeHeader(block: Uint8Array, offset: number, entries: TarEntry[]): void {
    if (isZero(block)) {
      this.#zeroBlocks++
      if (this.hasEnded && !this.#extended.isEmpty) throw this.#invalid(`${this.#where()} has no header of its own`)
      return
    }
    if (this.#zeroBlocks > 0) throw this.#dataAfterEnd()
    const where = this.#where()
    if (!hasValidChecksum(block, where)) throw this.#invalid(`${where} has a wrong checksum`)
    if (!isKnownFormat(block)) throw this.#invalid(`${where} is in an unknown format`)
    for (const field of PLAIN_NUMBERS) readNumber(block, field, where)
    readTime(block, where)
    const flag = String.fromCharCode(block[TYPE_OFFSET] ?? 0)
    const metadata = METADATA_TYPES[flag]
    const size = readNumber(block, FIELD.size, where)
    if (metadata !== undefined) {
      this.#startMetadata(metadata, size)
      return
    }
    const type = ENTRY_TYPES[flag]
    if (type === undefined) throw new GantryError('unsupported', `${where} has the unknown type "${flag}"`)
    const entry = this.#readEntry(block, { type, size, offset })
    this.#countHeader()
    this.#skip = entry.size + tarPaddingOf(entry.size)
    entries.push(entry)
  }

  #readEntry(block: Uint8Array, known: Pick<TarEntry, 'type' | 'size' | 'offset'>): TarEntry {
    const where = this.#where()
    const prefix = readText(block, FIELD.prefix, where)
    const name = readText(block, FIELD.name, where)
    const entry = this.#extended.applyTo(
      {
        ...known,
        name: prefix === '' ? name : `${prefix}/${name}`,
        linkName: readText(block, FIELD.linkName, where),
        mode: readNumber(block, FIELD.mode, where) & 0o7777,
        modified: readTime(block, where),
      },
      where,
    )
    if (entry.name === '') throw this.#invalid(`${where} has no name`)
    if (entry.type !== 'file' && entry.size > 0) throw this.#invalid(`${where} is a ${entry.type} with content`)
    // Old writers mark folders so; some readers see a folder there, and some a file.
    if (entry.type === 'file' && entry.name.endsWith('/'))
      throw this.#invalid(`${where} is a file with the name of a folder`)
    return entry
  }

  #startMetadata(type: MetadataType, size: number): void {
    const where = this.#where()
    if (size > MAX_EXTENDED_HEADER_SIZE) {
      throw new GantryError(
        'limit-exceeded',
        `${where} has an extended header above the limit of ${MAX_EXTENDED_HEADER_SIZE} bytes`,
      )
    }
    if (size === 0) throw this.#invalid(`${where} has an empty extended header`)
    if (type === 'global') this.#countHeader()
    this.#metadata = { type, size }
  }

  #takeMetadata(type: MetadataType, bytes: Uint8Array): void {
    this.#extended.add(type, bytes, this.#where())
    this.#metadata = undefined
    this.#skip = tarPaddingOf(bytes.byteLength)
  }

  #takePadding(bytes: Uint8Array): number {
    if (!isZero(bytes)) throw this.#dataAfterEnd()
    this.#zeroBlocks += bytes.byteLength / TAR_BLOCK_SIZE
    if (this.#zeroBlocks * TAR_BLOCK_SIZE > MAX_TRAILING_ZEROS) {
      throw new GantryError(
        'limit-exceeded',
        `${this.#what} goes on with zeros for more than ${MAX_TRAILING_ZEROS} bytes`,
      )
    }
    return bytes.byteLength
  }

  #countHeader(): void {
    this.#count++
    if (this.#count > this.#maxEntries) {
      throw new GantryError('limit-exceeded', `${this.#what} has more than ${this.#maxEntries} entries`)
    }
  }

  #where(): string {
    return `entry ${this.#count + 1} of ${this.#what}`
  }

  #invalid(message: string): GantryError {
    return new GantryError('invalid-content', message)
  }

  #dataAfterEnd(): GantryError {
    return this.#invalid(`${this.#what} has data after end of archive`)
  }
}

/**
 * POSIX's format, and GNU's, which keeps other things where the former has the prefix of a name. Some readers do not tell
 * them apart, so nothing may be there.
 */
function isKnownFormat(block: Uint8Array): boolean {
  const magic = Buffer.from(block.subarray(MAGIC_START, MAGIC_END)).toString('latin1')
  if (magic === 'ustar  \0') return isZero(block.subarray(FIELD.prefix.start))
  return magic.startsWith('ustar\0')
}

/** Times before 1970 are nobody's concern here. */
function readTime(block: Uint8Array, where: string): number {
  return block[FIELD.modified.start] === 0xff ? 0 : readNumber(block, FIELD.modified, where)
}
