import type { Dispatcher } from 'undici'
import { GantryError } from '../../errors.js'
import type { BodyMemory } from './body-memory.js'

/** Bytes that may wait in memory; fewer make the connection pause and start again too often. */
const HIGH_WATER_MARK = 256 * 1024

export interface AnswerBodyEvents {
  /** The reader has closed the body before its end. */
  readonly onUnwanted: () => void
  /** Nothing more will be read: all of it has been, or it was closed, or has broken. */
  readonly onClosed: () => void
}

interface WaitingReader {
  readonly resolve: (result: IteratorResult<Uint8Array, undefined>) => void
  readonly reject: (error: Error) => void
}

/**
 * The body of an answer, taken straight from the connection and with back-pressure. A hand-made iterator for one reader:
 * nothing decodes or joins what has arrived, and no stream or generator stands between.
 */
export class AnswerBody implements AsyncIterableIterator<Uint8Array> {
  readonly #controller: Pick<Dispatcher.DispatchController, 'pause' | 'resume'>
  readonly #events: AnswerBodyEvents
  readonly #chunks: Uint8Array[] = []
  #memory: BodyMemory | undefined
  /** Bytes of the chunks that wait. */
  #waiting = 0
  #received = 0
  #reader: WaitingReader | undefined
  /** Everything has arrived. */
  #complete = false
  #closed = false
  #failure: Error | undefined
  #held = false
  /** Whether the reader made the connection wait since the last {@link takeHeld}. */
  #wasHeld = false

  constructor(controller: Pick<Dispatcher.DispatchController, 'pause' | 'resume'>, events: AnswerBodyEvents) {
    this.#controller = controller
    this.#events = events
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

  /** From now on, what arrives may lie in this memory. */
  receiveInto(memory: BodyMemory): void {
    this.#memory = memory
  }

  /** Takes what arrived, and makes the connection wait when the reader is slower. */
  receive(chunk: Uint8Array): void {
    if (this.#closed) return
    this.#memory?.arrived(chunk, this.#received)
    this.#received += chunk.byteLength
    const reader = this.#reader
    this.#reader = undefined
    if (reader !== undefined) {
      reader.resolve({ done: false, value: chunk })
      return
    }
    this.#chunks.push(chunk)
    this.#waiting += chunk.byteLength
    if (this.#waiting < HIGH_WATER_MARK || this.#held) return
    this.#held = true
    this.#wasHeld = true
    this.#controller.pause()
  }

  /** The last byte has arrived. */
  finish(): void {
    this.#complete = true
    if (this.#reader !== undefined) this.#close()
  }

  /**
   * Ends the body, unless it has ended. What has arrived is still read before a failure; without one, nothing is.
   * @param failure what the reader is told
   */
  destroy(failure?: Error): void {
    if (this.#closed || this.#failure !== undefined) return
    this.#failure = failure ?? new GantryError('aborted', 'the body of an answer was closed before its end')
    if (failure === undefined) this.#chunks.length = 0
    if (!this.#complete) this.#events.onUnwanted()
    if (this.#chunks.length === 0) this.#close()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** @throws what the body was destroyed with */
  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const chunk = this.#chunks.shift()
    this.#memory?.passed(this.#received - this.#waiting)
    if (chunk !== undefined) {
      this.#waiting -= chunk.byteLength
      if (this.#waiting < HIGH_WATER_MARK) this.#resume()
      return { done: false, value: chunk }
    }
    if (this.#complete || this.#failure !== undefined) this.#close()
    if (!this.#closed) return new Promise((resolve, reject) => (this.#reader = { resolve, reject }))
    if (this.#failure !== undefined) throw this.#failure
    return { done: true, value: undefined }
  }

  /** The reader stops here. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.destroy()
    return { done: true, value: undefined }
  }

  #resume(): void {
    if (!this.#held) return
    this.#held = false
    this.#controller.resume()
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#memory?.close(this.#complete && this.#failure === undefined)
    const reader = this.#reader
    this.#reader = undefined
    this.#events.onClosed()
    if (this.#failure === undefined) reader?.resolve({ done: true, value: undefined })
    else reader?.reject(this.#failure)
  }
}
