import { delay } from '../../util/abort.js'

/** Time as the transport sees it; tests bring their own. */
export interface Clock {
  /** Milliseconds that only ever grow, whatever happens to the clock on the wall. */
  now(): number
  /** Milliseconds since 1970, for dates that a server names. */
  date(): number
  /** @throws GantryError `aborted` */
  wait(milliseconds: number, signal?: AbortSignal): Promise<void>
  /** A number in [0, 1), to spread what would happen at once. */
  random(): number
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  wait: delay,
  random: () => Math.random(),
}
