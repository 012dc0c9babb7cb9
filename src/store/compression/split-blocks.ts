import type { Bytes } from '../../util/bytes.js'

/** A piece of a stream, at the start of a buffer that is the receiver's to keep or to hand on. */
export interface Block {
  readonly buffer: ArrayBuffer
  /** In bytes; less than the buffer holds for the last block alone. */
  readonly size: number
}

/**
 * Cuts a stream into blocks of one size, whatever the sizes of its chunks. The last block may be smaller; an empty
 * stream has none.
 * @param allocate gives a buffer of the size of a block
 */
export async function* splitBlocks(
  content: Bytes,
  allocate: () => ArrayBuffer,
): AsyncGenerator<Block, void, undefined> {
  let buffer: ArrayBuffer | undefined
  let size = 0
  for await (const chunk of content) {
    let offset = 0
    while (offset < chunk.byteLength) {
      buffer ??= allocate()
      const length = Math.min(chunk.byteLength - offset, buffer.byteLength - size)
      new Uint8Array(buffer, size, length).set(chunk.subarray(offset, offset + length))
      offset += length
      size += length
      if (size === buffer.byteLength) {
        yield { buffer, size }
        buffer = undefined
        size = 0
      }
    }
  }
  if (buffer !== undefined && size > 0) yield { buffer, size }
}
