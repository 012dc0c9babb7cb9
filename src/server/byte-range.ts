/** Bytes from `start` to `end`, both inclusive. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

const ONE_RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/

/**
 * Reads a Range header against content of `size` bytes (RFC 9110, section 14). Several ranges at once and unknown
 * units are answered with the whole, which the RFC allows.
 * @returns the range; `undefined` for the whole; `'unsatisfiable'` for 416
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined | 'unsatisfiable' {
  const match = header === undefined ? null : ONE_RANGE.exec(header.replaceAll(' ', ''))
  if (match === null) return undefined
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return undefined
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 }
  }
  const start = Number(first)
  if (start >= size || (last !== '' && Number(last) < start)) return 'unsatisfiable'
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
}

// Some clients send the form of HTTP's own header; the specification asks for the two numbers alone.
const CHUNK_RANGE = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d{1,15}|\*))?$/

/**
 * Reads the Content-Range of an upload's chunk (distribution-spec, "Pushing a blob in chunks").
 * @returns undefined when it is malformed
 */
export function parseChunkRange(header: string): ByteRange | undefined {
  const match = CHUNK_RANGE.exec(header)
  if (match === null) return undefined
  const range = { start: Number(match[1]), end: Number(match[2]) }
  return range.end < range.start ? undefined : range
}
