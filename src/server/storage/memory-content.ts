import { GantryError } from '../../errors.js'
import { Digester, digestOf, algorithmOf, type Digest, type DigestAlgorithm } from '../../oci/digest.js'
import type { Bytes } from '../../util/bytes.js'
import type { ByteRange } from '../byte-range.js'
import type { ContentStore, ContentWriter } from './content-store.js'

/** Smaller content is kept in one piece, so that it does not hold on to the larger buffers it arrived in. */
const SMALL = 64 * 1024

/** Content in memory, kept in the chunks in which it arrived. */
export class MemoryContent implements ContentStore {
  readonly #contents = new Map<Digest, readonly Uint8Array[]>()

  createWriter(algorithm: DigestAlgorithm): ContentWriter {
    return new MemoryWriter(algorithm, (digest, chunks) => {
      if (!this.#contents.has(digest)) this.#contents.set(digest, chunks)
    })
  }

  async *open(digest: Digest, range?: ByteRange): Bytes & AsyncGenerator<Uint8Array> {
    const chunks = this.#contents.get(digest)
    if (chunks === undefined) throw new GantryError('not-found', `${digest} is not there`)
    let offset = 0
    for (const chunk of chunks) {
      const start = Math.max((range?.start ?? 0) - offset, 0)
      const end = Math.min((range?.end ?? Infinity) + 1 - offset, chunk.byteLength)
      if (start < end) yield chunk.subarray(start, end)
      offset += chunk.byteLength
      if (range !== undefined && offset > range.end) return
    }
  }

  async remove(digest: Digest): Promise<void> {
    this.#contents.delete(digest)
  }

  async close(): Promise<void> {
    this.#contents.clear()
  }
}

class MemoryWriter implements ContentWriter {
  readonly #digester: Digester
  readonly #publish: (digest: Digest, chunks: readonly Uint8Array[]) => void
  #chunks: Uint8Array[] = []

  constructor(algorithm: DigestAlgorithm, publish: (digest: Digest, chunks: readonly Uint8Array[]) => void) {
    this.#digester = new Digester(algorithm)
    this.#publish = publish
  }

  get size(): number {
    return this.#digester.size
  }

  async write(content: Bytes, limit: number): Promise<void> {
    for await (const chunk of content) {
      if (this.size + chunk.byteLength > limit) {
        throw new GantryError('limit-exceeded', `the content exceeds the limit of ${limit} bytes`)
      }
      this.#digester.update(chunk)
      this.#chunks.push(chunk)
    }
  }

  async commit(digest: Digest): Promise<void> {
    const chunks = this.size <= SMALL ? [Buffer.concat(this.#chunks)] : this.#chunks
    const own = this.#digester.digest()
    const actual = algorithmOf(own) === algorithmOf(digest) ? own : digestOf(Buffer.concat(chunks), algorithmOf(digest))
    this.#chunks = []
    if (actual !== digest) {
      throw new GantryError('digest-mismatch', `digest mismatch: wanted ${digest}, got ${actual}`)
    }
    this.#publish(digest, chunks)
  }

  async abort(): Promise<void> {
    this.#chunks = []
  }
}
