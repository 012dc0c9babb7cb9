import { GantryError } from '../errors.js'
import { hasValidChecksum, isZero } from '../store/tar/tar-fields.js'
import { TAR_BLOCK_SIZE, tarPaddingOf } from '../store/tar/tar-entry.js'

/**
 * An entry of a layer, with everything that a container may need of it. Texts hold one character for each byte, as
 * names need not be UTF-8, and extended attributes are binary.
 */
export interface LayerEntry {
  /** The type flag (POSIX, ustar): `0` file, `1` hard link, `2` symbolic link, `5` folder, and so on. */
  readonly type: string
  readonly name: string
  readonly linkName: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Content in bytes, as the header says; links and folders have none. */
  readonly size: number
  /** Seconds since 1970, with decimal places where the entry has them. */
  readonly modified: string
  readonly userName: string
  readonly groupName: string
  readonly deviceMajor: number
  readonly deviceMinor: number
  /** All that the extended header says, also what the fields above hold. */
  readonly records: ReadonlyMap<string, string>
}

/** What comes next in an archive: an entry, or some of the content of the last one. */
export type LayerPart = LayerEntry | Uint8Array

/** Largest extended header, in bytes. */
const MAX_EXTENDED_SIZE = 1024 * 1024

/** Types of entries that have no content, whatever size the header gives. */
const WITHOUT_CONTENT: ReadonlySet<string> = new Set(['1', '2', '3', '4', '5', '6'])
const NO_RECORDS: ReadonlyMap<string, string> = new Map()

/** The bytes of content behind the header of an entry. */
export function contentSizeOf({ type, size }: Pick<LayerEntry, 'type' | 'size'>): number {
  return WITHOUT_CONTENT.has(type) ? 0 : size
}

/**
 * Takes a layer apart, as the tools do that start containers: forgiving, and without loss. Feed it every chunk, then
 * call {@link finish}.
 */
export class LayerTarReader {
  readonly #what: string
  #partial: Uint8Array[] = []
  #partialSize = 0
  /** Size and type of the extended header that is being read. */
  #extended: { readonly type: string; readonly size: number } | undefined
  #content = 0
  #padding = 0
  #zeroBlocks = 0
  #count = 0
  #longName: string | undefined
  #longLinkName: string | undefined
  #records: ReadonlyMap<string, string> = NO_RECORDS

  /** @param what names the layer in errors */
  constructor(what: string) {
    this.#what = what
  }

  /**
   * Reads on.
   * @throws GantryError `invalid-content`, `unsupported` for sparse files, `limit-exceeded` for extended headers
   */
  push(chunk: Uint8Array): LayerPart[] {
    const parts: LayerPart[] = []
    let offset = 0
    while (offset < chunk.byteLength && this.#zeroBlocks < 2) {
      if (this.#content > 0) {
        const part = chunk.subarray(offset, offset + this.#content)
        this.#content -= part.byteLength
        offset += part.byteLength
        parts.push(part)
      } else if (this.#padding > 0) {
        const skipped = Math.min(this.#padding, chunk.byteLength - offset)
        this.#padding -= skipped
        offset += skipped
      } else {
        const wanted = (this.#extended?.size ?? TAR_BLOCK_SIZE) - this.#partialSize
        const part = chunk.subarray(offset, offset + wanted)
        offset += part.byteLength
        this.#collect(part, part.byteLength === wanted, parts)
      }
    }
    return parts
  }

  /** @throws GantryError `invalid-content` when the last entry is not complete */
  finish(): void {
    if (this.#content > 0 || this.#partialSize > 0 || this.#extended !== undefined) {
      throw this.#invalid('ends in the middle of an entry')
    }
  }

  #collect(part: Uint8Array, isComplete: boolean, parts: LayerPart[]): void {
    this.#partial.push(part)
    this.#partialSize += part.byteLength
    if (!isComplete) return
    const [first] = this.#partial
    const whole = this.#partial.length === 1 && first !== undefined ? first : Buffer.concat(this.#partial)
    this.#partial = []
    this.#partialSize = 0
    if (this.#extended === undefined)
      this.#takeHeader(Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength), parts)
    else this.#takeExtended(this.#extended.type, Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength))
  }

  #takeHeader(block: Buffer, parts: LayerPart[]): void {
    if (isZero(block)) {
      this.#zeroBlocks++
      return
    }
    this.#zeroBlocks = 0
    this.#count++
    if (!hasValidChecksum(block, `entry ${this.#count} of ${this.#what}`)) throw this.#invalid('has a wrong checksum')
    const type = block.toString('latin1', 156, 157)
    const size = this.#number(block, 124, 136)
    if (type === 'x' || type === 'g' || type === 'L' || type === 'K') {
      if (size > MAX_EXTENDED_SIZE) {
        throw new GantryError('limit-exceeded', `${this.#what} has an extended header of ${size} bytes`)
      }
      if (size > 0) this.#extended = { type, size }
      return
    }
    if (type === 'S') throw new GantryError('unsupported', `${this.#what} has a sparse file, which is not supported`)
    const entry = this.#readEntry(block, type, size)
    this.#content = contentSizeOf(entry)
    this.#padding = tarPaddingOf(this.#content)
    parts.push(entry)
  }

  #readEntry(block: Buffer, flag: string, size: number): LayerEntry {
    const records = this.#records
    const magic = block.toString('latin1', 257, 265)
    const isPosix = magic.startsWith('ustar\0')
    const isExtended = isPosix || magic === 'ustar  \0'
    const prefix = isPosix ? textIn(block, 345, 500) : ''
    const plain = textIn(block, 0, 100)
    const name = records.get('path') ?? this.#longName ?? (prefix === '' ? plain : `${prefix}/${plain}`)
    const number = (key: string, start: number, end: number): number =>
      records.has(key) ? Number(records.get(key)) : this.#number(block, start, end)
    const entry = {
      type: flag === '\0' || flag === '0' ? (flag === '\0' && name.endsWith('/') ? '5' : '0') : flag,
      name,
      linkName: records.get('linkpath') ?? this.#longLinkName ?? textIn(block, 157, 257),
      mode: this.#number(block, 100, 108),
      uid: number('uid', 108, 116),
      gid: number('gid', 116, 124),
      size: records.has('size') ? Number(records.get('size')) : size,
      modified: records.get('mtime') ?? String(this.#number(block, 136, 148)),
      userName: records.get('uname') ?? (isExtended ? textIn(block, 265, 297) : ''),
      groupName: records.get('gname') ?? (isExtended ? textIn(block, 297, 329) : ''),
      deviceMajor: isExtended ? this.#number(block, 329, 337) : 0,
      deviceMinor: isExtended ? this.#number(block, 337, 345) : 0,
      records,
    }
    this.#records = NO_RECORDS
    this.#longName = undefined
    this.#longLinkName = undefined
    if (![entry.size, entry.uid, entry.gid].every((value) => Number.isSafeInteger(value) && value >= 0)) {
      throw this.#invalid('has a malformed extended header')
    }
    return entry
  }

  #takeExtended(type: string, bytes: Buffer): void {
    this.#extended = undefined
    this.#padding = tarPaddingOf(bytes.byteLength)
    if (type === 'L') this.#longName = textIn(bytes, 0, bytes.byteLength)
    else if (type === 'K') this.#longLinkName = textIn(bytes, 0, bytes.byteLength)
    // What a header says of all entries at once, such as a comment, is about the archive and not about the files.
    else if (type === 'x') this.#records = this.#readRecords(bytes)
  }

  /** `<length> <key>=<value>\n` each (POSIX, pax interchange format). */
  #readRecords(bytes: Buffer): ReadonlyMap<string, string> {
    const records = new Map<string, string>()
    let offset = 0
    while (offset < bytes.byteLength) {
      const space = bytes.indexOf(0x20, offset)
      const length = Number(bytes.toString('latin1', offset, space))
      const end = offset + length
      const equals = bytes.indexOf(0x3d, space)
      const isValid = space > offset && length > 0 && end <= bytes.byteLength && equals > space && equals < end
      if (!isValid || bytes[end - 1] !== 0x0a) throw this.#invalid('has a malformed extended header')
      const key = bytes.toString('latin1', space + 1, equals)
      if (key.startsWith('GNU.sparse.')) {
        throw new GantryError('unsupported', `${this.#what} has a sparse file, which is not supported`)
      }
      const value = bytes.toString('latin1', equals + 1, end - 1)
      // An empty value takes back what was said before.
      if (value === '') records.delete(key)
      else records.set(key, value)
      offset = end
    }
    return records
  }

  /** A number, in octal or, where the first bit is set, in binary as GNU tar writes large and negative ones. */
  #number(block: Buffer, start: number, end: number): number {
    const first = block[start] ?? 0
    if ((first & 0x80) !== 0) {
      let value = (first & 0x40) === 0 ? first & 0x7f : (first & 0x7f) - 128
      for (let index = start + 1; index < end; index++) value = value * 256 + (block[index] ?? 0)
      if (Number.isSafeInteger(value)) return value
      throw this.#invalid('has a number that is too large')
    }
    const text = block.toString('latin1', start, end).replace(/^[ \0]+|[ \0]+$/g, '')
    const value = text === '' ? 0 : Number.parseInt(text, 8)
    if (!/^[0-7]*(\0.*)?$/s.test(text) || Number.isNaN(value)) throw this.#invalid('has a malformed number')
    return value
  }

  #invalid(problem: string): GantryError {
    return new GantryError('invalid-content', `entry ${this.#count} of ${this.#what} ${problem}`)
  }
}

/** Bytes up to the first NUL. */
function textIn(block: Buffer, start: number, end: number): string {
  const nul = block.indexOf(0, start)
  return block.toString('latin1', start, nul === -1 || nul > end ? end : nul)
}
