import { PiecePool } from '../util/piece-pool.js'
import type { RegistryTransport } from './http/transport.js'

/** Bytes of one range. */
export const PIECE_SIZE = 2.5 * 1024 * 1024
/** Ranges that may be in memory: as many as there are connections, and the one that is being read. */
const MAX_PIECES = 9

const pools = new WeakMap<RegistryTransport, PiecePool>()

/** The memory for ranges of blobs of one registry, of all downloads together. */
export function rangeMemoryOf(transport: RegistryTransport): PiecePool {
  const memory = pools.get(transport) ?? new PiecePool(PIECE_SIZE, MAX_PIECES)
  pools.set(transport, memory)
  return memory
}
