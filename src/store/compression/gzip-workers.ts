import { Worker } from 'node:worker_threads'
import type { BlockCompressor } from './block-compressor.js'
import type { GzipAnswer, GzipRequest, GzipWorkerData } from './gzip-worker.js'
import type { Block } from './split-blocks.js'

interface Waiting {
  readonly resolve: (member: Uint8Array) => void
  readonly reject: (error: unknown) => void
}

interface Lane {
  readonly worker: Worker
  /** Whoever waits for an answer; a worker answers in order. */
  readonly waiting: Waiting[]
}

/** Compresses blocks in worker threads, which start when there is work for them. */
export class GzipWorkers implements BlockCompressor {
  readonly #file: URL
  readonly #size: number
  readonly #level: number
  readonly #lanes: Lane[] = []
  readonly #free: ArrayBuffer[] = []

  /**
   * @param file the program of the worker
   * @param size how many threads there are at most
   */
  constructor(file: URL, size: number, level: number) {
    this.#file = file
    this.#size = size
    this.#level = level
  }

  /** A block in work and one in line for each thread, so that none waits for the next block. */
  get capacity(): number {
    return this.#size * 2
  }

  async compress({ buffer, size }: Block): Promise<Uint8Array> {
    const lane = this.#laneForBlock()
    const answer = new Promise<Uint8Array>((resolve, reject) => {
      lane.waiting.push({ resolve, reject })
    })
    const request: GzipRequest = { buffer, size }
    lane.worker.postMessage(request, [buffer])
    return answer
  }

  takeBuffer(): ArrayBuffer | undefined {
    return this.#free.pop()
  }

  /** Ends the threads; what they were working on is dropped. */
  async close(): Promise<void> {
    this.#free.length = 0
    await Promise.all(this.#lanes.splice(0).map(async ({ worker }) => worker.terminate()))
  }

  #laneForBlock(): Lane {
    const [shortest] = this.#lanes.toSorted((left, right) => left.waiting.length - right.waiting.length)
    const isBusy = shortest === undefined || shortest.waiting.length > 0
    return isBusy && this.#lanes.length < this.#size ? this.#openLane() : (shortest ?? this.#openLane())
  }

  #openLane(): Lane {
    const workerData: GzipWorkerData = { level: this.#level }
    // Flags of the host, such as a loader or an inspector, are not meant for this thread.
    const worker = new Worker(this.#file, { name: 'gantry-gzip', workerData, execArgv: [] })
    const lane: Lane = { worker, waiting: [] }
    worker.on('message', ({ member, buffer }: GzipAnswer) => {
      this.#free.push(buffer)
      lane.waiting.shift()?.resolve(member)
    })
    const fail = (error: unknown): void => {
      for (const { reject } of lane.waiting.splice(0)) reject(error)
    }
    worker.on('error', fail)
    worker.on('messageerror', fail)
    worker.on('exit', (code) => {
      fail(new Error(`the compression thread ended with code ${code}`))
    })
    this.#lanes.push(lane)
    return lane
  }
}
