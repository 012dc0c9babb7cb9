import { GantryError } from '../../errors.js'

const SPACE = 0x20
const NEWLINE = 0x0a
const DIGIT_ZERO = 0x30
/** Enough for any record that fits the limit on the whole header. */
const MAX_LENGTH_DIGITS = 7

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Writes the records of an extended header, `<length> <key>=<value>\n` (POSIX, pax interchange format). */
export function encodePaxRecords(records: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(Object.entries(records).map(([key, value]) => encodeRecord(` ${key}=${value}\n`)))
}

/** The length counts its own digits. */
function encodeRecord(rest: string): Buffer {
  const size = Buffer.byteLength(rest)
  let length = size + String(size).length
  if (size + String(length).length > length) length++
  return Buffer.from(`${length}${rest}`)
}

/**
 * Reads the records of an extended header.
 * @throws GantryError `invalid-content` for anything but well-formed records, for a key that comes twice, and for
 *   text that is not UTF-8
 */
export function parsePaxRecords(bytes: Uint8Array, where: string): ReadonlyMap<string, string> {
  const records = new Map<string, string>()
  let offset = 0
  while (offset < bytes.byteLength) {
    const { end, text } = readRecord(bytes, offset, where)
    const equals = text.indexOf('=')
    const key = text.slice(0, equals)
    if (equals < 1) throw malformed(where)
    if (records.has(key)) throw new GantryError('invalid-content', `${where} has "${key}" twice in its extended header`)
    records.set(key, text.slice(equals + 1))
    offset = end
  }
  return records
}

function readRecord(bytes: Uint8Array, start: number, where: string): { readonly end: number; readonly text: string } {
  let length = 0
  let offset = start
  for (; bytes[offset] !== SPACE; offset++) {
    const digit = (bytes[offset] ?? 0) - DIGIT_ZERO
    if (digit < 0 || digit > 9 || offset - start >= MAX_LENGTH_DIGITS) throw malformed(where)
    length = length * 10 + digit
  }
  const end = start + length
  if (bytes[start] === DIGIT_ZERO || end > bytes.byteLength || end < offset + 2 || bytes[end - 1] !== NEWLINE) {
    throw malformed(where)
  }
  return { end, text: decodeText(bytes.subarray(offset + 1, end - 1), where) }
}

/** @throws GantryError `invalid-content` when the bytes are not UTF-8 */
export function decodeText(bytes: Uint8Array, where: string): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new GantryError('invalid-content', `${where} has a name that is not valid UTF-8`, { cause })
  }
}

function malformed(where: string): GantryError {
  return new GantryError('invalid-content', `${where} has a malformed extended header`)
}
