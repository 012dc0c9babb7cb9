import { describe, expect, test } from 'vitest'
import type { RegistryTransport } from '../../src/registry/http/transport.js'
import { RangeMemory, ReadRanges } from '../../src/registry/range-memory.js'

const MIB = 1024 * 1024

function newMemory(): RangeMemory {
  return RangeMemory.of({} as RegistryTransport)
}

/** Takes all there is. */
function takeAll(memory: RangeMemory): Uint8Array[] {
  const taken: Uint8Array[] = []
  for (let piece = memory.take(); piece !== undefined; piece = memory.take()) taken.push(piece)
  return taken
}

describe('memory for ranges', () => {
  test('is bounded, for all downloads from one registry together', () => {
    const transport = {} as RegistryTransport
    expect(takeAll(RangeMemory.of(transport))).toHaveLength(9)
    expect(RangeMemory.of(transport).take() === undefined).toBe(true)
    expect(takeAll(newMemory())).toHaveLength(9)
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

describe('ranges that were read', () => {
  test('are free when a mebibyte that follows them was read', () => {
    const memory = newMemory()
    const [first, second] = takeAll(memory) as [Uint8Array, Uint8Array]
    const read = new ReadRanges(memory, true)
    read.add(first, 100)
    read.add(second, 200)
    read.passed(100 + MIB - 1)
    expect(memory.take() === undefined).toBe(true)
    read.passed(100 + MIB)
    expect(takeAll(memory).map((piece) => piece === first)).toEqual([true])
    read.passed(200 + MIB)
    expect(takeAll(memory)[0] === second).toBe(true)
  })

  test.each([
    ['at the end', true],
    ['where nothing was promised', false],
  ])('are never used again %s', (_, isTransient) => {
    const memory = newMemory()
    const taken = takeAll(memory)
    const read = new ReadRanges(memory, isTransient)
    for (const piece of taken) read.add(piece, 100)
    read.close()
    const next = takeAll(memory)
    expect(next).toHaveLength(9)
    expect(next.some((piece) => taken.includes(piece))).toBe(false)
  })
})
