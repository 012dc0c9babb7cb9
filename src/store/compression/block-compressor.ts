import type { Block } from './split-blocks.js'

/** Compresses blocks, several at a time where there are threads for it. */
export interface BlockCompressor {
  /** How many blocks keep it busy. */
  readonly capacity: number
  /** Compresses a block into a gzip member; the block's buffer is the compressor's from then on. */
  compress(block: Block): Promise<Uint8Array>
  /** A buffer that is no longer in use, if there is one. */
  takeBuffer(): ArrayBuffer | undefined
  close(): Promise<void>
}
