import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GZIP_BLOCK_SIZE, gzipBlocks } from '../../../src/store/compression/gzip-blocks.js'
import { collect, inChunks, sampleBytes, sha256 } from './sample-content.js'
import { buildWorkerFile, type WorkerFile } from './worker-file.js'

const MIB = 1024 * 1024

let worker: WorkerFile
beforeAll(async () => {
  worker = await buildWorkerFile()
})
afterAll(async () => {
  await worker.remove()
})

/** Digests of compressed content: whoever pushed a folder finds the same one on any machine, in any later version. */
const fixed = [
  { size: 0, level: 6, digest: '30e6fa98fb48c2b132824d1ac5e2243c0be9e9082ff32598d34d7687ca7f6c7f' },
  { size: 1, level: 6, digest: '9d002585e6e6591bf59fd2b0092cf642d4e39e6d878abc1266549b35769d33a1' },
  { size: 100_000, level: 1, digest: 'fe389873eb648a0f1a79b5cc46f3347fbccf30bffa3394ed9273a0fc624bd74a' },
  { size: 100_000, level: 6, digest: '146515eba8bd2ee02d6596901b0fe340bbc74e9649d5fc9573530c2d50df8546' },
  { size: 100_000, level: 12, digest: '5a7be0f997c917dda77dae56fbe1f684182e623a1a2ac1a626db8082417430d5' },
  { size: MIB, level: 6, digest: '42cbbf339e80e03893293368bd70f179324219128edc8e9bb67a150bd128ccd8' },
  { size: MIB + 1, level: 6, digest: '16bf3f311eaabf578d954ab708c4b19aed6b0c02121d365e9c535704578c6b94' },
  { size: 5 * MIB + 12_345, level: 6, digest: '173562b7d2b5dfef4d111238f7bcba962e25911ca225a096341ef56368fb1d4e' },
]

describe('gzipBlocks', () => {
  test.each(fixed)('gives fixed bytes for $size bytes at level $level', async ({ size, level, digest }) => {
    const content = sampleBytes(size)
    const compressed = await collect(gzipBlocks(inChunks(content, 70_000), { level }))
    expect(gunzipSync(compressed).equals(content)).toBe(true)
    expect(sha256(compressed)).toBe(digest)
  })

  test.each([0, 1, 2, 4])('gives the same bytes with %i workers', async (workers) => {
    const content = sampleBytes(5 * MIB + 12_345)
    const compressed = await collect(gzipBlocks(inChunks(content, 100_000), { workers, workerFile: worker.url }))
    expect(sha256(compressed)).toBe(fixed.at(-1)?.digest)
  })

  test.each([1, 511, 4096, 65_536, MIB, 3 * MIB])('does not depend on chunks of %i bytes', async (chunkSize) => {
    const content = sampleBytes(chunkSize === 1 ? 20_000 : 2 * MIB + 777)
    const compressed = await collect(gzipBlocks(inChunks(content, chunkSize)))
    const whole = await collect(gzipBlocks(inChunks(content, content.byteLength)))
    expect(compressed.equals(whole)).toBe(true)
  })

  test('makes every block a member with a header without time, name and system', async () => {
    const content = sampleBytes(2 * MIB + 5)
    const members: Uint8Array[] = []
    for await (const member of gzipBlocks(inChunks(content, 65_536), { level: 12 })) members.push(member)
    expect(members).toHaveLength(3)
    for (const [index, member] of members.entries()) {
      expect([...member.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
      const block = content.subarray(index * GZIP_BLOCK_SIZE, (index + 1) * GZIP_BLOCK_SIZE)
      expect(gunzipSync(member).equals(block)).toBe(true)
    }
  })

  test('is read by gzip', async () => {
    const content = sampleBytes(MIB + 100)
    const compressed = await collect(gzipBlocks(inChunks(content, 65_536)))
    expect(execFileSync('gzip', ['-dc'], { input: compressed, maxBuffer: 8 * MIB }).equals(content)).toBe(true)
  })

  test('reads no further ahead than its workers need', async () => {
    let read = 0
    async function* endless(): AsyncGenerator<Uint8Array, void, undefined> {
      for (;;) {
        read++
        yield new Uint8Array(MIB)
      }
    }
    const members = gzipBlocks(endless(), { workers: 2, workerFile: worker.url })
    await members.next()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(read).toBeLessThan(8)
    await members.return()
  })

  test('closes the content when the reader stops', async () => {
    let isClosed = false
    async function* endless(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        for (;;) yield new Uint8Array(MIB)
      } finally {
        isClosed = true
      }
    }
    const members = gzipBlocks(endless(), { workers: 1, workerFile: worker.url })
    await members.next()
    await members.return()
    expect(isClosed).toBe(true)
  })

  test('hands on the failure of its content', async () => {
    async function* failing(): AsyncGenerator<Uint8Array, void, undefined> {
      yield new Uint8Array(3 * MIB)
      throw new Error('disk on fire')
    }
    await expect(collect(gzipBlocks(failing(), { workers: 2, workerFile: worker.url }))).rejects.toThrow('disk on fire')
  })

  test('fails when its worker fails', async () => {
    const broken = new URL('broken-worker.js', worker.url)
    await writeFile(broken, 'throw new Error("broken on purpose")')
    const content = inChunks(sampleBytes(3 * MIB), MIB)
    await expect(collect(gzipBlocks(content, { workers: 2, workerFile: broken }))).rejects.toThrow('broken on purpose')
  })

  test('stops when the signal fires', async () => {
    const controller = new AbortController()
    const content = inChunks(sampleBytes(8 * MIB), MIB)
    const members = gzipBlocks(content, { workers: 2, workerFile: worker.url, signal: controller.signal })
    await members.next()
    controller.abort()
    await expect(collect(members)).rejects.toMatchObject({ code: 'aborted' })
  })

  test.each([0, 13, 1.5, Number.NaN])('refuses level %d', async (level) => {
    await expect(collect(gzipBlocks(inChunks(sampleBytes(1), 1), { level }))).rejects.toMatchObject({
      code: 'invalid-argument',
    })
  })

  test('finds its workers beside itself, and lets the process end', () => {
    const script = `
      import { createHash } from 'node:crypto'
      import { gzipBlocks } from '${new URL('gzip-blocks.js', worker.url).href}'
      const hash = createHash('sha256')
      async function* content() { for (let count = 0; count < 5; count++) yield new Uint8Array(1024 * 1024) }
      let workers = 0
      process.on('worker', () => workers++)
      for await (const member of gzipBlocks(content(), { workers: 2 })) hash.update(member)
      console.log(workers, hash.digest('hex'))`
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { timeout: 15_000 })
    expect(output.toString()).toBe('2 6b3e9af81229bcc5c62f86522eb629f1a56e62b40c0004a9d2dcd85b1c7830ce\n')
  })

  test('leaves no handlers behind in the process', async () => {
    const script = `
      import { compressBlock } from '${new URL('compress-block.js', worker.url).href}'
      compressBlock(new Uint8Array(10), 6)
      console.log(process.listenerCount('uncaughtException'), process.listenerCount('unhandledRejection'))`
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script])
    expect(output.toString()).toBe('0 0\n')
  })
})
