import type { AnswerBody } from './answer-body.js'
import type { Timeouts } from './timeouts.js'

/**
 * Watches that a body goes on arriving: not silent for too long, and not slower than the minimum rate, since a byte now
 * and then would hold a connection for ever. Time in which the reader was the slow one does not count.
 */
export class BodyWatch {
  readonly #body: AnswerBody
  readonly #idleTimer: NodeJS.Timeout | undefined
  readonly #rateTimer: NodeJS.Timeout | undefined
  #receivedBefore = 0

  /** @param onFault told what the server did, and how many bytes had arrived by then */
  constructor(body: AnswerBody, timeouts: Timeouts, onFault: (what: string, received: number) => void) {
    this.#body = body
    const { body: idle, minimumRate, minimumRateWindow } = timeouts
    if (idle > 0) {
      this.#idleTimer = setTimeout(() => {
        if (body.isHeld) this.#idleTimer?.refresh()
        else onFault(`sent no data for ${idle / 1000} s`, body.received)
      }, idle)
    }
    if (minimumRate > 0 && minimumRateWindow > 0) {
      const wanted = (minimumRate * minimumRateWindow) / 1000
      this.#rateTimer = setInterval(() => {
        if (this.#isSlow(wanted)) onFault(`sent less than ${minimumRate} bytes per second`, body.received)
      }, minimumRateWindow)
    }
  }

  /** Data arrived. */
  refresh(): void {
    this.#idleTimer?.refresh()
  }

  stop(): void {
    clearTimeout(this.#idleTimer)
    clearInterval(this.#rateTimer)
  }

  #isSlow(wanted: number): boolean {
    const received = this.#body.received - this.#receivedBefore
    this.#receivedBefore = this.#body.received
    return !this.#body.takeHeld() && received < wanted
  }
}
