import { encodePaxRecords } from './pax-records.js'
import { TAR_BLOCK_SIZE, tarPaddingOf } from './tar-entry.js'

/** What gantry writes of an entry: no owner and no time, so that equal content gives equal bytes. */
export interface TarEntryHeader {
  readonly type: 'file' | 'directory' | 'symbolic link'
  readonly name: string
  readonly linkName?: string
  /** Permission bits. */
  readonly mode: number
  /** Content in bytes. */
  readonly size: number
}

const TYPE_FLAGS = { file: '0', directory: '5', 'symbolic link': '2', extended: 'x' } as const

/** Offsets of the fields of a ustar header. */
const FIELD = {
  name: 0,
  mode: 100,
  uid: 108,
  gid: 116,
  size: 124,
  mtime: 136,
  checksum: 148,
  type: 156,
  link: 157,
} as const
const MAGIC_OFFSET = 257
const DEVICE_OFFSETS = [329, 337] as const

const MAX_NAME_BYTES = 100
/** What eleven octal digits hold. */
const MAX_OCTAL_SIZE = 8 ** 11 - 1

/**
 * Encodes the header of an entry in the pax interchange format: a ustar header, with an extended one before it where a
 * name is long or not ASCII, or the content larger than 8 GiB. Written here rather than by a library, as the bytes
 * decide the digest of every packed folder and must not change with a library's version.
 * @returns whole blocks
 */
export function encodeTarHeader(entry: TarEntryHeader): Uint8Array {
  const records = extendedRecordsOf(entry)
  const header = encodeUstar(entry, TYPE_FLAGS[entry.type])
  if (Object.keys(records).length === 0) return header
  const payload = encodePaxRecords(records)
  const extended = { type: 'file', name: `PaxHeaders.0/${entry.name}`, mode: 0o644, size: payload.byteLength } as const
  const padding = Buffer.alloc(tarPaddingOf(payload.byteLength))
  return Buffer.concat([encodeUstar(extended, TYPE_FLAGS.extended), payload, padding, header])
}

/** In a fixed order. */
function extendedRecordsOf({ name, linkName = '', size }: TarEntryHeader): Record<string, string> {
  return {
    ...(fitsNameField(linkName) ? {} : { linkpath: linkName }),
    ...(fitsNameField(name) ? {} : { path: name }),
    ...(size > MAX_OCTAL_SIZE ? { size: String(size) } : {}),
  }
}

function encodeUstar({ name, linkName = '', mode, size }: TarEntryHeader, typeFlag: string): Buffer {
  const block = Buffer.alloc(TAR_BLOCK_SIZE)
  block.write(nameFieldOf(name), FIELD.name, 'latin1')
  block.write(octal(mode, 7), FIELD.mode, 'latin1')
  block.write(octal(0, 7), FIELD.uid, 'latin1')
  block.write(octal(0, 7), FIELD.gid, 'latin1')
  block.write(octal(size > MAX_OCTAL_SIZE ? 0 : size, 11), FIELD.size, 'latin1')
  block.write(octal(0, 11), FIELD.mtime, 'latin1')
  block.write(typeFlag, FIELD.type, 'latin1')
  block.write(nameFieldOf(linkName), FIELD.link, 'latin1')
  block.write('ustar\x0000', MAGIC_OFFSET, 'latin1')
  for (const offset of DEVICE_OFFSETS) block.write(octal(0, 7), offset, 'latin1')
  // The sum is taken with spaces in its own place.
  block.write(' '.repeat(8), FIELD.checksum, 'latin1')
  let sum = 0
  for (const byte of block) sum += byte
  block.write(`${octal(sum, 6)}\0 `, FIELD.checksum, 'latin1')
  return block
}

function fitsNameField(name: string): boolean {
  return name.length <= MAX_NAME_BYTES && isAscii(name)
}

/** The name itself, or what readers without extended headers get to see of it. */
function nameFieldOf(name: string): string {
  if (fitsNameField(name)) return name
  // A file whose name ends in a slash would be taken for a folder.
  return name
    .replace(/[^\x20-\x7e]/gu, '_')
    .slice(0, MAX_NAME_BYTES)
    .replace(/\/+$/, '')
}

function isAscii(name: string): boolean {
  return /^[\x20-\x7e]*$/.test(name)
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}
