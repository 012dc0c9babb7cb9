import { TRANSIENT_REACH } from '../util/bytes.js'
import type { RegistryTransport } from './http/transport.js'

/** Bytes of one range. */
export const PIECE_SIZE = 2.5 * 1024 * 1024
/** Ranges that may be in memory: as many as there are connections, and the one that is being read. */
const MAX_PIECES = 9

const pools = new WeakMap<RegistryTransport, RangeMemory>()

/** The memory for ranges of blobs of one registry, of all downloads together: bounded, and used again where it can be. */
export class RangeMemory {
  readonly #free: Uint8Array[] = []
  #inUse = 0

  static of(transport: RegistryTransport): RangeMemory {
    const memory = pools.get(transport) ?? new RangeMemory()
    pools.set(transport, memory)
    return memory
  }

  /** Memory for one range; undefined when there is no more. */
  take(): Uint8Array | undefined {
    if (this.#inUse >= MAX_PIECES) return undefined
    this.#inUse++
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(PIECE_SIZE)
  }

  /** Takes memory back. @param isFree whether nobody looks at it any more */
  give(memory: Uint8Array, isFree: boolean): void {
    this.#inUse--
    if (isFree) this.#free.push(memory)
  }
}

/** Ranges that were read, whose memory may still be looked at for a while. */
export class ReadRanges {
  readonly #memory: RangeMemory
  readonly #isTransient: boolean
  #waiting: { readonly memory: Uint8Array; readonly end: number }[] = []

  /** @param isTransient whether whoever reads promises not to look far back */
  constructor(memory: RangeMemory, isTransient: boolean) {
    this.#memory = memory
    this.#isTransient = isTransient
  }

  /** @param end the first byte after the range */
  add(memory: Uint8Array, end: number): void {
    if (this.#isTransient) this.#waiting.push({ memory, end })
    else this.#memory.give(memory, false)
  }

  /** Takes back what lies far enough behind the place that has been read up to. */
  passed(position: number): void {
    for (let first = this.#waiting[0]; first !== undefined && position - first.end >= TRANSIENT_REACH;) {
      this.#memory.give(first.memory, true)
      this.#waiting.shift()
      first = this.#waiting[0]
    }
  }

  /** Nothing more is read; the last of it may be looked at for as long as anybody likes. */
  close(): void {
    for (const { memory } of this.#waiting) this.#memory.give(memory, false)
    this.#waiting = []
  }
}
