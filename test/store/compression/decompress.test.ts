import * as zlib from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { compressionFormatOf } from '../../../src/store/compression/compression-format.js'
import { decompress } from '../../../src/store/compression/decompress.js'
import { collect, inChunks, sampleBytes } from './sample-content.js'

const text = sampleBytes(300_000)
const members = Buffer.concat([zlib.gzipSync(text.subarray(0, 100_000)), zlib.gzipSync(text.subarray(100_000))])
const hasZstd = 'createZstdDecompress' in zlib
/** "hello zstd\n" by the zstd tool, with its checksum. */
const zstdHello = Buffer.from('28b52ffd045859000068656c6c6f207a7374640a6c57f951', 'hex')

const shortText = text.subarray(0, 20_000)
const skippable = Buffer.from('502a4d1803000000616263', 'hex')

function zstdOfSample(): Buffer {
  const { zstdCompressSync } = zlib as { zstdCompressSync?: (content: Uint8Array) => Buffer }
  return zstdCompressSync?.(shortText) ?? Buffer.alloc(0)
}

describe('compressionFormatOf', () => {
  test.each([
    ['1f8b0800', 'gzip'],
    ['1f8b', 'gzip'],
    ['28b52ffd', 'zstd'],
    ['502a4d18', 'zstd'],
    ['5f2a4d18', 'zstd'],
    ['602a4d18', undefined],
    ['1f', undefined],
    ['', undefined],
    ['75737461', undefined],
    ['28b52f', undefined],
  ])('tells %s as %s', (hex, format) => {
    expect(compressionFormatOf(Buffer.from(hex, 'hex'))).toBe(format)
  })
})

describe('decompress', () => {
  test.each([1, 100, 1000, 65_536, 10_000_000])(
    'reads several gzip members in chunks of %i bytes',
    async (chunkSize) => {
      const content = chunkSize === 1 ? zlib.gzipSync('small') : members
      const expected = chunkSize === 1 ? Buffer.from('small') : text
      expect((await collect(decompress(inChunks(content, chunkSize), 'blob'))).equals(expected)).toBe(true)
    },
  )

  test('reads two members wherever the chunks meet', async () => {
    const two = Buffer.concat([zlib.gzipSync('one,'), zlib.gzipSync('two')])
    for (let cut = 0; cut <= two.byteLength; cut++) {
      const chunks = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
        yield two.subarray(0, cut)
        yield two.subarray(cut)
      }
      expect((await collect(decompress(chunks(), 'blob'))).toString()).toBe('one,two')
    }
  })

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a few bytes', Buffer.from('ab')],
    ['text', Buffer.from('just some text')],
  ])('hands on %s as it is', async (_what, content) => {
    expect((await collect(decompress(inChunks(content, 3), 'blob'))).equals(content)).toBe(true)
  })

  test('refuses a gzip stream that is cut off, at every offset', async () => {
    const whole = zlib.gzipSync('some content to cut')
    for (let cut = 2; cut < whole.byteLength; cut++) {
      await expect(collect(decompress(inChunks(whole.subarray(0, cut), 5), 'blob'))).rejects.toMatchObject({
        code: 'invalid-content',
      })
    }
  })

  test.each([
    ['text', Buffer.from('trailing')],
    ['a zero byte', Buffer.alloc(1)],
    ['a hidden member behind zeros', Buffer.concat([Buffer.alloc(8), zlib.gzipSync('hidden')])],
    ['many zeros', Buffer.alloc(2_000_000)],
  ])('refuses %s after the end', async (_what, tail) => {
    const content = Buffer.concat([zlib.gzipSync('content'), tail])
    for (const chunkSize of [10, 4096, content.byteLength]) {
      await expect(collect(decompress(inChunks(content, chunkSize), 'blob'))).rejects.toMatchObject({
        code: 'invalid-content',
      })
    }
  })

  test('refuses a damaged stream and names the content', async () => {
    const damaged = Buffer.from(members)
    damaged.writeUInt32LE(0xdeadbeef, damaged.byteLength - 8)
    await expect(collect(decompress(inChunks(damaged, 65_536), 'layer of x'))).rejects.toMatchObject({
      code: 'invalid-content',
      message: 'layer of x is not valid gzip: incorrect data check',
    })
  })

  test.each(['after the head', 'before the head'])('hands on the failure of its content %s', async (when) => {
    async function* failing(): AsyncGenerator<Uint8Array, void, undefined> {
      if (when === 'after the head') yield members.subarray(0, 1000)
      throw new Error('disk on fire')
    }
    await expect(collect(decompress(failing(), 'blob'))).rejects.toThrow('disk on fire')
  })

  test.each(['gzip', 'plain'])('closes %s content when the reader stops', async (kind) => {
    let isClosed = false
    async function* endless(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        for (;;) yield kind === 'gzip' ? members : new Uint8Array(1000)
      } finally {
        isClosed = true
      }
    }
    const content = decompress(endless(), 'blob')
    await content.next()
    await content.return()
    await new Promise((resolve) => setImmediate(resolve))
    expect(isClosed).toBe(true)
  })

  test.runIf(hasZstd).each([1, 3, 7, 20, 1000])('reads zstd in chunks of %i bytes', async (chunkSize) => {
    const frames = Buffer.concat([skippable, zstdHello, zstdHello, skippable, zstdOfSample(), zstdHello])
    const expected = `hello zstd\nhello zstd\n${Buffer.from(shortText).toString()}hello zstd\n`
    expect((await collect(decompress(inChunks(frames, chunkSize), 'blob'))).toString()).toBe(expected)
  })

  test.runIf(hasZstd)('refuses zstd that is cut off, damaged or followed by something else', async () => {
    for (let cut = 4; cut < zstdHello.byteLength; cut++) {
      const content = decompress(inChunks(zstdHello.subarray(0, cut), 7), 'blob')
      await expect(collect(content), String(cut)).rejects.toMatchObject({ code: 'invalid-content' })
    }
    const wrongChecksum = Buffer.from(zstdHello)
    wrongChecksum[zstdHello.byteLength - 1]! ^= 1
    const followed = Buffer.concat([zstdHello, Buffer.alloc(9)])
    for (const content of [wrongChecksum, followed]) {
      await expect(collect(decompress(inChunks(content, 64), 'blob'))).rejects.toMatchObject({
        code: 'invalid-content',
      })
    }
  })

  test.skipIf(hasZstd)('says that zstd needs a newer Node', async () => {
    let isClosed = false
    async function* content(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        yield zstdHello
      } finally {
        isClosed = true
      }
    }
    await expect(collect(decompress(content(), 'blob'))).rejects.toMatchObject({
      code: 'unsupported',
      message: 'blob is compressed with zstd, which this version of Node cannot read',
    })
    expect(isClosed).toBe(true)
  })
})
