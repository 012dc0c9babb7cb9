import type { AnswerContent } from './transport.js'

/** Bytes of an explanation that are read. */
const MAX_SIZE = 64 * 1024
/** Milliseconds that it may take: some servers never end what they say, and the status is known. */
const TIME_LIMIT = 2_000

/**
 * Reads the beginning of a body that explains a status, up to 64 KiB and for two seconds at most. The rest of it is not
 * waited for. Never throws: what has arrived before a body breaks is more than nothing.
 */
export async function readBodyStart(body: AnswerContent): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  const timer = setTimeout(() => body.destroy(), TIME_LIMIT)
  try {
    for await (const chunk of body) {
      chunks.push(chunk)
      size += chunk.byteLength
      if (size >= MAX_SIZE) break
    }
  } catch {
    // A body that breaks off, or is cut off above, must not hide the status.
  } finally {
    clearTimeout(timer)
    body.destroy()
  }
  return Buffer.concat(chunks).subarray(0, MAX_SIZE)
}
