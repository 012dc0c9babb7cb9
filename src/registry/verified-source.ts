import type { Descriptor } from '../oci/descriptor.js'
import { Verifier, verifyContent } from '../store/verify.js'
import { collectBytes, type OpenContent } from '../util/bytes.js'

/** How far apart the places are from which a source is read again, in bytes. */
const CHECKPOINT_DISTANCE = 32 * 1024 * 1024

interface SourceReader {
  readonly iterator: AsyncIterator<Uint8Array>
  readonly verifier: Verifier
  /** Read and checked, and not handed on yet. */
  rest: Uint8Array | undefined
}

/**
 * Content on its way into an upload. It can be read from any offset as often as needed, and is checked against its
 * descriptor on the way: the last piece is held back until size and digest are known to be right, so that no registry
 * ever sees all of something wrong.
 */
export class VerifiedSource {
  readonly #descriptor: Descriptor
  readonly #open: OpenContent
  /** States of the check at offsets that were passed; sorted. */
  readonly #checkpoints: Verifier[]
  /** Stands at the end of the last read, for the next one to go on from. */
  #idle: SourceReader | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(descriptor: Descriptor, open: OpenContent) {
    this.#descriptor = descriptor
    this.#open = open
    this.#checkpoints = [new Verifier(descriptor)]
  }

  /** What the source or the check of it threw; connections tend to wrap it or to hide it. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure
  }

  /**
   * The bytes from `start` up to and without `end`.
   * @throws GantryError `size-mismatch`, `digest-mismatch`, and whatever the source throws
   */
  async *read(start: number, end: number): AsyncGenerator<Uint8Array, void, undefined> {
    const reader = this.#readerAt(start)
    let isDone = false
    try {
      let position = positionOf(reader)
      while (position < end) {
        const chunk = reader.rest ?? (await this.#next(reader))
        const from = Math.max(0, start - position)
        const to = Math.min(chunk.byteLength, end - position)
        reader.rest = to < chunk.byteLength ? chunk.subarray(to) : undefined
        position += to
        if (from < to) yield from === 0 && to === chunk.byteLength ? chunk : chunk.subarray(from, to)
      }
      isDone = true
    } catch (error) {
      this.#failure = { error }
      throw error
    } finally {
      if (isDone) this.#idle = reader
      else await closeQuietly(reader)
    }
  }

  /**
   * All of it, for content that may be held in memory.
   * @throws GantryError `size-mismatch`, `digest-mismatch`, and whatever the source throws
   */
  async readWhole(): Promise<Uint8Array> {
    const { digest, size } = this.#descriptor
    return collectBytes(verifyContent(this.#descriptor, this.#open()), size, `blob ${digest}`)
  }

  /** Lets go of the source. */
  async close(): Promise<void> {
    const reader = this.#idle
    this.#idle = undefined
    if (reader !== undefined) await closeQuietly(reader)
  }

  /** The reader that stands at `start`, or a new one at the last checkpoint before it. */
  #readerAt(start: number): SourceReader {
    const idle = this.#idle
    this.#idle = undefined
    if (idle !== undefined) {
      if (positionOf(idle) === start) return idle
      void closeQuietly(idle)
    }
    const checkpoint = this.#checkpoints.findLast(({ size }) => size <= start) ?? new Verifier(this.#descriptor)
    // A connection has taken a chunk before it asks for the next one.
    const iterator = this.#open(checkpoint.size, { transient: true })[Symbol.asyncIterator]()
    return { iterator, verifier: checkpoint.copy(), rest: undefined }
  }

  async #next({ iterator, verifier }: SourceReader): Promise<Uint8Array> {
    const next = await iterator.next()
    if (next.done === true) {
      verifier.finish()
      return new Uint8Array(0)
    }
    const value = next.value
    verifier.update(value)
    if (verifier.size === this.#descriptor.size) await finish(iterator, verifier)
    const last = this.#checkpoints.at(-1)
    if (last !== undefined && verifier.size - last.size >= CHECKPOINT_DISTANCE) this.#checkpoints.push(verifier.copy())
    return value
  }
}

/** Makes sure that nothing follows, and that it was the right content. */
async function finish(iterator: AsyncIterator<Uint8Array>, verifier: Verifier): Promise<void> {
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) verifier.update(next.value)
  verifier.finish()
}

function positionOf({ verifier, rest }: SourceReader): number {
  return verifier.size - (rest?.byteLength ?? 0)
}

async function closeQuietly({ iterator }: SourceReader): Promise<void> {
  try {
    await iterator.return?.()
  } catch {
    // Nobody wants the rest of it any more.
  }
}
