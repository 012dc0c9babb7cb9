import type { AnswerBody } from './answer-body.js'
import type { Timeouts } from './timeouts.js'

/**
 * Watches that a body arrives at a minimum rate, which an idle timer alone does not see: a byte now and then would
 * hold a connection for ever. Time in which the reader was the slow one does not count.
 * @param onSlow called once, with the bytes received so far
 * @returns how to stop watching
 */
export function watchRate(body: AnswerBody, timeouts: Timeouts, onSlow: (received: number) => void): () => void {
  const { minimumRate, minimumRateWindow } = timeouts
  if (minimumRate <= 0 || minimumRateWindow <= 0) return () => undefined
  let receivedBefore = 0
  const timer = setInterval(() => {
    const received = body.received - receivedBefore
    receivedBefore = body.received
    if (body.takePaused() || received >= (minimumRate * minimumRateWindow) / 1000) return
    clearInterval(timer)
    onSlow(body.received)
  }, minimumRateWindow)
  // The connection itself keeps the process alive.
  timer.unref()
  return () => clearInterval(timer)
}
