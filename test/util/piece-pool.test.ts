import { describe, expect, test } from 'vitest'
import { PiecePool, ReadPieces } from '../../src/util/piece-pool.js'

const MIB = 1024 * 1024

function newMemory(): PiecePool {
  return new PiecePool(1000, 9)
}

/** Takes all there is. */
function takeAll(memory: PiecePool): Uint8Array[] {
  const taken: Uint8Array[] = []
  for (let piece = memory.take(); piece !== undefined; piece = memory.take()) taken.push(piece)
  return taken
}

describe('a pool of memory', () => {
  test('is bounded, and comes in pieces of one size', () => {
    const memory = newMemory()
    expect(takeAll(memory).map((piece) => piece.byteLength)).toEqual(Array.from({ length: 9 }, () => 1000))
    expect(memory.take() === undefined).toBe(true)
  })

  test('is used again when it is given back free, and is new otherwise', () => {
    const memory = newMemory()
    const [first, second] = takeAll(memory) as [Uint8Array, Uint8Array]
    memory.give(first, true)
    memory.give(second, false)
    const again = takeAll(memory)
    expect(again).toHaveLength(2)
    expect(again[0] === first).toBe(true)
    expect(again[1] === second).toBe(false)
  })
})

describe('pieces that were read', () => {
  test('are free when a mebibyte that follows them was read', () => {
    const memory = newMemory()
    const [first, second] = takeAll(memory) as [Uint8Array, Uint8Array]
    const read = new ReadPieces(memory, true)
    read.add(first, 100)
    read.add(second, 200)
    read.passed(100 + MIB - 1)
    expect(memory.take() === undefined).toBe(true)
    read.passed(100 + MIB)
    expect(takeAll(memory).map((piece) => piece === first)).toEqual([true])
    read.passed(200 + MIB)
    expect(takeAll(memory)[0] === second).toBe(true)
  })

  test('are free at the end where nobody looks at them any more', () => {
    const memory = newMemory()
    const taken = takeAll(memory)
    const read = new ReadPieces(memory, true)
    for (const piece of taken) read.add(piece, 100)
    read.close(true)
    expect(new Set(takeAll(memory))).toEqual(new Set(taken))
  })

  test.each([
    ['at the end', true],
    ['where nothing was promised', false],
  ])('are never used again %s', (_, isTransient) => {
    const memory = newMemory()
    const taken = takeAll(memory)
    const read = new ReadPieces(memory, isTransient)
    for (const piece of taken) read.add(piece, 100)
    read.close()
    const next = takeAll(memory)
    expect(next).toHaveLength(9)
    expect(next.some((piece) => taken.includes(piece))).toBe(false)
  })
})
