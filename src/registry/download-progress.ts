import type { GantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import { backoffDelay, type BackoffOptions } from '../util/backoff.js'

/** How often a download goes on without getting ahead. */
const MAX_FAILURES = 5
/** Bytes that must arrive for a failure to be forgotten. */
const PROGRESS = 1024 * 1024

/** Where a download stands, and how often it has failed since it last got ahead. */
export class DownloadProgress {
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
