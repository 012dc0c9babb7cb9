import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { BlockCompressor } from './block-compressor.js'
import type { Block } from './split-blocks.js'
import { GzipWorkers } from './gzip-workers.js'

export interface BlockCompressorOptions {
  readonly level: number
  readonly workers: number
  /** The worker's program. Where there is none, the calling thread compresses; the bytes are the same. */
  readonly workerFile: URL
}

/** A compressor with worker threads, or without them where there is no worker file or no thread is asked for. */
export function openBlockCompressor({ level, workers, workerFile }: BlockCompressorOptions): BlockCompressor {
  return workers > 0 && isFile(workerFile) ? new GzipWorkers(workerFile, workers, level) : new HereCompressor(level)
}

/** Compresses in the calling thread. */
class HereCompressor implements BlockCompressor {
  readonly capacity = 1
  readonly #level: number
  readonly #free: ArrayBuffer[] = []

  constructor(level: number) {
    this.#level = level
  }

  async compress({ buffer, size }: Block): Promise<Uint8Array> {
    const { compressBlock } = await import('./compress-block.js')
    const member = compressBlock(new Uint8Array(buffer, 0, size), this.#level)
    this.#free.push(buffer)
    return member
  }

  takeBuffer(): ArrayBuffer | undefined {
    return this.#free.pop()
  }

  async close(): Promise<void> {
    this.#free.length = 0
  }
}

function isFile(url: URL): boolean {
  return url.protocol === 'file:' && existsSync(fileURLToPath(url))
}
