import { TRANSIENT_REACH } from './bytes.js'

/** Memory in pieces of one size: bounded, and used again where it can be. */
export class PiecePool {
  readonly #pieceSize: number
  readonly #most: number
  readonly #free: Uint8Array[] = []
  #inUse = 0

  /**
   * @param pieceSize in bytes
   * @param most how many pieces may be in use at a time
   */
  constructor(pieceSize: number, most: number) {
    this.#pieceSize = pieceSize
    this.#most = most
  }

  /** A piece; undefined when there is no more. */
  take(): Uint8Array | undefined {
    if (this.#inUse >= this.#most) return undefined
    this.#inUse++
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#pieceSize)
  }

  /** Takes a piece back. @param isFree whether nobody looks at it any more */
  give(piece: Uint8Array, isFree: boolean): void {
    this.#inUse--
    if (isFree) this.#free.push(piece)
  }
}

/** Pieces whose content was read, and may still be looked at for a while. */
export class ReadPieces {
  readonly #pool: PiecePool
  readonly #isTransient: boolean
  #waiting: { readonly piece: Uint8Array; readonly end: number }[] = []

  /** @param isTransient whether whoever reads promises not to look far back (`ContentUse.transient`) */
  constructor(pool: PiecePool, isTransient: boolean) {
    this.#pool = pool
    this.#isTransient = isTransient
  }

  /** @param end where the content of the piece ends */
  add(piece: Uint8Array, end: number): void {
    if (this.#isTransient) this.#waiting.push({ piece, end })
    else this.#pool.give(piece, false)
  }

  /** Takes back what lies far enough behind the place that has been read up to. */
  passed(position: number): void {
    for (let first = this.#waiting[0]; first !== undefined && position - first.end >= TRANSIENT_REACH;) {
      this.#pool.give(first.piece, true)
      this.#waiting.shift()
      first = this.#waiting[0]
    }
  }

  /** Nothing more is read. @param isFree whether nobody looks at the last of it any more; default: nobody knows */
  close(isFree = false): void {
    for (const { piece } of this.#waiting) this.#pool.give(piece, isFree)
    this.#waiting = []
  }
}
