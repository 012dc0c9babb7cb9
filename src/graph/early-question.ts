import type { CallOptions } from '../store/store.js'
import { onAbort } from '../util/abort.js'

/**
 * Something that is asked before it is known whether the answer will be of use, so that the way there and back is not
 * waited for. Whoever asks ends it, whatever became of the answer.
 */
export class EarlyQuestion<T> {
  /** Its failure concerns only those who wait for it. */
  readonly answer: Promise<T>
  readonly #ended = new AbortController()
  readonly #stopListening: () => void

  constructor(ask: (options: CallOptions) => Promise<T>, { signal }: CallOptions) {
    const abort = (): void => {
      this.#ended.abort(signal?.reason)
    }
    this.#stopListening = onAbort(signal, abort)
    if (signal?.aborted === true) abort()
    this.answer = ask({ signal: this.#ended.signal })
    this.answer.catch(() => undefined)
  }

  /** Gives up what is still under way; when this returns, nothing is. */
  async end(): Promise<void> {
    this.#stopListening()
    this.#ended.abort()
    await Promise.allSettled([this.answer])
  }
}
