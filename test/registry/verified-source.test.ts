import { fc, runs } from '../properties.js'
import { describe, expect, test } from 'vitest'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { VerifiedSource } from '../../src/registry/verified-source.js'
import { collect, openPieces, someBytes } from './test-registry.js'

const bytes = someBytes(10_000)
const descriptor = descriptorOf('a/b', bytes)

describe('a source that is right', () => {
  test('is read once as it is', async () => {
    const open = openPieces(bytes, 3000)
    const source = new VerifiedSource(descriptor, open)
    expect((await collect(source.read(0, 10_000))).equals(bytes)).toBe(true)
    expect(open.offsets).toEqual([0])
    expect(source.failure).toBeUndefined()
  })

  test('is read on, in pieces of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4000 }),
        fc.array(fc.integer({ min: 0, max: 10_000 }), { maxLength: 8 }),
        async (pieceSize, cuts) => {
          const open = openPieces(bytes, pieceSize)
          const source = new VerifiedSource(descriptor, open)
          const ends = [...cuts.sort((a, b) => a - b), 10_000]
          const parts: Buffer[] = []
          let start = 0
          for (const end of ends) {
            parts.push(await collect(source.read(start, end)))
            start = end
          }
          expect(Buffer.concat(parts).equals(bytes)).toBe(true)
          expect(open.offsets).toEqual([0])
        },
      ),
      runs(0.25),
    )
  })

  test('is read again from anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 10_000 })), { maxLength: 6 }),
        async (ranges) => {
          const source = new VerifiedSource(descriptor, openPieces(bytes, 777))
          for (const [one, other] of ranges) {
            const [start, end] = [Math.min(one, other), Math.max(one, other)]
            expect((await collect(source.read(start, end))).equals(bytes.subarray(start, end))).toBe(true)
          }
        },
      ),
      runs(0.25),
    )
  })

  test('that is left early is closed and opened again', async () => {
    const open = openPieces(bytes, 1000)
    const source = new VerifiedSource(descriptor, open)
    for await (const chunk of source.read(0, 10_000)) {
      expect(chunk.length).toBe(1000)
      break
    }
    expect((await collect(source.read(5000, 10_000))).equals(bytes.subarray(5000))).toBe(true)
    expect(open.offsets).toEqual([0, 0])
  })

  test('that is large is opened again near the place', async () => {
    const large = someBytes(70 * 1024 * 1024)
    const open = openPieces(large, 1024 * 1024)
    const source = new VerifiedSource(descriptorOf('a/b', large), open)
    for await (const chunk of source.read(0, 66 * 1024 * 1024)) expect(chunk.length).toBeGreaterThan(0)
    const rest = await collect(source.read(65 * 1024 * 1024, large.length))
    expect(rest.equals(large.subarray(65 * 1024 * 1024))).toBe(true)
    expect(open.offsets).toEqual([0, 64 * 1024 * 1024])
  })
})

describe('a source that is wrong', () => {
  const wrong = Buffer.from(bytes)
  wrong[0]! ^= 1

  test.each([
    ['other bytes', wrong, 'digest-mismatch'],
    ['missing bytes', bytes.subarray(0, 9999), 'size-mismatch'],
    ['extra bytes', Buffer.concat([bytes, Buffer.from('x')]), 'size-mismatch'],
    ['many extra bytes', Buffer.concat([bytes, bytes]), 'size-mismatch'],
  ])('by %s keeps its last piece', async (_, content, code) => {
    for (const pieceSize of [100, 3000, 10_000, 20_000]) {
      const source = new VerifiedSource(descriptor, openPieces(content, pieceSize))
      let received = 0
      const read = async (): Promise<void> => {
        for await (const chunk of source.read(0, 10_000)) received += chunk.length
      }
      await expect(read()).rejects.toMatchObject({ code })
      expect(received).toBeLessThan(10_000)
      expect(source.failure).toMatchObject({ error: { code } })
    }
  })

  test('only when it is read again is noticed as well', async () => {
    let count = 0
    const source = new VerifiedSource(descriptor, (offset = 0) =>
      openPieces(count++ === 0 ? bytes : wrong, 1000)(offset),
    )
    for await (const chunk of source.read(0, 5000)) if (chunk.length > 0) break
    await expect(collect(source.read(2000, 10_000))).rejects.toMatchObject({ code: 'digest-mismatch' })
  })
})
