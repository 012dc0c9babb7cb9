import { GantryError } from '../../errors.js'
import { openBytes, type Bytes } from '../../util/bytes.js'
import type { RequestBody } from './transport.js'

/** Bytes that a connection takes without waiting, so that nobody has to watch whether it does. */
export const ONE_PIECE = 64 * 1024

/** The body as it can be handed to the connection whole, if it can. */
export function inOnePiece({ content, size = 0 }: RequestBody): Uint8Array | undefined {
  return typeof content !== 'function' && content.byteLength === size && size <= ONE_PIECE ? content : undefined
}

export interface OutgoingOptions {
  /** Milliseconds that the connection may take no data; 0 for ever. */
  readonly idleTimeout: number
  /** Called when the connection took no data for too long, with the bytes that it did take. */
  readonly onStall: (sent: number) => void
  /** Called when everything was handed to the connection. */
  readonly onSent: () => void
}

/**
 * What one attempt sends: counts, reports and limits the bytes, and watches that the connection goes on taking them.
 * A hand-made iterator, since a generator more for each piece is what makes large uploads slow.
 */
export class OutgoingBody implements AsyncIterableIterator<Uint8Array> {
  readonly #body: RequestBody
  readonly #content: Bytes
  readonly #source: AsyncIterator<Uint8Array>
  readonly #options: OutgoingOptions
  readonly #timer: NodeJS.Timeout | undefined
  #offset = 0
  #waitingForSource = true
  #failure: { readonly error: unknown } | undefined

  constructor(body: RequestBody, options: OutgoingOptions) {
    this.#body = body
    this.#options = options
    const { content } = body
    this.#content = typeof content === 'function' ? content() : openBytes(content)()
    this.#source = this.#content[Symbol.asyncIterator]()
    if (options.idleTimeout > 0) this.#timer = setTimeout(() => this.#onTimer(), options.idleTimeout)
  }

  /** Why the source failed, when it did: never the fault of the connection. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure
  }

  get sent(): number {
    return this.#offset
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    try {
      this.#waitingForSource = true
      const result = await this.#source.next()
      this.#waitingForSource = false
      this.#timer?.refresh()
      if (result.done === true) {
        this.#checkEnd()
        this.#stopWatching()
        this.#options.onSent()
        return { done: true, value: undefined }
      }
      this.#count(result.value)
      return result
    } catch (error) {
      this.#failure = { error }
      this.#stopWatching()
      throw error
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.close()
    return { done: true, value: undefined }
  }

  /** Ends the source, in whatever state it is. */
  close(): void {
    this.#stopWatching()
    if (isDestroyable(this.#content)) this.#content.destroy()
    // Whatever happens to a source that nobody reads any more is of no interest.
    else this.#source.return?.().then(undefined, () => undefined)
  }

  #count(chunk: Uint8Array): void {
    this.#offset += chunk.byteLength
    const { size, onProgress } = this.#body
    if (size !== undefined && this.#offset > size) {
      throw new GantryError('size-mismatch', `content to send is longer than its size of ${size} bytes`)
    }
    onProgress?.(this.#offset)
  }

  #checkEnd(): void {
    const { size } = this.#body
    if (size !== undefined && this.#offset < size) {
      throw new GantryError('size-mismatch', `content to send ended early: got ${this.#offset} of ${size} bytes`)
    }
  }

  #onTimer(): void {
    if (this.#waitingForSource) this.#timer?.refresh()
    else this.#options.onStall(this.#offset)
  }

  #stopWatching(): void {
    clearTimeout(this.#timer)
  }
}

function isDestroyable(content: Bytes): content is Bytes & { destroy(): void } {
  return 'destroy' in content && typeof content.destroy === 'function'
}
