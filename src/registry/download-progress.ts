import type { GantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import { backoffDelay, type BackoffOptions } from '../util/backoff.js'

/** How often a download goes on without getting ahead. */
const MAX_FAILURES = 5
/** Bytes that must arrive for failures to be forgotten, and the part of a blob that is enough. */
const PROGRESS = 1024 * 1024
const PROGRESS_PART = 1 / 16

/** Where a download stands, and how often it has failed since it last got ahead. */
export class DownloadProgress {
  readonly #size: number
  readonly #backoff: BackoffOptions
  #position: number
  #isOpened: boolean
  #failures = 0
  /** Where the failures that count began. */
  #mark: number
  /** Cleared when the registry's answers to ranges cannot be used. */
  canUseRanges = true

  constructor({ size }: Descriptor, offset: number, backoff: BackoffOptions) {
    this.#backoff = backoff
    this.#size = size
    this.#position = offset
    this.#mark = offset
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

  /** @throws the failure itself when there have been five since the download last got ahead */
  nextDelay(failure: GantryError): number {
    const enough = Math.max(1, Math.min(PROGRESS, this.#size * PROGRESS_PART))
    if (this.#position - this.#mark >= enough) {
      this.#failures = 0
      this.#mark = this.#position
    }
    this.#failures++
    if (this.#failures >= MAX_FAILURES) throw failure
    return backoffDelay(this.#failures, this.#backoff)
  }
}
