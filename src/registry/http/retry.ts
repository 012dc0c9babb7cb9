import { GantryError, messageOf, withAttempts } from '../../errors.js'
import { throwIfAborted } from '../../util/abort.js'
import { backoffDelay } from '../../util/backoff.js'
import { redactUrl } from '../../util/redact.js'
import type { Answer } from './answer.js'
import type { Clock } from './clock.js'
import { repeatableOf } from './network-error.js'
import { parseRetryAfter } from './retry-after.js'
import type { OnTransportEvent } from './transport-event.js'
import type { RetryOptions } from './transport-options.js'

/** How repetition is bounded, with every value. */
export type RetryLimits = Required<RetryOptions>

/** Statuses after which the same request may well succeed. */
const RETRYABLE_STATUSES = new Set([408, 425, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524])

/** Fills in the bounds that were not given. */
export function retryLimitsOf(options: RetryOptions = {}): RetryLimits {
  const { attempts = 5, firstDelay = 300, maxDelay = 15_000, maxRetryAfter = 60_000, maxTotalDelay = 120_000 } = options
  return { attempts, firstDelay, maxDelay, maxRetryAfter, maxTotalDelay }
}

/** Whether an answer says that it is worth while to ask again. */
export function isRetryableStatus(status: number): boolean {
  return RETRYABLE_STATUSES.has(status)
}

/** A request that may be sent several times. */
export interface RetryTask {
  readonly method: string
  /** The address as it may be shown. */
  readonly url: () => string
  /** Whether it is repeated at all; a demand to wait too long is an error in any case. */
  readonly repeat: boolean
  readonly run: () => Promise<Answer>
  readonly signal?: AbortSignal
}

/** An error that no repetition will mend, however temporary its cause looks. */
export class FinalError extends Error {
  constructor(readonly error: unknown) {
    super('final')
  }
}

/** Why an attempt is not the last word. */
interface Objection {
  readonly reason: string
  readonly attempts: number
  /** Milliseconds that the server asks for. */
  readonly retryAfter?: number
}

/** Repeats requests that failed for reasons that pass: the one place where it is decided to try again. */
export class Retrier {
  readonly #limits: RetryLimits
  readonly #clock: Clock
  readonly #onEvent: OnTransportEvent

  constructor(limits: RetryLimits, clock: Clock, onEvent: OnTransportEvent = () => undefined) {
    this.#limits = limits
    this.#clock = clock
    this.#onEvent = onEvent
  }

  /**
   * Runs a task until it succeeds, fails for good, or the attempts are used up. The last answer is returned whatever
   * its status.
   * @throws GantryError `rate-limited` when the server asks for a longer wait than is allowed, and what the last
   * attempt failed with
   */
  async run(task: RetryTask): Promise<Answer> {
    let waited = 0
    let firstReason: string | undefined
    for (let attempt = 1; ; attempt++) {
      throwIfAborted(task.signal)
      const outcome = await settle(task.run)
      const objection = this.#objectionTo(outcome)
      if (objection === undefined) return finish(outcome, attempt)
      await this.#checkRetryAfter(objection, outcome, task)
      firstReason ??= objection.reason
      const delay = this.#delayOf(objection, attempt)
      if (!task.repeat || attempt >= objection.attempts || waited + delay > this.#limits.maxTotalDelay) {
        if (task.repeat) this.#tell(task, { type: 'gave-up', attempts: attempt, reason: objection.reason })
        return finish(outcome, attempt, firstReason)
      }
      this.#tell(task, { type: 'retry', attempt, attempts: objection.attempts, delay, reason: objection.reason })
      await outcome.answer?.discard()
      await this.#clock.wait(delay, task.signal)
      waited += delay
    }
  }

  #objectionTo({ answer, error }: Outcome): Objection | undefined {
    const { attempts } = this.#limits
    if (answer !== undefined) {
      if (!isRetryableStatus(answer.status)) return undefined
      const retryAfter = parseRetryAfter(answer.header('retry-after'), this.#clock.date())
      return { reason: `status ${answer.status}`, attempts, retryAfter }
    }
    const repeatable = repeatableOf(error)
    if (repeatable === 'never') return undefined
    return { reason: messageOf(error), attempts: repeatable === 'once' ? Math.min(attempts, 2) : attempts }
  }

  #delayOf({ retryAfter }: Objection, attempt: number): number {
    if (retryAfter !== undefined && retryAfter > 0) return retryAfter
    const { firstDelay: base, maxDelay: cap } = this.#limits
    return backoffDelay(attempt, { base, cap, random: () => this.#clock.random() })
  }

  async #checkRetryAfter(objection: Objection, { answer }: Outcome, task: RetryTask): Promise<void> {
    const { maxRetryAfter } = this.#limits
    if (answer === undefined || objection.retryAfter === undefined || objection.retryAfter <= maxRetryAfter) return
    await answer.discard()
    const { status, method } = answer
    const host = new URL(answer.url).host
    const wanted = Math.ceil(objection.retryAfter / 1000)
    throw new GantryError(
      'rate-limited',
      `${host} asks to wait ${wanted} s after status ${status}; the limit is ${maxRetryAfter / 1000} s`,
      { response: { status, method, url: redactUrl(task.url()), errors: [] }, details: { reason: 'long-wait' } },
    )
  }

  #tell(
    { method, url }: RetryTask,
    event:
      | { type: 'retry'; attempt: number; attempts: number; delay: number; reason: string }
      | { type: 'gave-up'; attempts: number; reason: string },
  ): void {
    this.#onEvent({ ...event, method, url: redactUrl(url()) })
  }
}

interface Outcome {
  readonly answer?: Answer
  readonly error?: unknown
}

async function settle(run: () => Promise<Answer>): Promise<Outcome> {
  try {
    return { answer: await run() }
  } catch (error) {
    return { error }
  }
}

/** The answer, or the error with how often it was tried and what came first. */
function finish({ answer, error }: Outcome, attempts: number, firstReason?: string): Answer {
  if (answer !== undefined) return answer.withAttempts(attempts)
  if (error instanceof FinalError) throw error.error
  throw error instanceof GantryError ? withAttempts(error, attempts, firstReason) : error
}
