import { abortError, onAbort, throwIfAborted } from '../util/abort.js'
import { withFileLock } from '../util/file-lock.js'

/** Makes changes one after the other, and says of each how it ended; when it throws, none was made. */
export type MakeChanges<Change> = (changes: readonly Change[]) => Promise<readonly PromiseSettledResult<void>[]>

interface PendingChange<Change> {
  readonly change: Change
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Makes changes to a file under a lock between processes. Changes of this process that come while others are made, or
 * while the lock is waited for, are made together.
 */
export class ChangeQueue<Change> {
  readonly #lockPath: string
  readonly #make: MakeChanges<Change>
  readonly #pending = new Set<PendingChange<Change>>()
  #isRunning = false
  /** Ends the wait for the lock when nobody waits for its outcome any more. */
  #lockWait: AbortController | undefined

  constructor(lockPath: string, make: MakeChanges<Change>) {
    this.#lockPath = lockPath
    this.#make = make
  }

  /**
   * Makes a change. Returns when it is made and the lock is free again.
   * @throws GantryError `locked`; `aborted` while the change waits, not while it is made; what it is answered with
   */
  async add(change: Change, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    let stopListening = (): void => undefined
    try {
      await new Promise<void>((resolve, reject) => {
        const pending = { change, resolve, reject }
        stopListening = onAbort(signal, () => {
          this.#drop(pending, signal)
        })
        this.#pending.add(pending)
        if (!this.#isRunning) void this.#run()
      })
    } finally {
      stopListening()
    }
  }

  #drop(pending: PendingChange<Change>, signal: AbortSignal | undefined): void {
    if (signal === undefined || !this.#pending.delete(pending)) return
    pending.reject(abortError(signal))
    if (this.#pending.size === 0) this.#lockWait?.abort()
  }

  /** Never rejects: each change is told by itself. */
  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#pending.size > 0) await this.#runBatch()
    this.#isRunning = false
  }

  async #runBatch(): Promise<void> {
    const batch: PendingChange<Change>[] = []
    const lockWait = new AbortController()
    this.#lockWait = lockWait
    const makeAll = (): Promise<readonly PromiseSettledResult<void>[]> => {
      batch.push(...this.#pending)
      this.#pending.clear()
      return this.#make(batch.map(({ change }) => change))
    }
    try {
      const outcomes = await withFileLock(this.#lockPath, makeAll, { signal: lockWait.signal })
      for (const [index, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[index]
        if (outcome?.status === 'rejected') reject(outcome.reason)
        else resolve()
      }
    } catch (error) {
      // Nobody waited any more; whoever has come since waits anew.
      if (batch.length === 0 && lockWait.signal.aborted) return
      // Without the lock nobody has had a turn: the wait was in vain for all.
      for (const { reject } of batch.length > 0 ? batch : this.#pending) reject(error)
      if (batch.length === 0) this.#pending.clear()
    }
  }
}
