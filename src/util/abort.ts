import { setMaxListeners } from 'node:events'
import { GantryError } from '../errors.js'

/** @throws GantryError `aborted` when the caller's signal has fired; a GantryError given as its reason is thrown itself */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal)
}

/** What is thrown for a signal that has fired. */
export function abortError(signal: AbortSignal): GantryError {
  const reason: unknown = signal.reason
  return reason instanceof GantryError ? reason : new GantryError('aborted', 'aborted', { cause: reason })
}

/**
 * Calls back when the signal fires.
 * @returns how to stop listening; nothing may be left listening to a signal that outlives the call
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => undefined
  const listeners = ABORT_LISTENERS.get(signal) ?? new AbortListeners(signal)
  ABORT_LISTENERS.set(signal, listeners)
  return listeners.add(listener)
}

const ABORT_LISTENERS = new WeakMap<AbortSignal, AbortListeners>()

/**
 * Everybody who waits for one signal. One goes down every call, and many wait for it at a time: Node would look through
 * all of them each time when one comes or goes.
 */
class AbortListeners {
  readonly #signal: AbortSignal
  readonly #listeners = new Set<{ readonly call: () => void }>()
  readonly #onAbort = (): void => {
    for (const { call } of this.#listeners) call()
    this.#listeners.clear()
  }

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  add(call: () => void): () => void {
    if (this.#listeners.size === 0) {
      // Whoever else uses the signal may have more than ten listeners, which Node takes for a leak.
      setMaxListeners(0, this.#signal)
      this.#signal.addEventListener('abort', this.#onAbort, { once: true })
    }
    const entry = { call }
    this.#listeners.add(entry)
    return () => {
      if (this.#listeners.delete(entry) && this.#listeners.size === 0)
        this.#signal.removeEventListener('abort', this.#onAbort)
    }
  }
}

/**
 * Waits, and no longer than until the signal fires.
 * @param milliseconds how long
 * @throws GantryError `aborted`
 */
export async function delay(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await abortable((settle) => {
    const timer = setTimeout(settle, milliseconds)
    return () => {
      clearTimeout(timer)
    }
  }, signal)
}

/**
 * Waits for something that calls back, and no longer than until the signal fires.
 * @param start begins to wait and returns how to stop
 * @throws GantryError `aborted`
 */
export async function abortable(start: (settle: () => void) => () => void, signal?: AbortSignal): Promise<void> {
  throwIfAborted(signal)
  await new Promise<void>((resolve, reject) => {
    const stopListening = onAbort(signal, () => {
      stop()
      if (signal !== undefined) reject(abortError(signal))
    })
    const stop = start(() => {
      stopListening()
      resolve()
    })
  })
}

/**
 * Waits for a promise, and no longer than until the signal fires. What the promise stands for goes on then, and its
 * outcome is nobody's concern.
 * @throws GantryError `aborted`, and what the promise rejects with
 */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  let settled = (): void => undefined
  void promise.then(
    () => settled(),
    () => settled(),
  )
  await abortable((settle) => {
    settled = settle
    return () => undefined
  }, signal)
  return promise
}
