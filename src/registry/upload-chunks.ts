import { GantryError } from '../errors.js'
import { delay } from '../util/abort.js'
import type { Bytes } from '../util/bytes.js'
import type { RepositoryContext } from './repository-context.js'
import type { UploadSession } from './upload-session.js'

const MIB = 1024 * 1024

/**
 * Largest and smallest chunks that are tried after a request was refused for its size, in bytes. Proxies that answer
 * with 413 commonly take 1 to 100 MiB; registries that answer with 416 to a chunk that continues rightly take 4 MiB.
 */
const CHUNKS_AFTER: Readonly<Record<number, { readonly largest: number; readonly smallest: number }>> = {
  413: { largest: 16 * MIB, smallest: 64 * 1024 },
  416: { largest: 4 * MIB, smallest: MIB },
}
/** Milliseconds that a retry waits after its first bytes for a server that refuses the request without reading it. */
const REFUSAL_PAUSE = 500
/** Bytes that go ahead of that pause. */
const AHEAD_OF_PAUSE = 1024

/** Content whose first bytes go ahead, so that a server that refuses the request can say so before it hangs up. */
export async function* afterPause(content: Bytes, signal: AbortSignal | undefined): Bytes {
  let isPaused = false
  for await (const chunk of content) {
    if (isPaused) yield chunk
    else {
      isPaused = true
      yield chunk.subarray(0, AHEAD_OF_PAUSE)
      await delay(REFUSAL_PAUSE, signal)
      if (chunk.byteLength > AHEAD_OF_PAUSE) yield chunk.subarray(AHEAD_OF_PAUSE)
    }
  }
}

/** The error after which no smaller chunk is left to try. */
export function withSizeHint(error: GantryError): GantryError {
  const hint = 'a proxy before the registry may limit the size of requests; smaller chunks were refused too'
  return new GantryError(error.code, error.message, { ...error.options, hint: error.hint ?? hint })
}

/** How large the chunks of one upload are, and what was learned from requests that were refused for their size. */
export class ChunkSizes {
  readonly #context: Pick<RepositoryContext, 'state' | 'transport'>
  readonly #wanted: number
  /** In bytes. */
  #learned: number | undefined

  /** @param wanted largest chunk, in bytes; by default the whole blob is sent in one request */
  constructor(context: Pick<RepositoryContext, 'state' | 'transport'>, wanted = Number.MAX_SAFE_INTEGER) {
    this.#context = context
    this.#wanted = wanted
  }

  /** Largest body of the next request, in bytes. */
  get limit(): number {
    return Math.min(this.#wanted, this.#context.state.chunkSize ?? this.#wanted, this.#learned ?? this.#wanted)
  }

  /** The size of the chunks of an upload session, in bytes; the bounds of the registry come first. */
  sizeFor({ minimumChunk, maximumChunk }: UploadSession): number {
    return Math.min(Math.max(this.limit, minimumChunk), maximumChunk)
  }

  /**
   * Chooses a smaller size after a request was refused for its size.
   * @param refused bytes in the body of that request
   * @returns false when there is no smaller size to try
   */
  shrink(status: number | undefined, refused: number): boolean {
    const bounds = CHUNKS_AFTER[status ?? 0]
    if (bounds === undefined || refused <= bounds.smallest) return false
    const half = 2 ** (Math.ceil(Math.log2(refused)) - 1)
    // Another upload may have found a smaller one meanwhile.
    this.#learned = Math.min(half, bounds.largest, this.limit)
    const { state, transport } = this.#context
    // A registry may answer 416 to every chunk: that is remembered when the upload has succeeded.
    if (status === 413) {
      state.limitChunks(this.#learned)
      transport.notice?.(`${transport.registry} refuses large requests: uploading in chunks`)
    }
    return true
  }

  /** Remembers for the registry what was learned, as the upload has succeeded. */
  confirm(): void {
    if (this.#learned !== undefined) this.#context.state.limitChunks(this.#learned)
  }
}
