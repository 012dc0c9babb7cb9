import { GantryError } from '../../errors.js'
import type { Bytes } from '../../util/bytes.js'

const FRAME_MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50
const RUN_LENGTH_BLOCK = 1
const DICTIONARY_ID_SIZES = [0, 1, 2, 4] as const
const CONTENT_SIZE_SIZES = [0, 2, 4, 8] as const

/** The fields of a frame that say how long its parts are, and their sizes in bytes. */
const FIELD_SIZES = { magic: 4, skippableSize: 4, frameDescriptor: 1, blockHeader: 3 } as const
type Field = keyof typeof FIELD_SIZES

/**
 * Cuts a zstd stream so that no chunk belongs to two frames, as Node's decoder stops at the end of a frame and forgets
 * the rest of the chunk; and notices a stream that is cut off, which the decoder of Node 22 takes for complete.
 * @param what names the content in errors
 * @throws GantryError `invalid-content`
 */
export async function* splitZstdFrames(content: Bytes, what: string): AsyncGenerator<Uint8Array, void, undefined> {
  const walker = new FrameWalker(what)
  for await (const chunk of content) {
    let start = 0
    while (start < chunk.byteLength) {
      const end = start + walker.advance(chunk.subarray(start))
      yield chunk.subarray(start, end)
      start = end
    }
  }
  if (!walker.isBetweenFrames) throw new GantryError('invalid-content', `${what} is not valid zstd: it ends early`)
}

/** Follows the structure of frames (RFC 8878, section 3.1) without decoding them. */
class FrameWalker {
  readonly #what: string
  #field: Field = 'magic'
  #value = 0
  #valueBytes = 0
  /** Bytes without structure that come before the field. */
  #skip = 0
  #hasChecksum = false

  constructor(what: string) {
    this.#what = what
  }

  get isBetweenFrames(): boolean {
    return this.#field === 'magic' && this.#skip === 0 && this.#valueBytes === 0
  }

  /** How many bytes of a chunk belong to the frame that it starts in. */
  advance(chunk: Uint8Array): number {
    let offset = 0
    while (offset < chunk.byteLength) {
      const skipped = Math.min(this.#skip, chunk.byteLength - offset)
      this.#skip -= skipped
      offset += skipped
      if (this.#skip > 0 || (skipped > 0 && this.isBetweenFrames)) return offset
      const byte = chunk[offset]
      if (byte === undefined) return offset
      offset++
      this.#value += byte * 2 ** (8 * this.#valueBytes)
      this.#valueBytes++
      if (this.#valueBytes === FIELD_SIZES[this.#field]) {
        this.#takeField(this.#value)
        if (this.isBetweenFrames) return offset
      }
    }
    return offset
  }

  #takeField(value: number): void {
    this.#value = 0
    this.#valueBytes = 0
    switch (this.#field) {
      case 'magic':
        this.#takeMagic(value)
        break
      case 'skippableSize':
        this.#skip = value
        this.#field = 'magic'
        break
      case 'frameDescriptor':
        this.#takeFrameDescriptor(value)
        break
      case 'blockHeader':
        this.#takeBlockHeader(value)
        break
    }
  }

  #takeMagic(value: number): void {
    if (value === FRAME_MAGIC) this.#field = 'frameDescriptor'
    else if (value >= SKIPPABLE_MAGIC && value <= SKIPPABLE_MAGIC + 15) this.#field = 'skippableSize'
    else throw new GantryError('invalid-content', `${this.#what} has data after the end of its zstd stream`)
  }

  #takeFrameDescriptor(value: number): void {
    const isSingleSegment = (value & 0x20) !== 0
    const contentSizeFlag = value >> 6
    const contentSize = contentSizeFlag === 0 && isSingleSegment ? 1 : (CONTENT_SIZE_SIZES[contentSizeFlag] ?? 0)
    this.#skip = (isSingleSegment ? 0 : 1) + (DICTIONARY_ID_SIZES[value & 3] ?? 0) + contentSize
    this.#hasChecksum = (value & 4) !== 0
    this.#field = 'blockHeader'
  }

  #takeBlockHeader(value: number): void {
    const isLast = (value & 1) !== 0
    const type = (value >> 1) & 3
    this.#skip = type === RUN_LENGTH_BLOCK ? 1 : value >> 3
    if (!isLast) return
    if (this.#hasChecksum) this.#skip += 4
    this.#field = 'magic'
  }
}
