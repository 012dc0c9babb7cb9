import { Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import * as nodeZlib from 'node:zlib'
import { GantryError } from '../../errors.js'
import type { Bytes } from '../../util/bytes.js'
import { compressionFormatOf, COMPRESSION_MAGIC_SIZE, type CompressionFormat } from './compression-format.js'
import { peekContent } from './peek-content.js'
import { splitZstdFrames } from './zstd-frames.js'

/** Larger than zlib's own 16 KiB, as each chunk costs a turn of the event loop. In bytes. */
const CHUNK_SIZE = 256 * 1024

/** A decoder of node:zlib: it counts the bytes of its input that it has made use of. */
type Decoder = Transform & { readonly bytesWritten: number }

/**
 * Decompresses gzip of any number of members (RFC 1952) and zstd (RFC 8878), told by their first bytes; anything else
 * comes through as it is. Bounds on the size of the result are the caller's.
 * @param what names the content in errors
 * @throws GantryError `invalid-content` when the stream is damaged, cut off or followed by something else;
 *   `unsupported` for zstd where this version of Node has none
 */
export async function* decompress(content: Bytes, what: string): AsyncGenerator<Uint8Array, void, undefined> {
  const peeked = await peekContent(content, COMPRESSION_MAGIC_SIZE)
  const format = compressionFormatOf(peeked.head)
  if (format === undefined) {
    yield* peeked
    return
  }
  const decoder = createDecoder(format)
  if (decoder === undefined) {
    await peeked.return()
    throw new GantryError('unsupported', `${what} is compressed with zstd, which this version of Node cannot read`, {
      hint: 'zstd needs Node 22.15 or later',
    })
  }
  // In object mode chunks stay as they are cut.
  const source = Readable.from(format === 'zstd' ? splitZstdFrames(peeked, what) : peeked)
  // A failure is seen where the decoder is read, below.
  pipeline(source, decoder).catch(() => undefined)
  try {
    for await (const chunk of decoder) yield chunk as Uint8Array
  } catch (cause) {
    throw isDecoderError(cause)
      ? new GantryError('invalid-content', `${what} is not valid ${format}: ${cause.message}`, { cause })
      : cause
  } finally {
    source.destroy()
    decoder.destroy()
  }
  if (peeked.size > decoder.bytesWritten) {
    throw new GantryError('invalid-content', `${what} has data after the end of its ${format} stream`)
  }
}

/** The decoder for a format, or undefined where this version of Node has none: zstd came with 22.15. */
function createDecoder(format: CompressionFormat): Decoder | undefined {
  if (format === 'gzip') return nodeZlib.createGunzip({ chunkSize: CHUNK_SIZE })
  // Node.js 20 has none.
  const createZstd = (nodeZlib as { createZstdDecompress?: (options: nodeZlib.ZlibOptions) => Decoder })
    .createZstdDecompress
  return createZstd?.({ chunkSize: CHUNK_SIZE })
}

/** Whether the decoder itself refused its input; a failure of the input comes through the decoder as well. */
function isDecoderError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^(Z_|ZSTD_)/.test(error.code)
}
