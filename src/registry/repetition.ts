import { withAttempts, type GantryError } from '../errors.js'
import { delay } from '../util/abort.js'
import { backoffDelay, type BackoffOptions } from '../util/backoff.js'
import { redactUrl } from '../util/redact.js'
import type { Method, RegistryTransport, Repetition } from './http/transport.js'

const DEFAULT: Repetition = { attempts: 5, backoff: {} }

/** What is repeated, as people are told. */
interface RepeatedRequest {
  readonly method: Method
  /** Path and query below the registry's origin, or the whole address. */
  readonly url: string
}

/**
 * How what breaks off in the middle is taken up again: as the transport repeats requests that fail as a whole.
 * @param backoff replaces the waits of the transport
 */
export function repetitionOf(transport: RegistryTransport, backoff?: BackoffOptions): Repetition {
  const repetition = transport.repetition ?? DEFAULT
  return backoff === undefined ? repetition : { ...repetition, backoff }
}

/**
 * Counts the attempts at something that the transport cannot repeat, as it has an answer already or does not know what
 * one attempt has left behind.
 */
export class Attempts {
  readonly #repetition: Repetition
  readonly #transport: RegistryTransport
  readonly #request: RepeatedRequest
  #failures = 0

  constructor(repetition: Repetition, transport: RegistryTransport, request: RepeatedRequest) {
    this.#repetition = repetition
    this.#transport = transport
    this.#request = request
  }

  /** Something was achieved: what failed before does not count any more. */
  forget(): void {
    this.#failures = 0
  }

  /**
   * Waits until the next attempt.
   * @throws GantryError the failure when that was the last attempt, with how many there were; `aborted`
   */
  async again(failure: GantryError, signal: AbortSignal | undefined): Promise<void> {
    const { attempts, backoff, onEvent } = this.#repetition
    const attempt = ++this.#failures
    const { method, url } = this.#request
    const address = new URL(url, this.#transport.origin).href
    const shown = redactUrl(this.#transport.shown?.(address) ?? address)
    const event = { method, url: shown, attempts, reason: failure.message }
    if (attempt >= attempts) {
      onEvent?.({ ...event, type: 'gave-up', attempts: attempt })
      throw withAttempts(failure, attempt)
    }
    const wait = backoffDelay(attempt, backoff)
    onEvent?.({ ...event, type: 'retry', attempt, delay: wait })
    await delay(wait, signal)
  }
}
