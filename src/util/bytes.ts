import { GantryError, type ErrorReason } from '../errors.js'

/** The one stream type of gantry. A Node Readable is one, and so is an array of chunks. */
export type Bytes = AsyncIterable<Uint8Array>

/** How far back whoever takes transient content may look, in bytes. */
export const TRANSIENT_REACH = 1024 * 1024

/** What whoever opens content promises about its chunks. */
export interface ContentUse {
  /**
   * When a chunk is asked for, no byte of those before is needed any more that {@link TRANSIENT_REACH} or more others
   * have followed, so that its memory may be used again: large content costs much less then. Default false.
   */
  readonly transient?: boolean
}

/**
 * Opens content at a byte offset (default 0), as often as needed: after a retry, a refused mount, an expired token.
 * Nothing is requested before the first chunk is asked for.
 */
export type OpenContent = (offset?: number, use?: ContentUse) => Bytes

/** An opener for bytes in memory. */
export function openBytes(bytes: Uint8Array): OpenContent {
  return async function* (offset = 0) {
    if (offset < bytes.byteLength) yield bytes.subarray(offset)
  }
}

/**
 * Collects a stream that is known to be small.
 * @param reason which limit this is
 * @throws GantryError `limit-exceeded` as soon as more than `limit` bytes have arrived; `what` names it in the message
 */
export async function collectBytes(
  content: Bytes,
  limit: number,
  what: string,
  reason?: ErrorReason,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of content) {
    size += chunk.byteLength
    if (size > limit) {
      throw new GantryError('limit-exceeded', `${what} exceeds the limit of ${limit} bytes`, { details: { reason } })
    }
    chunks.push(chunk)
  }
  const only = chunks[0]
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size)
}
