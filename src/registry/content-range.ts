/** Which bytes of a whole an answer holds; `end` is the last byte, not the one after it. */
export interface ContentRange {
  readonly start: number
  readonly end: number
  /** Undefined when the server does not say. */
  readonly total: number | undefined
}

/** Parses a `Content-Range` answer header (RFC 9110, section 14.4); undefined when it is absent or makes no sense. */
export function parseContentRange(header: string | undefined): ContentRange | undefined {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/i.exec(header?.trim() ?? '')
  if (match === null) return undefined
  const [start, end] = [Number(match[1]), Number(match[2])]
  const total = match[3] === '*' ? undefined : Number(match[3])
  const isSound = start <= end && (total === undefined || end < total)
  return isSound && Number.isSafeInteger(total ?? end) ? { start, end, total } : undefined
}

/**
 * How many bytes an upload has received by its `Range` header, `0-<last byte>` (distribution-spec, "Pushing a blob in
 * chunks"). Undefined when the header is absent, or one of the forms that registries use for none or one byte alike.
 */
export function parseUploadOffset(header: string | undefined): number | undefined {
  const match = /^(?:bytes=)?0-(\d{1,15})$/.exec(header?.trim() ?? '')
  const last = match === null ? 0 : Number(match[1])
  return last === 0 ? undefined : last + 1
}

/** A header that has to be a count of bytes, such as Content-Length; undefined when it is absent or no such number. */
export function parseByteCount(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,15}$/.test(header.trim()) ? Number(header) : undefined
}
