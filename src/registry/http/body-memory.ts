import { TRANSIENT_REACH } from '../../util/bytes.js'
import { PiecePool, ReadPieces } from '../../util/piece-pool.js'

/** Bytes of one piece. Each read of a connection fills as much of it as it can: larger ones cost less per byte. */
const PIECE_SIZE = 1024 * 1024
/** Room that is worth a read; what is left of a piece below that is passed over. */
const MIN_ROOM = 64 * 1024
/** Pieces of all bodies together. */
const MAX_PIECES = 24

const pool = new PiecePool(PIECE_SIZE, MAX_PIECES)

/**
 * Memory for the body of one large answer, whose reader promises not to look far back (`ContentUse.transient`): what has
 * been read is received into again, so that it stays in the processor's cache and nothing has to be collected.
 */
export class BodyMemory {
  /** Pieces in the order of the body; the last one is being filled. */
  readonly #filled: Uint8Array[] = []
  /** Pieces that have been handed on whole. */
  readonly #read = new ReadPieces(pool, true)
  /** Where in the last piece the next read goes. */
  #next = PIECE_SIZE
  #isClosed = false
  /** Bytes of the body that have not arrived yet. */
  #rest: number

  /** @param size of the body, in bytes */
  constructor(size: number) {
    this.#rest = size
  }

  /** Bytes of the body that whoever reads the connection has not been handed yet. */
  get rest(): number {
    return this.#rest
  }

  /**
   * Where to receive into next; undefined when all memory is in use. What comes last may be looked at for as long as
   * anybody likes, and so goes elsewhere.
   * @param waiting bytes that were received and have not {@link arrived} yet
   */
  take(waiting: number): Uint8Array | undefined {
    const size = this.#rest - waiting - TRANSIENT_REACH
    if (this.#isClosed || size < MIN_ROOM) return undefined
    if (PIECE_SIZE - this.#next < MIN_ROOM) {
      const piece = pool.take()
      if (piece === undefined) return undefined
      this.#filled.push(piece)
      this.#next = 0
    }
    return this.#filled.at(-1)?.subarray(this.#next, this.#next + size)
  }

  /** Whether these bytes were received into what {@link take} gave out last, and so need not be copied. */
  keeps(chunk: Uint8Array): boolean {
    const piece = this.#filled.at(-1)
    if (piece?.buffer !== chunk.buffer || this.#isClosed) return false
    this.#next = chunk.byteOffset + chunk.byteLength
    return true
  }

  /** A chunk of the body begins at `position`; those before it are whole now. */
  arrived(chunk: Uint8Array, position: number): void {
    this.#rest -= chunk.byteLength
    const index = this.#filled.findIndex(({ buffer }) => buffer === chunk.buffer)
    if (index > 0) for (const piece of this.#filled.splice(0, index)) this.#read.add(piece, position)
  }

  /** The reader has taken everything before `position`, and asks for more. */
  passed(position: number): void {
    this.#read.passed(position)
  }

  /**
   * Nothing more is read.
   * @param isRead whether the reader has asked for more when there was none; else nobody knows what it still looks at
   */
  close(isRead: boolean): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#read.close(isRead)
    for (const piece of this.#filled) pool.give(piece, isRead)
  }
}
