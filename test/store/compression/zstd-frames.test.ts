import { describe, expect, test } from 'vitest'
import { splitZstdFrames } from '../../../src/store/compression/zstd-frames.js'
import { collect, inChunks } from './sample-content.js'

/** Frames as the zstd tool writes them, and others made after RFC 8878. */
const frames = {
  withChecksum: '28b52ffd045859000068656c6c6f207a7374640a6c57f951',
  singleSegment: '28b52ffd2003190000616263',
  twoBlocks: '28b52ffd00581000006162190000636465',
  runLength: '28b52ffd20642303007a',
  contentSizeOfEight: '28b52ffde00300000000000000190000616263',
  withDictionary: '28b52ffd230102030403190000616263',
  emptySkippable: '502a4d1800000000',
  skippable: '5f2a4d1803000000616263',
} as const

const all = Object.values(frames)
const stream = Buffer.from(all.join(''), 'hex')

async function split(bytes: Uint8Array, chunkSize: number): Promise<string[]> {
  const pieces: string[] = []
  for await (const piece of splitZstdFrames(inChunks(bytes, chunkSize), 'blob')) {
    pieces.push(Buffer.from(piece).toString('hex'))
  }
  return pieces
}

describe('splitZstdFrames', () => {
  test('cuts where frames end', async () => {
    expect(await split(stream, stream.byteLength)).toEqual(all)
  })

  test.each([1, 2, 3, 5, 7, 11, 13])('never puts two frames together, in chunks of %i bytes', async (chunkSize) => {
    const pieces = await split(stream, chunkSize)
    expect(pieces.join('')).toBe(stream.toString('hex'))
    let position = 0
    const ends = new Set(all.map((frame) => (position += frame.length)))
    let offset = 0
    for (const piece of pieces) {
      for (let inside = offset + 2; inside < offset + piece.length; inside += 2) expect(ends.has(inside)).toBe(false)
      offset += piece.length
    }
  })

  test.each(all)('refuses %s cut off at any offset', async (frame) => {
    const bytes = Buffer.from(frame, 'hex')
    for (let end = 1; end < bytes.byteLength; end++) {
      await expect(split(bytes.subarray(0, end), 64)).rejects.toThrow('blob is not valid zstd: it ends early')
    }
  })

  test('refuses what is no frame', async () => {
    const bytes = Buffer.concat([stream, Buffer.from('none')])
    await expect(collect(splitZstdFrames(inChunks(bytes, 9), 'blob'))).rejects.toMatchObject({
      code: 'invalid-content',
      message: 'blob has data after the end of its zstd stream',
    })
  })
})
