import { constants, gunzipSync } from 'node:zlib'
import { GantryError, isGantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import { compressionFormatOf, COMPRESSION_MAGIC_SIZE } from '../store/compression/compression-format.js'
import { decompress } from '../store/compression/decompress.js'
import { peekContent } from '../store/compression/peek-content.js'
import { verifyContent } from '../store/verify.js'
import { collectBytes, openBytes, type Bytes } from '../util/bytes.js'
import { visibleLine } from '../util/visible-text.js'
import { parseByteCount } from './content-range.js'
import { shownText } from './http/sent-secrets.js'
import type { RegistryAnswer } from './http/transport.js'

/** Bytes that show whether something else is inside of a gzip stream. */
const PEEK = 4096
const MAX_SHOWN = 60

/**
 * The codings that a response claims its body to have (RFC 9110, section 8.4); undefined when it claims none. Object
 * stores and proxies label bytes that are as they were stored, so a label alone says nothing.
 */
export function encodingOf(answer: RegistryAnswer): string | undefined {
  const codings = (answer.headerList('content-encoding') ?? '').split(',').map((coding) => coding.trim().toLowerCase())
  const real = codings.filter((coding) => coding !== '' && coding !== 'identity')
  return real.length === 0 ? undefined : visibleLine(shownText(answer, real.join(', ')).slice(0, MAX_SHOWN))
}

/** A copy of an error about wrong content that mentions the label of the response; the error itself without a label. */
export function mentionEncoding(error: unknown, encoding: string | undefined): unknown {
  const isAboutContent = isGantryError(error, 'size-mismatch', 'digest-mismatch', 'invalid-content')
  if (encoding === undefined || !isAboutContent) return error
  return new GantryError(error.code, error.message, {
    ...error.options,
    hint: `the response is labelled "Content-Encoding: ${encoding}": a proxy before the registry may be changing responses`,
  })
}

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
