import type { Descriptor } from '../oci/descriptor.js'
import type { FetchOptions } from '../store/store.js'
import { openBytes, type Bytes } from '../util/bytes.js'
import type { DownloadProgress } from './download-progress.js'
import type { RegistryTransport } from './http/transport.js'
import { RangedWindow } from './ranged-download.js'
import { PIECE_SIZE } from './range-memory.js'
import type { RepositoryContext } from './repository-context.js'

/** Bytes over which the speed of a connection is measured, again and again. */
const SAMPLE = 8 * 1024 * 1024
/** Bytes per millisecond above which one connection will do: 100 MB/s. */
const FAST = 100_000
/** … and above which all downloads from one registry together will do, as they are as fast as this machine. */
const FAST_TOGETHER = 400_000
/** Bytes that must be left for more connections to be worth it. */
const WORTH_SPLITTING = 24 * 1024 * 1024
/** Connections that pay, of all downloads from one registry together, and how many more a download takes by ranges. */
const MAX_CONNECTIONS = 10
const MORE_BY_RANGES = 2
/** How often a download is split again after something broke. */
const MAX_SPLITS = 4

/** How many large blobs come from a registry at the moment, and how many of them by ranges. */
interface Traffic {
  downloads: number
  split: number
}

const traffics = new WeakMap<RegistryTransport, Traffic>()

function trafficOf(transport: RegistryTransport): Traffic {
  const traffic = traffics.get(transport) ?? { downloads: 0, split: 0 }
  traffics.set(transport, traffic)
  return traffic
}

/**
 * Decides whether a download goes on over several connections: when much is left, and when the registry, not whoever
 * reads, is what has to be waited for. The stream then runs up to a boundary, behind which the ranges begin.
 */
export class DownloadSplit {
  readonly #context: RepositoryContext
  readonly #descriptor: Descriptor
  readonly #options: FetchOptions
  readonly #traffic: Traffic
  #window: RangedWindow | undefined
  #boundary = Number.POSITIVE_INFINITY
  #isMeasuring = false
  #received = 0
  #waited = 0
  #resumed = 0
  #splits = 0
  #isCounted = false

  constructor(context: RepositoryContext, descriptor: Descriptor, options: FetchOptions) {
    this.#context = context
    this.#descriptor = descriptor
    this.#options = options
    this.#traffic = trafficOf(context.transport)
  }

  /** Where the stream ends and the ranges begin; infinite as long as there are none. */
  get boundary(): number {
    if (this.#window?.isUsable === false) this.#giveUp()
    return this.#boundary
  }

  /** A stream starts at `position`. */
  begin(position: number): void {
    this.#received = 0
    this.#waited = 0
    this.#isMeasuring = this.#splits < MAX_SPLITS && this.#descriptor.size - position >= WORTH_SPLITTING
    if (this.#isMeasuring) this.#count(true)
    this.resume()
  }

  /** Whoever reads wants to go on: from now on it is the registry that is waited for. */
  resume(): void {
    if (this.#isMeasuring) this.#resumed = performance.now()
  }

  /** Some bytes have arrived. */
  measure(count: number, { position, canUseRanges }: DownloadProgress): void {
    if (!this.#isMeasuring) return
    this.#waited += performance.now() - this.#resumed
    this.#received += count
    if (this.#received < SAMPLE) return
    const rate = this.#received / Math.max(1, this.#waited)
    this.#received = 0
    this.#waited = 0
    const start = position + PIECE_SIZE
    if (this.#descriptor.size - start < WORTH_SPLITTING || !canUseRanges) this.#isMeasuring = false
    else if (rate < FAST && canBeFaster(rate, this.#traffic)) {
      this.#isMeasuring = false
      this.#splits++
      this.#traffic.split++
      this.#window = new RangedWindow(this.#context, this.#descriptor, this.#options, start)
      this.#boundary = start
    }
  }

  /** What lies behind the boundary, as far as ranges can deliver it. */
  read(): Bytes {
    return this.#window?.read() ?? openBytes(new Uint8Array(0))()
  }

  /** The stream is over, in whatever way, and what was read ahead is not needed. */
  end(): void {
    this.#count(false)
    this.#giveUp()
  }

  #giveUp(): void {
    if (this.#window !== undefined) this.#traffic.split--
    this.#window?.close()
    this.#window = undefined
    this.#boundary = Number.POSITIVE_INFINITY
  }

  #count(isCounted: boolean): void {
    if (this.#isCounted === isCounted) return
    this.#isCounted = isCounted
    this.#traffic.downloads += isCounted ? 1 : -1
  }
}

/** Whether a download at so many bytes per millisecond would be faster by ranges, and the others no slower. */
function canBeFaster(rate: number, { downloads, split }: Traffic): boolean {
  const connections = downloads + MORE_BY_RANGES * (split + 1)
  return rate * downloads < FAST_TOGETHER && connections <= MAX_CONNECTIONS
}
