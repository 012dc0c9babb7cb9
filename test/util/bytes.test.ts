import { describe, expect, test } from 'vitest'
import { collectBytes, openBytes, type Bytes } from '../../src/util/bytes.js'

async function* chunksOf(...sizes: number[]): Bytes {
  for (const [index, size] of sizes.entries()) yield new Uint8Array(size).fill(index + 1)
}

describe('an opener for bytes', () => {
  test.each([
    [undefined, [1, 2, 3]],
    [0, [1, 2, 3]],
    [2, [3]],
    [3, []],
    [9, []],
  ])('opens them at %s', async (offset, expected) => {
    const open = openBytes(Uint8Array.of(1, 2, 3))
    expect([...(await collectBytes(open(offset), 10, 'bytes'))]).toEqual(expected)
    expect([...(await collectBytes(open(offset), 10, 'bytes'))]).toEqual(expected)
  })
})

describe('collecting', () => {
  test('joins chunks', async () => {
    expect([...(await collectBytes(chunksOf(1, 0, 2), 3, 'bytes'))]).toEqual([1, 3, 3])
    expect([...(await collectBytes(chunksOf(), 0, 'bytes'))]).toEqual([])
    expect([...(await collectBytes(chunksOf(2), 2, 'bytes'))]).toEqual([1, 1])
  })

  test('stops as soon as there is too much, and closes the source', async () => {
    let taken = 0
    let isClosed = false
    const endless = async function* (): Bytes {
      try {
        while (true) {
          taken++
          yield new Uint8Array(10)
        }
      } finally {
        isClosed = true
      }
    }
    await expect(collectBytes(endless(), 25, 'the page')).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: 'the page exceeds the limit of 25 bytes',
    })
    expect(taken).toBe(3)
    expect(isClosed).toBe(true)
  })
})
