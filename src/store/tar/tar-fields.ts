import { GantryError } from '../../errors.js'
import { decodeText } from './pax-records.js'
import { TAR_BLOCK_SIZE } from './tar-entry.js'

const SPACE = 0x20
const DIGIT_ZERO = 0x30
const CHECKSUM_START = 148
const CHECKSUM_END = 156

/** Position of a field in a header block, in bytes. */
export interface TarField {
  readonly name: string
  readonly start: number
  readonly end: number
}

/** Text up to the first NUL. @throws GantryError `invalid-content` when it is not UTF-8 */
export function readText(block: Uint8Array, { start, end }: TarField, where: string): string {
  const field = block.subarray(start, end)
  const nul = field.indexOf(0)
  return decodeText(nul === -1 ? field : field.subarray(0, nul), where)
}

/**
 * A number, in octal or, where the first bit is set, in binary as GNU tar writes large ones. Nothing but the digits,
 * and spaces or NULs around them, may stand in the field; an empty field is 0.
 * @throws GantryError `invalid-content` when it is malformed, negative or beyond what is exact
 */
export function readNumber(block: Uint8Array, { name, start, end }: TarField, where: string): number {
  const field = block.subarray(start, end)
  const value = ((field[0] ?? 0) & 0x80) === 0 ? readOctal(field) : readBinary(field)
  if (value === undefined || !Number.isSafeInteger(value)) {
    throw new GantryError('invalid-content', `${where} has no valid ${name}`)
  }
  return value
}

function readOctal(field: Uint8Array): number | undefined {
  let offset = 0
  while (field[offset] === SPACE) offset++
  let value = 0
  for (; isOctalDigit(field[offset]); offset++) value = value * 8 + (field[offset] ?? 0) - DIGIT_ZERO
  for (; offset < field.byteLength; offset++) {
    if (field[offset] !== 0 && field[offset] !== SPACE) return undefined
  }
  return value
}

function isOctalDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= DIGIT_ZERO && byte < DIGIT_ZERO + 8
}

function readBinary(field: Uint8Array): number | undefined {
  // 0xff starts a negative number.
  if (field[0] !== 0x80) return undefined
  return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0)
}

/** Whether a header's checksum is right: the sum of its bytes, with spaces in the place of the checksum. */
export function hasValidChecksum(block: Uint8Array, where: string): boolean {
  let sum = SPACE * (CHECKSUM_END - CHECKSUM_START)
  for (let index = 0; index < TAR_BLOCK_SIZE; index++) {
    if (index < CHECKSUM_START || index >= CHECKSUM_END) sum += block[index] ?? 0
  }
  return sum === readNumber(block, { name: 'checksum', start: CHECKSUM_START, end: CHECKSUM_END }, where)
}

/** Whether all bytes are 0. */
export function isZero(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 0) return false
  return true
}
