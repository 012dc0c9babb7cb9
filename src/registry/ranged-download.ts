import type { Descriptor } from '../oci/descriptor.js'
import type { FetchOptions } from '../store/store.js'
import { ReadPieces, type PiecePool } from '../util/piece-pool.js'
import { requestBlob } from './blob-answer.js'
import { PIECE_SIZE, rangeMemoryOf } from './range-memory.js'
import type { RepositoryContext } from './repository-context.js'

/** Connections that one download tries in turn, more as long as that makes it faster. */
const LANES = [2, 4, 8] as const
/** How much faster twice the connections must be to be kept. */
const GAIN = 1.2

/**
 * Reads a blob ahead, in ranges over several connections, for links and stores that bound the speed of each one. Begins
 * with one range beside the stream that is running already, and takes more as long as that pays.
 */
export class RangedWindow {
  readonly #context: RepositoryContext
  readonly #descriptor: Descriptor
  readonly #options: FetchOptions
  readonly #memory: PiecePool
  readonly #pieces: Piece[] = []
  readonly #read: ReadPieces
  /** Where the next range begins. */
  #next: number
  /** What has been handed on, and is asked to go on from. */
  #position: number
  /** Which of the numbers of connections is in use; the stream beside the window counts until it is given up. */
  #level = 0
  #isAlone = false
  #isEnding = false
  /** Bytes per millisecond of all connections together, when last seen at each level. */
  readonly #totals: number[] = []
  /** Bytes per millisecond of single connections at this level. */
  #rates: number[] = []

  /** @param start the first byte to read */
  constructor(context: RepositoryContext, descriptor: Descriptor, options: FetchOptions, start: number) {
    this.#context = context
    this.#descriptor = descriptor
    this.#options = options
    this.#next = start
    this.#position = start
    this.#memory = rangeMemoryOf(context.transport)
    this.#read = new ReadPieces(this.#memory, options.transient ?? false)
    this.#fill()
  }

  /** Whether there is anything to read; false once the registry has shown that it has no ranges. */
  get isUsable(): boolean {
    const [first] = this.#pieces
    return first !== undefined && !first.isFailed
  }

  /**
   * The bytes from the start on, as far as ranges are of use: until the end of the blob, or until something
   * breaks. Whoever reads goes on in another way where it ends.
   */
  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    this.#isAlone = true
    try {
      this.#fill()
      for (let piece = this.#pieces[0]; piece !== undefined; piece = this.#pieces[0]) {
        for await (const chunk of piece.read()) {
          yield chunk
          this.#position += chunk.byteLength
          this.#read.passed(this.#position)
        }
        if (piece.isFailed) return
        this.#pieces.shift()
        this.#read.add(piece.memory, this.#position)
        this.#fill()
      }
    } finally {
      this.close()
    }
  }

  /** Ends all connections and lets go of the memory. */
  close(): void {
    this.#isEnding = true
    for (const piece of this.#pieces.splice(0)) {
      piece.close()
      // Some of it may have been handed on.
      this.#memory.give(piece.memory, false)
    }
    this.#read.close()
  }

  get #lanes(): number {
    return LANES[this.#level] ?? 1
  }

  #fill(): void {
    const { size } = this.#descriptor
    const others = this.#isAlone ? 0 : 1
    let underWay = this.#pieces.filter((piece) => piece.isUnderWay).length
    while (!this.#isEnding && this.#next < size && underWay + others < this.#lanes) {
      const memory = this.#memory.take()
      if (memory === undefined) return
      this.#load(memory, this.#next, Math.min(size, this.#next + PIECE_SIZE))
      underWay++
    }
  }

  #load(memory: Uint8Array, start: number, end: number): void {
    const level = this.#level
    this.#next = end
    const piece = new Piece(memory, end - start, (rate) => {
      if (level === this.#level) this.#learn(rate)
      this.#fill()
    })
    this.#pieces.push(piece)
    void piece.load(async () => {
      // It is copied to its place at once.
      const options = { ...this.#options, transient: false }
      const range = await requestBlob(this.#context, this.#descriptor, { start, end }, options)
      // A whole blob is no answer to a range; nor is less than was asked for.
      const isRange = range?.start === start && range.end === end
      if (!isRange) range?.answer.body.destroy()
      return isRange ? range.answer.body : undefined
    })
  }

  /** Compares what this number of connections brings with what was last seen of one more or one less. */
  #learn(rate: number): void {
    this.#rates.push(rate)
    if (this.#rates.length < this.#lanes) return
    const total = this.#rates.reduce((sum, one) => sum + one, 0)
    const level = this.#level
    this.#rates = []
    this.#totals[level] = total
    const above = this.#totals[level + 1] ?? Number.POSITIVE_INFINITY
    const below = this.#totals[level - 1] ?? 0
    if (below * GAIN > total) this.#level--
    else if (level < LANES.length - 1 && total * GAIN < above) this.#level++
  }
}

/** One range on its way: what has arrived waits until it is read. */
class Piece {
  readonly memory: Uint8Array
  readonly #size: number
  readonly #onLoaded: (rate: number) => void
  #received = 0
  #body: { destroy(): unknown } | undefined
  #isClosed = false
  #isFailed = false
  #notify: () => void = () => undefined

  /** @param memory where the range goes; at least as large as `size` */
  constructor(memory: Uint8Array, size: number, onLoaded: (rate: number) => void) {
    this.memory = memory
    this.#size = size
    this.#onLoaded = onLoaded
  }

  get isUnderWay(): boolean {
    return !this.#isFailed && this.#received < this.#size
  }

  /** Whether the rest of it will not come. What did come is right. */
  get isFailed(): boolean {
    return this.#isFailed
  }

  /** Never rejects: a range that fails is left to whoever reads, in the ordinary way, from there. */
  async load(open: () => Promise<(AsyncIterable<Uint8Array> & { destroy(): unknown }) | undefined>): Promise<void> {
    try {
      const body = await open()
      this.#body = body
      if (this.#isClosed) body?.destroy()
      else if (body !== undefined) await this.#receive(body)
    } catch {
      // The ordinary download asks again, and reports what it finds.
    }
    this.#isFailed = this.#received !== this.#size
    this.#notify()
  }

  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    let handedOn = 0
    while (handedOn < this.#size) {
      const end = this.#received
      if (end > handedOn) yield this.memory.subarray(handedOn, end)
      handedOn = end
      if (this.#received > handedOn || handedOn === this.#size) continue
      if (this.#isFailed) return
      await new Promise<void>((resolve) => (this.#notify = resolve))
    }
  }

  close(): void {
    this.#isClosed = true
    this.#body?.destroy()
  }

  async #receive(body: AsyncIterable<Uint8Array>): Promise<void> {
    const begun = performance.now()
    for await (const chunk of body) {
      // Bytes beyond the range would be taken for those of the next one.
      if (this.#received + chunk.byteLength > this.#size) return
      this.memory.set(chunk, this.#received)
      this.#received += chunk.byteLength
      this.#notify()
    }
    if (this.#received === this.#size) this.#onLoaded(this.#size / Math.max(1, performance.now() - begun))
  }
}
