import { availableParallelism } from 'node:os'
import { GantryError } from '../../errors.js'
import { throwIfAborted } from '../../util/abort.js'
import type { Bytes } from '../../util/bytes.js'
import type { BlockCompressor } from './block-compressor.js'
import { openBlockCompressor, type BlockCompressorOptions } from './open-block-compressor.js'
import { splitBlocks, type Block } from './split-blocks.js'

/** Every block of this many bytes becomes a gzip member of its own. */
export const GZIP_BLOCK_SIZE = 1024 * 1024

const MAX_WORKERS = 4
const DEFAULT_LEVEL = 6
const MAX_LEVEL = 12

export interface GzipOptions {
  /** From 1 (fast) to 12 (small); default 6. */
  readonly level?: number
  /** Worker threads; default: as many as there are processors, at most 4. With 0 the calling thread compresses. */
  readonly workers?: number
  /** The program of the workers; default: `gzip-worker.js` beside this module. Without it the calling thread compresses. */
  readonly workerFile?: URL
  readonly signal?: AbortSignal
}

/**
 * Compresses a stream reproducibly: blocks of 1 MiB, each a gzip member (RFC 1952, section 2.2). The result depends on
 * the content and the level alone, not on the number of workers, the sizes of the chunks, the platform or the version
 * of Node. Memory is bounded: content is read only as fast as the result is taken.
 * @throws GantryError `invalid-argument` for a level out of range, `aborted`
 */
export async function* gzipBlocks(
  content: Bytes,
  options: GzipOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const settings = applyDefaults(options)
  const inWork: Promise<Uint8Array>[] = []
  let compressor: BlockCompressor | undefined
  let held: Block | undefined
  const allocate = (): ArrayBuffer => compressor?.takeBuffer() ?? new ArrayBuffer(GZIP_BLOCK_SIZE)
  const start = (opened: BlockCompressor, block: Block): void => {
    const member = opened.compress(block)
    // It is awaited in turn; until then a failure must not count as unhandled.
    member.catch(() => undefined)
    inWork.push(member)
  }
  try {
    // One block is held back, as a single one is not worth a thread.
    for await (const block of splitBlocks(content, allocate)) {
      throwIfAborted(options.signal)
      if (held !== undefined) {
        compressor ??= openBlockCompressor(settings)
        start(compressor, held)
        while (inWork.length >= compressor.capacity) yield await next(inWork)
      }
      held = block
    }
    compressor ??= openBlockCompressor({ ...settings, workers: 0 })
    start(compressor, held ?? { buffer: new ArrayBuffer(0), size: 0 })
    while (inWork.length > 0) {
      throwIfAborted(options.signal)
      yield await next(inWork)
    }
  } finally {
    await compressor?.close()
  }
}

async function next(members: Promise<Uint8Array>[]): Promise<Uint8Array> {
  const member = await members.shift()
  if (member === undefined) throw new RangeError('nothing is being compressed')
  return member
}

function applyDefaults(options: GzipOptions): BlockCompressorOptions {
  const { level = DEFAULT_LEVEL, workers = Math.min(availableParallelism(), MAX_WORKERS) } = options
  if (!Number.isInteger(level) || level < 1 || level > MAX_LEVEL) {
    throw new GantryError('invalid-argument', `compression level ${level} is not a whole number from 1 to ${MAX_LEVEL}`)
  }
  return { level, workers, workerFile: options.workerFile ?? new URL('./gzip-worker.js', import.meta.url) }
}
