import type { OnReadOpts, Socket } from 'node:net'
import type { BodyMemory } from './body-memory.js'

/** Bytes that are received at a time where nobody lends more memory. */
const OWN_SIZE = 64 * 1024
/** Bytes of a large body that are worth being handed on; TLS brings them in pieces of 16 KiB. */
const WORTH_HANDING_ON = 128 * 1024

/**
 * Where a connection puts what it receives. Node would take new memory for each piece, and the processor's cache would
 * never hold what it works on. Here a connection has memory of its own, from which what has arrived is copied, and large
 * bodies lend it theirs, where it stays.
 */
export class Inbox {
  readonly #own = Buffer.allocUnsafeSlow(OWN_SIZE)
  #socket: Socket | undefined
  #lent: BodyMemory | undefined
  /** Received into memory that was lent, and not handed on yet. */
  #pending: Uint8Array | undefined
  #timer: NodeJS.Immediate | undefined

  /** For the socket that is to be opened. */
  readonly onread: OnReadOpts = {
    buffer: () => this.#lent?.take(this.#waiting) ?? this.#own,
    callback: (count, buffer) => this.#receive(buffer.subarray(0, count)),
  }

  /** The socket that was opened with {@link onread}. */
  attach(socket: Socket): void {
    this.#socket = socket
  }

  /** From now on what arrives goes into this memory, or into that of the connection again. */
  receiveInto(memory: BodyMemory | undefined): void {
    this.#lent = memory
  }

  /** Bytes that were received and not read yet. */
  get #waiting(): number {
    return (this.#pending?.byteLength ?? 0) + (this.#socket?.readableLength ?? 0)
  }

  /** Whether there may be more. */
  #receive(chunk: Uint8Array): boolean {
    const lent = this.#lent
    if (lent?.keeps(chunk) !== true) {
      this.#handOn()
      return this.#push(Buffer.from(chunk))
    }
    if (this.#pending?.buffer !== chunk.buffer) this.#handOn()
    const { byteOffset: start, byteLength: size } = this.#pending ?? chunk
    this.#pending = this.#pending === undefined ? chunk : new Uint8Array(chunk.buffer, start, size + chunk.byteLength)
    // Nothing may wait behind the last byte, as the connection may end with it.
    if (this.#pending.byteLength >= WORTH_HANDING_ON || this.#waiting >= lent.rest) return this.#handOn()
    this.#timer ??= setImmediate(() => this.#handOn())
    return true
  }

  #handOn(): boolean {
    clearImmediate(this.#timer)
    this.#timer = undefined
    const chunk = this.#pending
    this.#pending = undefined
    return chunk === undefined || this.#push(chunk)
  }

  #push(chunk: Uint8Array): boolean {
    return this.#socket?.destroyed === false && this.#socket.push(chunk)
  }
}
