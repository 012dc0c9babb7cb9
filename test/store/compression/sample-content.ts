import { createHash } from 'node:crypto'
import type { Bytes } from '../../../src/util/bytes.js'

/** The same bytes for the same size on every machine: words of a small vocabulary, so that they compress like text. */
export function sampleBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = 0x2545f491
  let offset = 0
  while (offset < size) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    const word = `${((state >>> 8) % 4096).toString(36)} `
    for (let index = 0; index < word.length && offset < size; index++) bytes[offset++] = word.charCodeAt(index)
  }
  return bytes
}

/** The bytes in chunks of one size. */
export async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let offset = 0; offset < bytes.byteLength; offset += size) yield bytes.subarray(offset, offset + size)
}

export async function collect(content: Bytes): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
