import { GantryError, isGantryError } from '../errors.js'
import type { Digest } from '../oci/digest.js'
import { referrersTagOf } from '../oci/referrers-tag.js'
import type { CallOptions } from '../store/store.js'
import { abortError, delay, onAbort, throwIfAborted } from '../util/abort.js'
import { backoffDelay } from '../util/backoff.js'
import type { RegistryTransport } from './http/transport.js'
import { putManifest } from './manifest-push.js'
import { hasManifest } from './manifests.js'
import { changedIndex, isApplied, missingEntries, readReferrersTag, requireWritable } from './referrers-fallback.js'
import type { ReferrerChange, ReferrersIndex } from './referrers-fallback.js'
import { referenceIn, type RepositoryContext } from './repository-context.js'

/** How long a change is written again because others were faster or have overwritten it, in milliseconds. */
const MAX_TIME_AMONG_OTHERS = 120_000
/** How often it is written again although nobody has written anything. */
const MAX_FAILURES = 5
/** How long a change has to stand before it counts, in milliseconds. */
const MIN_SETTLE = 100
const MIN_SETTLE_AMONG_OTHERS = 1000
const MAX_SETTLE = 3000
/** How old what was read may be when it is written back, in milliseconds; in a busy process that is no matter of course. */
const MAX_AGE = 50
/** How often it is read again for being too old. */
const MAX_STALE_ROUNDS = 20
const WAIT_FOR_OTHERS = { base: 400, cap: 3000 }

interface PendingChange extends ReferrerChange {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
  /** When it was written first and last, in milliseconds of the monotonic clock; undefined before. */
  firstWrittenAt: number | undefined
  writtenAt: number
  /** How often it was written in vain although nobody else wrote. */
  failures: number
}

const writers = new WeakMap<RegistryTransport, Map<string, ReferrersTagWriter>>()

/**
 * Changes the list of referrers that is kept under a tag: read, change, write, and read again until the change stands.
 * Changes to one list that come at the same time in this process are written together; other processes may overwrite
 * each other, which the reading afterwards finds and mends. Whoever loses to another has not failed: the others get
 * fewer, so only time bounds that.
 * @throws GantryError `conflict` when the tag holds something else, is overwritten for two minutes or does not change
 */
export function changeReferrersTag(
  context: RepositoryContext,
  subject: Digest,
  change: ReferrerChange,
  { signal }: CallOptions = {},
): Promise<void> {
  const ofTransport = writers.get(context.transport) ?? new Map<string, ReferrersTagWriter>()
  writers.set(context.transport, ofTransport)
  const key = referenceIn(context, subject)
  let writer = ofTransport.get(key)
  if (writer === undefined) {
    writer = new ReferrersTagWriter(context, subject, () => ofTransport.delete(key))
    ofTransport.set(key, writer)
  }
  return writer.apply(change, signal)
}

class ReferrersTagWriter {
  readonly #context: RepositoryContext
  readonly #subject: Digest
  readonly #onIdle: () => void
  readonly #pending = new Set<PendingChange>()
  #abandoned = new AbortController()
  #isRunning = false
  /** How long the last round from reading to having written took: about as long as others need. */
  #roundTime = 0
  #lostRounds = 0
  /** What stood under the tag when something was written last. */
  #basis: Digest | undefined
  /** What was written here last; something else in its place means that there are other writers. */
  #written: Digest | undefined
  #hasOthers = false
  #readAt = 0
  #staleRounds = 0
  /** Rounds that ended because the registry failed and what had been read was too old for a retry. */
  #failedRounds = 0
  #hasWaited = false

  constructor(context: RepositoryContext, subject: Digest, onIdle: () => void) {
    this.#context = context
    this.#subject = subject
    this.#onIdle = onIdle
  }

  async apply(change: ReferrerChange, signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal)
    let stopListening = (): void => undefined
    try {
      await new Promise<void>((resolve, reject) => {
        const pending = { ...change, resolve, reject, firstWrittenAt: undefined, writtenAt: 0, failures: 0 }
        stopListening = onAbort(signal, () => {
          if (signal !== undefined) this.#drop(pending, abortError(signal))
        })
        this.#pending.add(pending)
        if (!this.#isRunning) void this.#run()
      })
    } finally {
      stopListening()
    }
  }

  /** Those who abort do not stop the others; without any the work ends. */
  #drop(change: PendingChange, error: unknown): void {
    this.#pending.delete(change)
    change.reject(error)
    if (this.#pending.size === 0) this.#abandoned.abort()
  }

  /** Never rejects: every failure belongs to changes. */
  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#pending.size > 0) {
      const { signal } = (this.#abandoned = new AbortController())
      try {
        await this.#round({ signal })
      } catch (error) {
        // Changes that came after all others had aborted are for the next round.
        if (!signal.aborted) for (const change of this.#pending) this.#drop(change, this.#explain(error))
      }
    }
    this.#isRunning = false
    this.#onIdle()
  }

  async #round(options: CallOptions): Promise<void> {
    const begun = performance.now()
    const index = await readReferrersTag(this.#context, this.#subject, options)
    this.#readAt = performance.now()
    if (this.#written !== undefined && index.digest !== this.#written) this.#hasOthers = true
    const settled = begun - this.#settleTime()
    for (const change of this.#pending) {
      if (!isApplied(index, change) || (isWritten(change) && change.writtenAt > settled)) continue
      this.#pending.delete(change)
      change.resolve()
    }
    const missing = [...this.#pending].filter((change) => !isApplied(index, change))
    const lost = missing.filter(isWritten)
    if (lost.length > 0 && !this.#hasWaited) {
      await this.#waitForOthers(lost, index, options)
    } else if (missing.length > 0) {
      this.#hasWaited = false
      await this.#write(index, missing, options)
      this.#roundTime = performance.now() - begun
    } else if (this.#pending.size > 0) {
      const next = Math.max(...[...this.#pending].map(({ writtenAt }) => writtenAt)) + this.#settleTime()
      await delay(Math.max(1, next - performance.now()), options.signal)
    }
  }

  /** Somebody has overwritten what was written here; the next try is at another time, on what stands there then. */
  async #waitForOthers(
    lost: readonly PendingChange[],
    { digest }: ReferrersIndex,
    options: CallOptions,
  ): Promise<void> {
    const isUnchanged = digest === this.#basis
    const now = performance.now()
    for (const change of lost) {
      if (isUnchanged) change.failures++
      if (change.failures >= MAX_FAILURES) this.#drop(change, this.#unchanged())
      else if (now - (change.firstWrittenAt ?? now) > MAX_TIME_AMONG_OTHERS) this.#drop(change, this.#overwritten())
    }
    this.#lostRounds++
    this.#hasWaited = true
    await delay(backoffDelay(this.#lostRounds, WAIT_FOR_OTHERS), options.signal)
  }

  async #write(index: ReferrersIndex, changes: readonly PendingChange[], options: CallOptions): Promise<void> {
    requireWritable(this.#context, this.#subject, index)
    if (this.#lostRounds > 0 && index.isSubject) throw this.#unwritable()
    try {
      if ((await this.#put(index, changes, options)) === 'stale') return
      this.#staleRounds = 0
      this.#failedRounds = 0
    } catch (error) {
      // Somebody else was faster, and the registry has noticed.
      if (!isGantryError(error, 'conflict') || error.response?.status !== 412) throw error
    }
    this.#basis = index.digest
    for (const change of changes) {
      change.writtenAt = performance.now()
      change.firstWrittenAt ??= change.writtenAt
    }
  }

  /**
   * Writes the list.
   * @returns `stale` when nothing was sent because what was read is too old
   */
  async #put(
    index: ReferrersIndex,
    changes: readonly ReferrerChange[],
    { signal }: CallOptions,
  ): Promise<'written' | 'stale'> {
    const tag = referrersTagOf(this.#subject)
    const isStrong = index.etag !== undefined && !index.etag.startsWith('W/')
    const ifMatch = isStrong ? index.etag : undefined
    // A note of its own: on its way through the transport an error may be replaced by another one.
    let isStale = false as boolean
    let sendings = 0
    const beforeSending = (): void => {
      sendings++
      if (performance.now() - this.#readAt <= MAX_AGE || !this.#mayReadAgain(sendings > 1)) return
      isStale = true
      throw new GantryError('conflict', 'the list of referrers was read too long ago')
    }
    const put = async (gone?: ReadonlySet<string>): Promise<void> => {
      const changed = changedIndex(this.#context, index, changes, gone)
      await putManifest(this.#context, changed, tag, { signal, ifMatch, beforeSending })
      this.#written = changed.descriptor.digest
    }
    try {
      await this.#putMended(put, { signal })
      return 'written'
    } catch (error) {
      if (isStale) return 'stale'
      throw error
    }
  }

  /** Entries whose manifests were deleted behind the list's back keep some registries from taking it. */
  async #putMended(put: (gone?: ReadonlySet<string>) => Promise<void>, options: CallOptions): Promise<void> {
    try {
      await put()
    } catch (error) {
      if (!isGantryError(error)) throw error
      const gone = new Set<string>()
      for (const digest of missingEntries(error)) {
        if (!(await hasManifest(this.#context, digest, options))) gone.add(digest)
      }
      if (gone.size === 0) throw error
      await put(gone)
    }
  }

  /** A registry that goes on failing has to be told from one that is slow: its retries are the transport's to count. */
  #mayReadAgain(isRetry: boolean): boolean {
    if (isRetry) return ++this.#failedRounds < this.#context.repetition.attempts
    return this.#staleRounds++ < MAX_STALE_ROUNDS
  }

  #settleTime(): number {
    const least = this.#hasOthers ? MIN_SETTLE_AMONG_OTHERS : MIN_SETTLE
    return Math.min(MAX_SETTLE, Math.max(least, 4 * this.#roundTime))
  }

  #overwritten(): GantryError {
    const where = referenceIn(this.#context, referrersTagOf(this.#subject))
    const seconds = MAX_TIME_AMONG_OTHERS / 1000
    return new GantryError('conflict', `${where} was overwritten by others again and again for ${seconds} s`, {
      hint: 'try again: the manifest itself is there, and only missing in the list of referrers',
    })
  }

  /** Names the tag and what it is for, which nobody has asked for by that name. */
  #explain(error: unknown): unknown {
    const tag = referrersTagOf(this.#subject)
    if (!isGantryError(error) || error.code === 'aborted' || error.message.includes(tag)) return error
    const where = referenceIn(this.#context, tag)
    return new GantryError(error.code, `cannot update the list of referrers at ${where}: ${error.message}`, {
      ...error.options,
      hint: error.hint ?? 'the manifest itself is there, and only missing in the list of referrers',
    })
  }

  #unchanged(): GantryError {
    const where = referenceIn(this.#context, referrersTagOf(this.#subject))
    return new GantryError('conflict', `${where} stays as it is, although it was written ${MAX_FAILURES} times`, {
      hint: 'the manifest itself is there, and only missing in the list of referrers',
    })
  }

  #unwritable(): GantryError {
    const where = referenceIn(this.#context, referrersTagOf(this.#subject))
    return new GantryError('unsupported', `the registry takes ${where} for the subject itself and keeps no list there`)
  }
}

function isWritten({ firstWrittenAt }: PendingChange): boolean {
  return firstWrittenAt !== undefined
}
