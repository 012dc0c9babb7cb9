import { isManifest, type Descriptor } from '../oci/descriptor.js'
import type { CallOptions, Sink } from '../store/store.js'

/** Sending a blob of up to this many bytes takes hardly longer than asking whether it is there. */
const SMALL = 64 * 1024
/** Blobs that a sink turned out not to have, after which it is expected to have none. */
const ENOUGH = 32

/**
 * Asks a sink what it has. As long as it has nothing at all of what is copied, it is not asked about small blobs any
 * more after the first ones: a repository that has none of them has hardly any of the others, and a blob that is there
 * can be sent again.
 */
export class SinkSurvey {
  readonly #sink: Sink
  readonly #exact: boolean
  #found = false
  #missingBlobs = 0

  /** @param exact ask about everything */
  constructor(sink: Sink, exact: boolean) {
    this.#sink = sink
    this.#exact = exact
  }

  async has(descriptor: Descriptor, options: CallOptions): Promise<boolean> {
    const isBlob = !isManifest(descriptor)
    if (isBlob && this.#isExpectedToMiss(descriptor)) return false
    const has = await this.#sink.has(descriptor, options)
    if (has) this.#found = true
    else if (isBlob) this.#missingBlobs++
    return has
  }

  #isExpectedToMiss({ size }: Descriptor): boolean {
    return !this.#exact && !this.#found && this.#missingBlobs >= ENOUGH && size <= SMALL
  }
}
