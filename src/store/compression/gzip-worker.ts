import { setFlagsFromString } from 'node:v8'
import { parentPort, workerData } from 'node:worker_threads'
import { compressBlock } from './compress-block.js'

/** What a worker is started with. */
export interface GzipWorkerData {
  readonly level: number
}

/** A block to compress; the buffer is handed over, and comes back with the answer. */
export interface GzipRequest {
  readonly buffer: ArrayBuffer
  /** How many bytes of the buffer are the block. */
  readonly size: number
}

export interface GzipAnswer {
  readonly member: Uint8Array<ArrayBuffer>
  /** The buffer of the request, to be filled again. */
  readonly buffer: ArrayBuffer
}

// Runs as the main module of a worker thread, and answers requests in the order in which they come.
const port = parentPort
if (port !== null) {
  // As V8 does by itself; whoever keeps it from optimizing WebAssembly cannot mean what all the time is spent in.
  for (const flag of ['--wasm-tier-up', '--wasm-dynamic-tiering']) setFlagsFromString(flag)
  const { level } = workerData as GzipWorkerData
  port.on('message', ({ buffer, size }: GzipRequest) => {
    const member = compressBlock(new Uint8Array(buffer, 0, size), level) as Uint8Array<ArrayBuffer>
    const answer: GzipAnswer = { member, buffer }
    port.postMessage(answer, [member.buffer, buffer])
  })
}
