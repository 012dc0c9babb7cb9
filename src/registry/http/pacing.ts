import { abortable } from '../../util/abort.js'

/** Requests in flight that a host gets at first. */
const FIRST_LIMIT = 8
/** … and at most, as long as it does not complain. */
const MAX_LIMIT = 32

/**
 * Requests with and without a body are counted apart: the content of an upload may be read from the same host, and
 * would wait for ever for a place that the upload itself holds.
 */
export type Lane = 'with-body' | 'without-body'

/** A place among the requests in flight. */
export interface Permit {
  /** Gives the place back, and says how the host took it; without an answer nothing is learned. */
  release(outcome: 'fine' | 'throttled' | 'unknown'): void
}

/**
 * Limits the requests in flight to one host. The limit follows the host: it grows while answers come, and is halved
 * when the host is overloaded, once for all the requests that were under way then.
 */
export class Pacer {
  readonly #fixed: boolean
  readonly #inFlight: Record<Lane, number> = { 'with-body': 0, 'without-body': 0 }
  readonly #waiting: Record<Lane, Set<() => void>> = { 'with-body': new Set(), 'without-body': new Set() }
  #limit: number
  #halvings = 0
  /** Answers since the limit last grew, once it has been halved. */
  #credit = 0

  /** @param limit never changes when it is given */
  constructor(limit?: number) {
    this.#fixed = limit !== undefined
    this.#limit = Math.max(1, Math.floor(limit ?? FIRST_LIMIT))
  }

  /** How many requests of each lane may be in flight at the moment. */
  get limit(): number {
    return this.#limit
  }

  /** What the limit may soon be. */
  get nextLimit(): number {
    return this.#fixed ? this.#limit : Math.min(MAX_LIMIT, 2 * this.#limit)
  }

  /** Whether the next request of a lane has to wait. */
  isFull(lane: Lane): boolean {
    return this.#inFlight[lane] >= this.#limit || this.#waiting[lane].size > 0
  }

  /**
   * Waits for a place.
   * @throws GantryError `aborted`
   */
  async acquire(lane: Lane, signal?: AbortSignal): Promise<Permit> {
    if (this.isFull(lane)) {
      await abortable((settle) => {
        this.#waiting[lane].add(settle)
        return () => this.#waiting[lane].delete(settle)
      }, signal)
    } else this.#inFlight[lane]++
    const halvings = this.#halvings
    let released = false
    return {
      release: (outcome) => {
        if (released) return
        released = true
        if (outcome === 'fine') this.#grow()
        else if (outcome === 'throttled' && halvings === this.#halvings) this.#halve()
        this.#inFlight[lane]--
        this.#admit()
      },
    }
  }

  #grow(): void {
    if (this.#fixed || this.#limit >= MAX_LIMIT) return
    this.#credit++
    if (this.#halvings > 0 && this.#credit < this.#limit) return
    this.#credit = 0
    this.#limit++
  }

  #halve(): void {
    this.#halvings++
    this.#credit = 0
    if (!this.#fixed) this.#limit = Math.max(1, Math.floor(this.#limit / 2))
  }

  /** A place is counted for whoever waited longest before it is told, so that nobody takes it in between. */
  #admit(): void {
    for (const lane of ['with-body', 'without-body'] as const) {
      for (const settle of this.#waiting[lane]) {
        if (this.#inFlight[lane] >= this.#limit) break
        this.#waiting[lane].delete(settle)
        this.#inFlight[lane]++
        settle()
      }
    }
  }
}
