/** Milliseconds and bytes over which the speed is measured, again and again. */
const SAMPLE_TIME = 50
const SAMPLE_SIZE = 4 * 1024 * 1024
/** Bytes per millisecond above which more transfers would hardly be faster: 500 MB/s. */
const FAST = 500_000
/** The part of the time that this process works above which it is what takes the time, and not the way. */
const BUSY = 0.9

/** Finds out whether large transfers together are as fast as they can be, or whether more of them would be faster. */
export class TransferSpeed {
  #isSlow = false
  #begun: number | undefined
  #work = performance.eventLoopUtilization()
  #moved = 0
  #onSlow: () => void = () => undefined

  /** Whether they have been slow, even if only for a moment. */
  get isSlow(): boolean {
    return this.#isSlow
  }

  /** @param onSlow called once, when they turn out to be slow */
  watch(onSlow: () => void): void {
    this.#onSlow = onSlow
  }

  /** A function that is told of the absolute number of bytes of one transfer. */
  follow(): (offset: number) => void {
    let last = 0
    return (offset) => {
      // A transfer that is taken up again may begin further back.
      if (offset > last) this.#measure(offset - last)
      last = offset
    }
  }

  #measure(count: number): void {
    if (this.#isSlow) return
    const now = performance.now()
    // What arrives first has been on its way before.
    if (this.#begun === undefined) {
      this.#begin(now)
      return
    }
    this.#moved += count
    const time = now - this.#begun
    if (time < SAMPLE_TIME || this.#moved < SAMPLE_SIZE) return
    const { utilization } = performance.eventLoopUtilization(this.#work)
    this.#isSlow = this.#moved < FAST * time && utilization < BUSY
    this.#begin(now)
    if (this.#isSlow) this.#onSlow()
  }

  #begin(now: number): void {
    this.#begun = now
    this.#work = performance.eventLoopUtilization()
    this.#moved = 0
  }
}
