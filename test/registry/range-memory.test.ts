import { expect, test } from 'vitest'
import type { RegistryTransport } from '../../src/registry/http/transport.js'
import { rangeMemoryOf } from '../../src/registry/range-memory.js'
import type { PiecePool } from '../../src/util/piece-pool.js'

/** Takes all there is. */
function takeAll(memory: PiecePool): Uint8Array[] {
  const taken: Uint8Array[] = []
  for (let piece = memory.take(); piece !== undefined; piece = memory.take()) taken.push(piece)
  return taken
}

test('memory for ranges is bounded, for all downloads from one registry together', () => {
  const transport = {} as RegistryTransport
  expect(takeAll(rangeMemoryOf(transport))).toHaveLength(9)
  expect(rangeMemoryOf(transport).take() === undefined).toBe(true)
  expect(takeAll(rangeMemoryOf({} as RegistryTransport))).toHaveLength(9)
})
