/** Time as an emulated registry sees it: real time, and what tests add to it. */
export class VirtualTime {
  #added = 0

  /** Milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#added
  }

  advance(seconds: number): void {
    this.#added += seconds * 1000
  }
}
