import { GantryError, isGantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { FetchOptions } from '../store/store.js'
import { delay } from '../util/abort.js'
import { backoffDelay, type BackoffOptions } from '../util/backoff.js'
import { requestBlob, type BlobAnswer } from './blob-answer.js'
import { referenceIn, type RepositoryContext } from './repository-context.js'

/** How often a download goes on without getting ahead. */
const MAX_FAILURES = 5
/** Bytes that must arrive for a failure to be forgotten. */
const PROGRESS = 1024 * 1024

/**
 * Reads a blob. A body that breaks off, stalls or ends early is resumed where it stopped, by a range of the registry's
 * own address, since those it redirects to expire. A registry without ranges sends the blob again, and what has been
 * handed on already is skipped. Nothing is ever joined that does not fit, and the digest is left to the sink.
 * @throws GantryError `network-error`, `timeout`; `size-mismatch` for more or fewer bytes than declared
 */
export async function* downloadBlob(
  context: RepositoryContext,
  descriptor: Descriptor,
  options: FetchOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const progress = new DownloadProgress(descriptor, options.offset ?? 0, context.backoff)
  while (!progress.hasAll()) {
    // The transport has done all that can be done to get an answer; only what breaks off afterwards is resumed here.
    const { answer, start } = await openAt(context, descriptor, progress, options)
    let failure: GantryError | undefined
    let toSkip = progress.position - start
    try {
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        if (toSkip >= chunk.byteLength) {
          toSkip -= chunk.byteLength
          continue
        }
        const wanted = toSkip === 0 ? chunk : chunk.subarray(toSkip)
        toSkip = 0
        if (!progress.advance(wanted.byteLength)) throw tooLong(context, descriptor)
        yield wanted
      }
    } catch (error) {
      if (!isGantryError(error, 'network-error', 'timeout')) throw error
      failure = error
    }
    if (progress.hasAll()) return
    await delay(progress.nextDelay(failure ?? endedEarly(context, descriptor, progress.position)), options.signal)
  }
}

/** Where a download stands, and how often it has failed since it last got ahead. */
class DownloadProgress {
  readonly #size: number
  readonly #backoff: BackoffOptions
  #position: number
  #isOpened: boolean
  #failures = 0
  #lastFailure: number
  /** Cleared when the registry's answers to ranges cannot be used. */
  canUseRanges = true

  constructor({ size }: Descriptor, offset: number, backoff: BackoffOptions) {
    this.#backoff = backoff
    this.#size = size
    this.#position = offset
    this.#lastFailure = offset
    // Something has to be asked for even when the blob is empty: it may not be there.
    this.#isOpened = offset > 0
  }

  get position(): number {
    return this.#position
  }

  hasAll(): boolean {
    return this.#isOpened && this.#position >= this.#size
  }

  opened(): void {
    this.#isOpened = true
  }

  /** @returns whether the bytes are still within the declared size */
  advance(count: number): boolean {
    this.#position += count
    return this.#position <= this.#size
  }

  /** @throws the failure itself when there have been too many without getting ahead */
  nextDelay(failure: GantryError): number {
    if (this.#position - this.#lastFailure >= PROGRESS) this.#failures = 0
    this.#lastFailure = this.#position
    this.#failures++
    if (this.#failures >= MAX_FAILURES) throw failure
    return backoffDelay(this.#failures, this.#backoff)
  }
}

async function openAt(
  context: RepositoryContext,
  descriptor: Descriptor,
  progress: DownloadProgress,
  options: FetchOptions,
): Promise<BlobAnswer> {
  if (progress.position > 0 && progress.canUseRanges) {
    const part = await requestBlob(context, descriptor, { start: progress.position }, options)
    if (part !== undefined) return part
    // Once is enough: what has been sent already is skipped in the whole blob.
    progress.canUseRanges = false
  }
  const whole = await requestBlob(context, descriptor, undefined, options)
  progress.opened()
  if (whole !== undefined) return whole
  throw new GantryError(
    'invalid-content',
    `the registry sends ${referenceIn(context, descriptor.digest)} only in parts`,
  )
}

function tooLong(context: RepositoryContext, descriptor: Descriptor): GantryError {
  const what = `blob ${referenceIn(context, descriptor.digest)}`
  return new GantryError('size-mismatch', `${what} is longer than its declared size of ${descriptor.size} bytes`)
}

function endedEarly(context: RepositoryContext, descriptor: Descriptor, position: number): GantryError {
  return new GantryError(
    'size-mismatch',
    `blob ${referenceIn(context, descriptor.digest)} ended early: got ${position} of ${descriptor.size} bytes`,
  )
}
