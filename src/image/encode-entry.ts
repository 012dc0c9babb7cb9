import { TAR_BLOCK_SIZE, tarPaddingOf } from '../store/tar/tar-entry.js'
import type { LayerEntry } from './layer-tar.js'

/** Records that the fields of an entry stand for. */
const FIELD_RECORDS: ReadonlySet<string> = new Set([
  'path',
  'linkpath',
  'size',
  'uid',
  'gid',
  'uname',
  'gname',
  'mtime',
  'atime',
  'ctime',
])

/** What the field for the first part of a long name holds. */
const MAX_PREFIX = 155

/**
 * Encodes the header of an entry in the pax interchange format (POSIX), byte for byte as Go's `archive/tar` does, so that
 * archives agree with those of crane. An extended header comes first where a field is too small.
 * @returns whole blocks
 */
export function encodeEntry(entry: LayerEntry): Buffer {
  const records = recordsOf(entry)
  const split =
    records.size === 1 && records.has('path') && entry.records.size === 0 ? splitName(entry.name) : undefined
  if (split !== undefined) return encodeBlock({ ...entry, name: split.name }, split.prefix)
  const header = encodeBlock(entry)
  if (records.size === 0) return header
  const payload = Buffer.concat([...records].sort(byKey).map(([key, value]) => encodeRecord(` ${key}=${value}\n`)))
  const extended = Buffer.alloc(TAR_BLOCK_SIZE)
  writeText(extended, 0, 100, extendedName(entry.name))
  for (const [start, end] of [
    [100, 108],
    [108, 116],
    [116, 124],
    [136, 148],
  ] as const) {
    writeOctal(extended, start, end, 0)
  }
  writeOctal(extended, 124, 136, payload.byteLength)
  extended.write('x', 156, 'latin1')
  return Buffer.concat([seal(extended), payload, Buffer.alloc(tarPaddingOf(payload.byteLength)), header])
}

function recordsOf(entry: LayerEntry): ReadonlyMap<string, string> {
  const records = new Map<string, string>()
  for (const [key, value] of entry.records) if (!FIELD_RECORDS.has(key)) records.set(key, value)
  const text = (key: string, value: string, limit: number): void => {
    if (value.length > limit || !isAscii(value)) records.set(key, value)
  }
  const number = (key: string, value: number, digits: number): void => {
    if (!fitsOctal(value, digits)) records.set(key, String(value))
  }
  text('path', entry.name, 100)
  text('linkpath', entry.linkName, 100)
  text('uname', entry.userName, 32)
  text('gname', entry.groupName, 32)
  number('uid', entry.uid, 7)
  number('gid', entry.gid, 7)
  number('size', entry.size, 11)
  const modified = timeOf(entry.modified)
  if (modified.includes('.') || !fitsOctal(Number(modified), 11)) records.set('mtime', modified)
  for (const key of ['atime', 'ctime']) {
    const time = entry.records.get(key)
    if (time !== undefined) records.set(key, timeOf(time))
  }
  return records
}

/** A long name in the two fields of a header, where it can be cut at a slash; undefined where it cannot. */
function splitName(name: string): { readonly prefix: string; readonly name: string } | undefined {
  if (!isAscii(name)) return undefined
  const slash = name.slice(0, MAX_PREFIX + 1).lastIndexOf('/')
  const rest = name.length - slash - 1
  return slash <= 0 || rest > 100 || rest === 0
    ? undefined
    : { prefix: name.slice(0, slash), name: name.slice(slash + 1) }
}

function encodeBlock(entry: LayerEntry, prefix = ''): Buffer {
  const block = Buffer.alloc(TAR_BLOCK_SIZE)
  writeText(block, 345, 500, prefix)
  block.write(entry.type, 156, 'latin1')
  writeText(block, 0, 100, entry.name)
  writeText(block, 157, 257, entry.linkName)
  writeOctal(block, 100, 108, entry.mode)
  writeOctal(block, 108, 116, entry.uid)
  writeOctal(block, 116, 124, entry.gid)
  writeOctal(block, 124, 136, entry.size)
  writeOctal(block, 136, 148, Math.floor(Number(timeOf(entry.modified))))
  writeText(block, 265, 297, entry.userName)
  writeText(block, 297, 329, entry.groupName)
  writeOctal(block, 329, 337, entry.deviceMajor)
  writeOctal(block, 337, 345, entry.deviceMinor)
  return seal(block)
}

/** Writes the magic and the checksum. */
function seal(block: Buffer): Buffer {
  block.write('ustar\x0000', 257, 'latin1')
  block.write(' '.repeat(8), 148, 'latin1')
  let sum = 0
  for (const byte of block) sum += byte
  writeOctal(block, 148, 155, sum)
  block[154] = 0
  return block
}

/** What is not ASCII is left out: the extended header has it. */
function writeText(block: Buffer, start: number, end: number, text: string): void {
  const ascii = asciiOf(text)
  let field = ascii.slice(0, end - start)
  // Readers without extended headers would take a file whose name ends in a slash for a folder.
  if (ascii.length > end - start && field.endsWith('/')) field = field.replace(/\/+$/, '')
  block.write(field, start, 'latin1')
}

function writeOctal(block: Buffer, start: number, end: number, value: number): void {
  const digits = end - start - 1
  block.write((fitsOctal(value, digits) ? value : 0).toString(8).padStart(digits, '0'), start, 'latin1')
}

function fitsOctal(value: number, digits: number): boolean {
  return value >= 0 && value < 8 ** digits
}

function extendedName(name: string): string {
  const slash = name.lastIndexOf('/') + 1
  return asciiOf(`${name.slice(0, slash)}PaxHeaders.0/${name.slice(slash)}`)
    .slice(0, 100)
    .replace(/\/+$/, '')
}

/** Seconds in the shortest form, to a nanosecond. */
function timeOf(text: string): string {
  const [, seconds = '0', fraction = ''] = /^(-?\d+)(?:\.(\d{0,9})\d*)?$/.exec(text) ?? []
  const rest = fraction.replace(/0+$/, '')
  return rest === '' ? seconds : `${seconds}.${rest}`
}

/** The length counts its own digits. */
function encodeRecord(rest: string): Buffer {
  const size = rest.length
  let length = size + String(size).length
  if (size + String(length).length > length) length++
  return Buffer.from(`${length}${rest}`, 'latin1')
}

function byKey([left]: readonly [string, string], [right]: readonly [string, string]): number {
  return left < right ? -1 : Number(left > right)
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (!isAsciiCode(text.charCodeAt(index))) return false
  return true
}

function asciiOf(text: string): string {
  return isAscii(text)
    ? text
    : text
        .split('')
        .filter((character) => isAsciiCode(character.charCodeAt(0)))
        .join('')
}

function isAsciiCode(code: number): boolean {
  return code > 0 && code < 0x80
}
