import { onTestFinished, vi } from 'vitest'

/** Kept from before anybody replaces them. */
const { clearInterval, setInterval, setTimeout } = globalThis
const realNow = performance.now.bind(performance)

/** Milliseconds between two steps. */
const TICK = 4

/**
 * Lets timers and the monotonic clock of this process run fast until the test ends, so that time limits of minutes can
 * be waited for. Time leaps in steps, and between them everything that arrived is dealt with: however busy the machine
 * is, nothing is late only because time is fast.
 * @param step how much of that time passes in 4 ms, in milliseconds
 */
export function passTimeQuickly(step = 250): void {
  let leapt = 0
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
  // Between two steps the clock goes on: no two moments of a real one are the same.
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => realNow() + leapt)
  const ticker = setInterval(() => {
    leapt += step
    vi.advanceTimersByTime(step)
  }, TICK)
  onTestFinished(() => {
    clearInterval(ticker)
    clock.mockRestore()
    vi.useRealTimers()
  })
}

/** Waits on the clock of the machine. */
export async function waitReally(milliseconds: number): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, milliseconds))
}
