import { constants, gunzipSync } from 'node:zlib'
import type { Descriptor } from '../oci/descriptor.js'
import { compressionFormatOf, COMPRESSION_MAGIC_SIZE } from '../store/compression/compression-format.js'
import { decompress } from '../store/compression/decompress.js'
import { peekContent } from '../store/compression/peek-content.js'
import { verifyContent } from '../store/verify.js'
import { collectBytes, openBytes, type Bytes } from '../util/bytes.js'
import { mentionEncoding } from './content-encoding.js'
import { parseByteCount } from './content-range.js'
import type { RegistryAnswer } from './http/transport.js'

// Loaded only for a response with a label: hardly any response has one, and decompression takes long to load.

/** Bytes that show whether something else is inside of a gzip stream. */
const PEEK = 4096

/**
 * The document in a response that is labelled as encoded: decoded where the bytes are gzip, which no JSON document
 * begins like, and else as it came.
 * @throws GantryError `limit-exceeded`, `invalid-content`
 */
export async function decodeDocument(
  bytes: Uint8Array,
  { encoding, limit, what }: { readonly encoding: string | undefined; readonly limit: number; readonly what: string },
): Promise<Uint8Array> {
  if (!isGzipLabel(encoding) || compressionFormatOf(bytes) !== 'gzip') return bytes
  return collectBytes(decompress(openBytes(bytes)(), what), limit, what)
}

/**
 * The blob in a response that is labelled as encoded, checked: as it came where that can be the blob, else decoded.
 * @throws GantryError `size-mismatch`, `digest-mismatch` that mention the label
 */
export async function* decodeBlob(
  answer: RegistryAnswer,
  descriptor: Descriptor,
  { encoding, what }: { readonly encoding: string; readonly what: string },
): AsyncGenerator<Uint8Array, void, undefined> {
  const peeked = await peekContent(answer.body, PEEK)
  const length = parseByteCount(answer.header('content-length'))
  const isEncoded = isGzipLabel(encoding) && isGzipAround(peeked.head, descriptor, length)
  try {
    yield* verifyContent(descriptor, isEncoded ? decompress(copied(peeked), what) : peeked)
  } catch (error) {
    throw mentionEncoding(error, encoding)
  } finally {
    await peeked.return()
  }
}

function isGzipLabel(encoding: string | undefined): boolean {
  return encoding === 'gzip' || encoding === 'x-gzip'
}

/** Whether bytes are gzip that somebody has put around a blob, which may be gzip itself. */
function isGzipAround(head: Uint8Array, { mediaType, size }: Descriptor, length: number | undefined): boolean {
  if (compressionFormatOf(head) !== 'gzip') return false
  if (length !== undefined) return length !== size
  return !mediaType.endsWith('gzip') || compressionFormatOf(beginningInside(head)) === 'gzip'
}

function beginningInside(head: Uint8Array): Uint8Array {
  try {
    const inside = gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH })
    return inside.subarray(0, COMPRESSION_MAGIC_SIZE)
  } catch {
    // Not gzip after all.
    return new Uint8Array(0)
  }
}

/** A decoder reads ahead, and the memory of a body may be used again. */
async function* copied(content: Bytes): Bytes {
  for await (const chunk of content) yield Uint8Array.from(chunk)
}
