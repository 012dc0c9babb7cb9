import { backoffDelay } from '../../util/backoff.js'
import type { Answer } from './answer.js'
import type { Clock } from './clock.js'
import { parseRetryAfter } from './retry-after.js'
import type { RetryLimits } from './retry.js'

/** Holds every request to a host back for as long as the host has asked any one of them to wait. */
export class HostGate {
  readonly #limits: RetryLimits
  readonly #clock: Clock
  #closedUntil = 0
  #complaints = 0

  constructor(limits: RetryLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /**
   * Waits until the host may be asked again.
   * @throws GantryError `aborted`
   */
  async pass(signal?: AbortSignal): Promise<void> {
    for (let left = this.#left(); left > 0; left = this.#left()) await this.#clock.wait(left, signal)
  }

  /** Learns from an answer whether to hold back, and for how long. */
  note(answer: Answer): void {
    const { status } = answer
    const isComplaint = status === 429 || status === 503
    if (!isComplaint) {
      if (status < 500) this.#complaints = 0
      return
    }
    const wanted = parseRetryAfter(answer.header('retry-after'), this.#clock.date())
    if (wanted === undefined && status === 503) return
    this.#complaints++
    const { firstDelay: base, maxDelay: cap, maxRetryAfter } = this.#limits
    const pause = wanted ?? backoffDelay(this.#complaints, { base, cap, random: () => this.#clock.random() })
    this.#closedUntil = Math.max(this.#closedUntil, this.#clock.now() + Math.min(pause, maxRetryAfter))
  }

  #left(): number {
    return this.#closedUntil - this.#clock.now()
  }
}
