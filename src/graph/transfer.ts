import { isGantryError, withSide } from '../errors.js'
import { isManifest, type Descriptor } from '../oci/descriptor.js'
import { isMounter, type FetchOptions, type PushOptions, type Sink, type Source } from '../store/store.js'
import { openBytes, type Bytes, type ContentUse, type OpenContent } from '../util/bytes.js'
import type { OnTransferEvent } from './events.js'
import type { TransferSpeed } from './transfer-speed.js'

export interface TransferOptions {
  readonly onEvent?: OnTransferEvent
  /** Is told of what moves. */
  readonly speed?: TransferSpeed
  readonly signal?: AbortSignal
  /** Take layers that the source does not have from the addresses that their descriptors name. */
  readonly nonDistributable?: boolean
  /** Also point this tag at a manifest, in the same step where the sink can. */
  readonly tag?: string
}

/** How a node came to the sink. */
export type TransferOutcome = 'copied' | 'mounted'

/**
 * Moves one blob or manifest. Where the sink can take a blob from the source's repository, no bytes move. Content that
 * arrives with the wrong digest is asked for once more, past every cache.
 * @throws GantryError that says which side failed
 */
export async function transfer(
  source: Source,
  sink: Sink,
  descriptor: Descriptor,
  options: TransferOptions = {},
): Promise<TransferOutcome> {
  let isStarted = false
  const start = (): void => {
    if (!isStarted) options.onEvent?.({ type: 'started', descriptor })
    isStarted = true
  }
  try {
    return await attempt(source, sink, descriptor, { ...options, start, noCache: false })
  } catch (error) {
    if (!isGantryError(error, 'digest-mismatch')) throw error
    return attempt(source, sink, descriptor, { ...options, start, noCache: true })
  }
}

/** Pushes a manifest that is in memory. */
export async function transferBytes(
  bytes: Uint8Array,
  sink: Sink,
  descriptor: Descriptor,
  options: TransferOptions = {},
): Promise<void> {
  options.onEvent?.({ type: 'started', descriptor })
  try {
    await sink.push(descriptor, openBytes(bytes), pushOptions(descriptor, options))
  } catch (error) {
    throw blame(error, 'destination')
  }
  options.onEvent?.({ type: 'finished', descriptor })
}

/** An error that says which side failed; giving up on request is nobody's failure. */
export function blame(error: unknown, side: 'source' | 'destination'): unknown {
  return isGantryError(error, 'aborted') ? error : withSide(error, side)
}

interface AttemptOptions extends TransferOptions {
  /** Called when bytes are about to move. */
  readonly start: () => void
  readonly noCache: boolean
}

async function attempt(
  source: Source,
  sink: Sink,
  descriptor: Descriptor,
  options: AttemptOptions,
): Promise<TransferOutcome> {
  const { onEvent, signal, start, noCache, nonDistributable } = options
  const mounter = isMounter(sink) && !isManifest(descriptor) ? sink : undefined
  // After a wrong digest the bytes have to come from the source: a mount would give the sink's registry the last word.
  const from = noCache ? undefined : mounter?.mountSourceOf(source)
  const content = new WatchedContent(source, descriptor, { noCache, foreign: nonDistributable, signal })
  const open: OpenContent = (offset, use) => {
    start()
    return content.open(offset, use)
  }
  try {
    if (mounter !== undefined && from !== undefined) {
      if (await mounter.mount(descriptor, from, open, pushOptions(descriptor, options))) {
        onEvent?.({ type: 'mounted', descriptor, from })
        return 'mounted'
      }
    } else {
      start()
      await sink.push(descriptor, open, pushOptions(descriptor, options))
    }
  } catch (error) {
    throw content.blame(error)
  }
  onEvent?.({ type: 'finished', descriptor })
  return 'copied'
}

function pushOptions(descriptor: Descriptor, { onEvent, speed, signal, tag }: TransferOptions): PushOptions {
  const follow = speed?.follow()
  return {
    signal,
    tag,
    onProgress:
      onEvent === undefined && follow === undefined
        ? undefined
        : (offset: number) => {
            follow?.(offset)
            onEvent?.({ type: 'progress', descriptor, offset })
          },
  }
}

/** Content of a source that remembers whether it was the source that failed, whatever the sink makes of the error. */
class WatchedContent {
  readonly #source: Source
  readonly #descriptor: Descriptor
  readonly #options: FetchOptions
  #failure: unknown

  constructor(source: Source, descriptor: Descriptor, options: FetchOptions) {
    this.#source = source
    this.#descriptor = descriptor
    this.#options = options
  }

  open(offset = 0, use: ContentUse = {}): Bytes {
    this.#failure = undefined
    const content = this.#source.fetch(this.#descriptor, { ...this.#options, ...use, offset })
    return { [Symbol.asyncIterator]: () => this.#watch(content[Symbol.asyncIterator]()) }
  }

  blame(error: unknown): unknown {
    if (this.#failure !== undefined) return blame(this.#failure, 'source')
    // The sink has found out what the source sent.
    const isWrongContent = isGantryError(error, 'digest-mismatch', 'size-mismatch')
    return blame(error, isWrongContent ? 'source' : 'destination')
  }

  #watch(iterator: AsyncIterator<Uint8Array>): AsyncIterator<Uint8Array> {
    return {
      next: async () => {
        try {
          return await iterator.next()
        } catch (error) {
          this.#failure = error
          throw error
        }
      },
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    }
  }
}
