import { GantryError } from '../../errors.js'
import { decodeText, parsePaxRecords } from './pax-records.js'
import type { TarEntry } from './tar-entry.js'

/** Headers that say something about the entry that follows, or about all of them. */
export type MetadataType = 'extended' | 'global' | 'long name' | 'long link name'

/** What decides how an archive is read; it may be given for one entry, and not for all. */
const MEANINGFUL_KEYS = ['path', 'linkpath', 'size'] as const
type MeaningfulKey = (typeof MEANINGFUL_KEYS)[number]

/** Another encoding of names, and files with holes: both change what an entry is. */
const UNSUPPORTED_KEY = /^(hdrcharset|GNU\.sparse\..*|SCHILY\.realsize)$/

/** Collects extended headers (POSIX, pax; GNU's long names) and applies them to the entry that they belong to. */
export class ExtendedHeaders {
  readonly #values = new Map<MeaningfulKey, string>()
  #modified: number | undefined
  #isPax = false
  #isGlobal = false

  /** Whether no header waits for its entry. */
  get isEmpty(): boolean {
    return this.#values.size === 0 && !this.#isPax && !this.#isGlobal
  }

  /** @throws GantryError `invalid-content` when it is malformed or says again what was said; `unsupported` */
  add(type: MetadataType, bytes: Uint8Array, where: string): void {
    // What a reader makes of a header between an extended header and its entry differs from one to the other.
    if (this.#isPax) throw new GantryError('invalid-content', `${where} has a header after its extended header`)
    switch (type) {
      case 'long name':
        this.#set('path', readLongName(bytes, where), where)
        break
      case 'long link name':
        this.#set('linkpath', readLongName(bytes, where), where)
        break
      case 'global':
        this.#checkGlobal(parseRecords(bytes, where), where)
        this.#isGlobal = true
        break
      case 'extended':
        this.#isPax = true
        this.#addRecords(parseRecords(bytes, where), where)
    }
  }

  /** The entry with what was said about it; nothing is left for the next one. */
  applyTo(entry: TarEntry, where: string): TarEntry {
    const size = this.#values.get('size')
    const applied = {
      ...entry,
      name: this.#values.get('path') ?? entry.name,
      linkName: this.#values.get('linkpath') ?? entry.linkName,
      size: size === undefined ? entry.size : parseSize(size, where),
      modified: this.#modified ?? entry.modified,
    }
    this.#values.clear()
    this.#modified = undefined
    this.#isPax = false
    this.#isGlobal = false
    return applied
  }

  #addRecords(records: ReadonlyMap<string, string>, where: string): void {
    for (const key of MEANINGFUL_KEYS) {
      const value = records.get(key)
      if (value !== undefined) this.#set(key, value, where)
    }
    const modified = Number(records.get('mtime') ?? Number.NaN)
    if (Number.isFinite(modified)) this.#modified = Math.max(0, Math.floor(modified))
  }

  #checkGlobal(records: ReadonlyMap<string, string>, where: string): void {
    const key = MEANINGFUL_KEYS.find((meaningful) => records.has(meaningful))
    if (key !== undefined) throw new GantryError('invalid-content', `${where} gives "${key}" for all entries at once`)
  }

  #set(key: MeaningfulKey, value: string, where: string): void {
    if (value === '' || value.includes('\0')) {
      throw new GantryError('invalid-content', `${where} has an extended header with no valid "${key}"`)
    }
    if (this.#values.has(key)) throw new GantryError('invalid-content', `${where} has two long names`)
    this.#values.set(key, value)
  }
}

function parseRecords(bytes: Uint8Array, where: string): ReadonlyMap<string, string> {
  const records = parsePaxRecords(bytes, where)
  for (const key of records.keys()) {
    if (UNSUPPORTED_KEY.test(key))
      throw new GantryError('unsupported', `${where} uses "${key}", which is not supported`)
  }
  return records
}

/** Text that ends in a NUL, without which some readers go on into the padding. */
function readLongName(bytes: Uint8Array, where: string): string {
  let end = bytes.byteLength
  while (end > 0 && bytes[end - 1] === 0) end--
  if (end === bytes.byteLength) throw new GantryError('invalid-content', `${where} has a long name without an end`)
  return decodeText(bytes.subarray(0, end), where)
}

function parseSize(text: string, where: string): number {
  const size = Number(text)
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(size)) {
    throw new GantryError('invalid-content', `${where} has no valid size`)
  }
  return size
}
