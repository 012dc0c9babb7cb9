import { abortable, throwIfAborted } from './abort.js'

/** Lets a bounded number of tasks run at a time; the others wait in the order in which they came. */
export class Limit {
  readonly #waiting = new Set<() => void>()
  #free: number

  /** @param concurrency how many tasks may run at once; at least 1 */
  constructor(concurrency: number) {
    this.#free = Math.max(1, Math.floor(concurrency))
  }

  /**
   * Runs a task as soon as there is room for it.
   * @throws GantryError `aborted` when the signal fires before the task has started; afterwards the task decides
   */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#acquire(signal)
    try {
      return await task()
    } finally {
      this.#release()
    }
  }

  async #acquire(signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal)
    if (this.#free > 0) {
      this.#free--
      return
    }
    await abortable((settle) => {
      this.#waiting.add(settle)
      return () => this.#waiting.delete(settle)
    }, signal)
  }

  /** Hands the place straight to the next in line, so that nobody who comes later gets in between. */
  #release(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#free++
      return
    }
    this.#waiting.delete(next)
    next()
  }
}

export interface ConcurrencyOptions {
  /** How many run at once; at least 1. */
  readonly concurrency: number
  readonly signal?: AbortSignal
}

/**
 * Works on items side by side and returns the results in the order of the items. After a failure nothing new starts,
 * and the first error is thrown only when nothing is running any more.
 * @throws GantryError `aborted` when the signal fires; what is running then is waited for
 */
export async function mapConcurrently<Item, Result>(
  items: Iterable<Item>,
  work: (item: Item, index: number) => Promise<Result>,
  { concurrency, signal }: ConcurrencyOptions,
): Promise<Result[]> {
  const results: Result[] = []
  const errors: unknown[] = []
  const entries = [...items].entries()
  const runLane = async (): Promise<void> => {
    for (const [index, item] of entries) {
      if (errors.length > 0) return
      try {
        throwIfAborted(signal)
        results[index] = await work(item, index)
      } catch (error) {
        errors.push(error)
        return
      }
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, Math.floor(concurrency)) }, runLane))
  if (errors.length > 0) throw errors[0]
  return results
}
