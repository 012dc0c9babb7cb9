import type { Bytes } from '../../util/bytes.js'

/** A stream whose first bytes are known. It has to be read or returned, or what is behind it stays open. */
export class PeekedContent implements AsyncIterableIterator<Uint8Array> {
  /** At least as many bytes as were asked for, unless the stream is shorter. */
  readonly head: Uint8Array
  readonly #rest: AsyncIterator<Uint8Array>
  #isHeadTaken = false
  #size = 0

  constructor(head: Uint8Array, rest: AsyncIterator<Uint8Array>) {
    this.head = head
    this.#rest = rest
    this.#isHeadTaken = head.byteLength === 0
  }

  /** How many bytes have been handed out. */
  get size(): number {
    return this.#size
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#isHeadTaken) {
      this.#isHeadTaken = true
      this.#size += this.head.byteLength
      return { done: false, value: this.head }
    }
    const step = await this.#rest.next()
    if (step.done === true) return { done: true, value: undefined }
    this.#size += step.value.byteLength
    return step
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.#rest.return?.()
    return { done: true, value: undefined }
  }
}

/** Looks at the first `size` bytes of a stream; what comes back is the whole stream, to be read once. */
export async function peekContent(content: Bytes, size: number): Promise<PeekedContent> {
  const iterator = content[Symbol.asyncIterator]()
  const chunks: Uint8Array[] = []
  let length = 0
  while (length < size) {
    const step = await iterator.next()
    if (step.done === true) break
    chunks.push(step.value)
    length += step.value.byteLength
  }
  const only = chunks[0]
  return new PeekedContent(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks), iterator)
}
