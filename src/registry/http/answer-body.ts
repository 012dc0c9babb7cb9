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
  #received = 0
  #paused = false
  /** Whether the reader made the connection wait since the last {@link takePaused}. */
  #wasPaused = false

  constructor(controller: Dispatcher.DispatchController) {
    super({ highWaterMark: HIGH_WATER_MARK })
    this.#controller = controller
    // A body may break before its reader has begun: reading then fails, and an event without listener would crash.
    this.on('error', () => undefined)
  }

  /** Bytes that have arrived so far. */
  get received(): number {
    return this.#received
  }

  /** Whether the reader held the connection up since this was last asked. */
  takePaused(): boolean {
    const paused = this.#wasPaused || this.#paused
    this.#wasPaused = false
    return paused
  }

  /** Takes what arrived, and makes the connection wait when the reader is slower. */
  receive(chunk: Uint8Array): void {
    this.#received += chunk.byteLength
    if (!this.push(chunk)) {
      this.#paused = true
      this.#wasPaused = true
      this.#controller.pause()
    }
  }

  override _read(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#controller.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.readableEnded && !this.#controller.aborted) {
      // Half a body on a connection makes it useless for the next request.
      this.#controller.abort(error ?? new Error('body was not wanted'))
    }
    callback(error)
  }
}
