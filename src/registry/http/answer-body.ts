import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'

/** Bytes that may wait in memory; fewer make the connection pause and start again too often. */
const HIGH_WATER_MARK = 256 * 1024

/**
 * The body of an answer, pushed straight from the connection and with back-pressure: nothing decodes it, and no
 * generator stands between.
 */
export class AnswerBody extends Readable {
  readonly #controller: Dispatcher.DispatchController
  readonly #onUnwanted: () => void
  #complete = false
  #received = 0
  #held = false
  /** Whether the reader made the connection wait since the last {@link takeHeld}. */
  #wasHeld = false

  /** @param onUnwanted called when the reader closes the body before its end */
  constructor(controller: Dispatcher.DispatchController, onUnwanted: () => void) {
    super({ highWaterMark: HIGH_WATER_MARK })
    this.#controller = controller
    this.#onUnwanted = onUnwanted
    // A body may break before its reader has begun: reading then fails, and an event without listener would crash.
    this.on('error', () => undefined)
  }

  /** Bytes that have arrived so far. */
  get received(): number {
    return this.#received
  }

  /** Whether the connection waits for the reader at the moment. */
  get isHeld(): boolean {
    return this.#held
  }

  /** Whether the connection had to wait for the reader since this was last asked. */
  takeHeld(): boolean {
    const held = this.#wasHeld || this.#held
    this.#wasHeld = false
    return held
  }

  /** Takes what arrived, and makes the connection wait when the reader is slower. */
  receive(chunk: Uint8Array): void {
    this.#received += chunk.byteLength
    if (!this.push(chunk)) {
      this.#held = true
      this.#wasHeld = true
      this.#controller.pause()
    }
  }

  override _read(): void {
    if (!this.#held) return
    this.#held = false
    this.#controller.resume()
  }

  /** The last byte has arrived. */
  finish(): void {
    this.#complete = true
    this.push(null)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // Half a body on a connection makes it useless for the next request.
    if (!this.#complete) this.#onUnwanted()
    callback(error)
  }
}
