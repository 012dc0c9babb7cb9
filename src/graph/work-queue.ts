import { abortError } from '../util/abort.js'

/** Where an item runs, and how much of that lane it takes while it does. */
export interface Place {
  readonly lane: number
  readonly weight: number
}

export interface WorkQueueOptions<Item> {
  /** How much weight each lane carries at once. */
  readonly lanes: readonly number[]
  /** Default: everything weighs 1 in the first lane. The weight may change later: see {@link WorkQueue.weighAgain}. */
  readonly placeOf?: (item: Item) => Place
  readonly signal?: AbortSignal
}

interface Lane<Item> {
  readonly capacity: number
  readonly waiting: Item[]
  /** What runs, and how much it weighs. */
  readonly running: Set<{ readonly item: Item; weight: number }>
  next: number
  used: number
}

const FIRST_PLACE: Place = { lane: 0, weight: 1 }

/**
 * Works on items side by side, in the order in which they were added; work may add more. After a failure nothing new
 * starts, and what is running is waited for.
 */
export class WorkQueue<Item> {
  readonly #work: (item: Item) => Promise<void>
  readonly #placeOf: (item: Item) => Place
  readonly #signal: AbortSignal | undefined
  readonly #lanes: Lane<Item>[]
  readonly #errors: unknown[] = []
  #running = 0
  #settle: (() => void) | undefined

  constructor(work: (item: Item) => Promise<void>, options: WorkQueueOptions<Item>) {
    this.#work = work
    this.#placeOf = options.placeOf ?? (() => FIRST_PLACE)
    this.#signal = options.signal
    this.#lanes = options.lanes.map((capacity) => ({
      capacity: Math.max(1, Math.floor(capacity)),
      waiting: [],
      running: new Set(),
      next: 0,
      used: 0,
    }))
  }

  /** Adds an item; it starts once the queue is drained and its lane has room. */
  add(item: Item): void {
    this.#laneOf(this.#placeOf(item)).waiting.push(item)
    if (this.#settle !== undefined) this.#start()
  }

  /** Weighs what is running again, and starts what has room then. */
  weighAgain(): void {
    for (const lane of this.#lanes) {
      for (const run of lane.running) run.weight = this.#placeOf(run.item).weight
      lane.used = [...lane.running].reduce((sum, { weight }) => sum + weight, 0)
    }
    if (this.#settle !== undefined) this.#start()
  }

  /**
   * Works until nothing is left; to be called once.
   * @throws the first error of the work, or GantryError `aborted`, when nothing is running any more
   */
  async drain(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#settle = resolve
      this.#start()
    })
    if (this.#errors.length > 0) throw this.#errors[0]
  }

  #start(): void {
    for (const lane of this.#lanes) {
      while (lane.next < lane.waiting.length && this.#mayStart()) {
        const item = lane.waiting[lane.next] as Item
        const { weight } = this.#placeOf(item)
        // A single item above the capacity still has to run: alone.
        if (lane.used > 0 && lane.used + weight > lane.capacity) break
        lane.next++
        lane.used += weight
        this.#running++
        void this.#run(lane, { item, weight })
      }
    }
    if (this.#running === 0) this.#settle?.()
  }

  #mayStart(): boolean {
    if (this.#signal?.aborted === true && this.#errors.length === 0) this.#errors.push(abortError(this.#signal))
    return this.#errors.length === 0
  }

  async #run(lane: Lane<Item>, run: { readonly item: Item; weight: number }): Promise<void> {
    lane.running.add(run)
    try {
      await this.#work(run.item)
    } catch (error) {
      this.#errors.push(error)
    }
    lane.running.delete(run)
    lane.used -= run.weight
    this.#running--
    this.#start()
  }

  #laneOf(place: Place): Lane<Item> {
    const lane = this.#lanes[place.lane]
    if (lane === undefined) throw new RangeError(`no lane ${place.lane}`)
    return lane
  }
}
