import type { Descriptor } from '../oci/descriptor.js'
import { isLocalSource, type Sink, type Source } from '../store/store.js'
import { throwIfAborted } from '../util/abort.js'
import { Limit } from '../util/limit.js'
import { nodeKeyOf, type NodeKey } from './read-graph.js'
import { SMALL_AT_ONCE, SMALL_SIZE } from './run-graph.js'
import { transfer, type TransferOptions, type TransferOutcome } from './transfer.js'

export interface EarlyMoveOptions extends TransferOptions {
  /** Where it is given nothing moves early, as reading and moving would be more at once than that. */
  readonly concurrency?: number
}

/**
 * Moves small blobs while the rest of their graph is still being read: reading is one question after the other, and
 * leaves the way to the registries idle. A blob needs nothing to be there before it, and does no harm when what names
 * it does not come.
 */
export class EarlyMoves {
  readonly #source: Source
  readonly #sink: Sink
  readonly #options: EarlyMoveOptions
  readonly #limit = new Limit(SMALL_AT_ONCE)
  readonly #isEnabled: boolean
  readonly #moves = new Map<NodeKey, Promise<TransferOutcome>>()
  readonly #ended = new AbortController()

  constructor(source: Source, sink: Sink, options: EarlyMoveOptions) {
    this.#source = source
    this.#sink = sink
    this.#options = options
    // What is on this machine is read so fast that everything can wait for the plan.
    this.#isEnabled = options.concurrency === undefined && !isLocalSource(source)
  }

  /** Begins to move a blob, if it is one of those. */
  add(descriptor: Descriptor): void {
    if (!this.#isEnabled || descriptor.size >= SMALL_SIZE || this.#ended.signal.aborted) return
    const move = this.#limit.run(() => this.#move(descriptor), this.#options.signal)
    this.#moves.set(nodeKeyOf(descriptor), move)
    // Whoever asks for the outcome hears of a failure; no other move begins until then.
    move.catch((error: unknown) => this.#ended.abort(error))
  }

  /** How the blob came to the sink, if it was moved early; rejects with why it did not. */
  outcomeOf(key: NodeKey): Promise<TransferOutcome> | undefined {
    return this.#moves.get(key)
  }

  /** Begins nothing more, and waits for what is under way, whatever becomes of it. */
  async end(): Promise<void> {
    this.#ended.abort()
    await Promise.allSettled(this.#moves.values())
  }

  async #move(descriptor: Descriptor): Promise<TransferOutcome> {
    throwIfAborted(this.#ended.signal)
    return transfer(this.#source, this.#sink, descriptor, this.#options)
  }
}
