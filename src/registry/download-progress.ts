import type { GantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { Attempts } from './repetition.js'

/** Bytes that must arrive for failures to be forgotten, and the part of a blob that is enough. */
const PROGRESS = 1024 * 1024
const PROGRESS_PART = 1 / 16

/** Where a download stands, and whether it gets ahead although it breaks off. */
export class DownloadProgress {
  readonly #size: number
  readonly #attempts: Attempts
  #position: number
  #isOpened: boolean
  /** Where the failures that count began. */
  #mark: number
  /** Cleared when the registry's answers to ranges cannot be used. */
  canUseRanges = true

  constructor({ size }: Descriptor, offset: number, attempts: Attempts) {
    this.#attempts = attempts
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

  /**
   * Waits until it is time to go on after a failure.
   * @throws GantryError the failure itself when there have been too many since the download last got ahead; `aborted`
   */
  async goOn(failure: GantryError, signal: AbortSignal | undefined): Promise<void> {
    const enough = Math.max(1, Math.min(PROGRESS, this.#size * PROGRESS_PART))
    if (this.#position - this.#mark >= enough) {
      this.#attempts.forget()
      this.#mark = this.#position
    }
    await this.#attempts.again(failure, signal)
  }
}
