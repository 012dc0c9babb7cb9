import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { collectBytes } from '../../src/util/bytes.js'
import { openRegularFile, readPieces, readSmallFile } from '../../src/util/read-file.js'
import { temporaryFolder } from './temporary-folder.js'

describe('a regular file', () => {
  test.each<[string, (path: string) => void]>([
    ['a folder', (path) => mkdirSync(path)],
    [
      'a link to a file',
      (path) => {
        writeFileSync(`${path}.real`, 'x')
        symlinkSync(`${path}.real`, path)
      },
    ],
    [
      'a link to nothing',
      (path) => {
        symlinkSync(`${path}.missing`, path)
      },
    ],
    [
      'a pipe',
      (path) => {
        execFileSync('mkfifo', [path])
      },
    ],
  ])('is not %s', async (_, prepare) => {
    const path = join(temporaryFolder(), 'file')
    prepare(path)
    const refusal = { code: 'file-error', message: `${path} is not a regular file` }
    await expect(openRegularFile(path)).rejects.toMatchObject(refusal)
    await expect(readSmallFile(path, 10)).rejects.toMatchObject(refusal)
  })

  test('that is missing is named', async () => {
    const path = join(temporaryFolder(), 'file')
    await expect(openRegularFile(path)).rejects.toMatchObject({
      code: 'file-error',
      message: `cannot read ${path}: no such file or directory`,
    })
  })
})

describe('a small file', () => {
  test.each([0, 1, 9, 10])('of %i bytes is read whole', async (size) => {
    const path = join(temporaryFolder(), 'file')
    writeFileSync(path, 'x'.repeat(size))
    expect(await readSmallFile(path, 10)).toHaveLength(size)
  })

  test('above its limit is refused', async () => {
    const path = join(temporaryFolder(), 'file')
    writeFileSync(path, 'x'.repeat(11))
    await expect(readSmallFile(path, 10)).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: `${path} exceeds the limit of 10 bytes`,
    })
  })
})

describe('pieces of a file', () => {
  const size = 2_500_000
  const content = Buffer.from(Array.from({ length: size }, (_, index) => index % 251))

  test.each([
    [0, size, 1 << 20],
    [0, Infinity, 1 << 20],
    [1, size - 1, 1000_000],
    [size, size, 10],
    [size - 1, size + 10, 10],
    [100, 50, 10],
  ])('from %i to %i come in order', async (start, end, pieceSize) => {
    const path = join(temporaryFolder(), 'file')
    writeFileSync(path, content)
    const handle = await openRegularFile(path)
    const bytes = await collectBytes(readPieces(handle, { start, end, path, pieceSize }), size, 'file')
    await handle.close()
    expect(Buffer.compare(bytes, content.subarray(start, Math.max(start, Math.min(end, size))))).toBe(0)
  })

  test('are buffers of their own', async () => {
    const path = join(temporaryFolder(), 'file')
    writeFileSync(path, content)
    const handle = await openRegularFile(path)
    const pieces: Uint8Array[] = []
    for await (const piece of readPieces(handle, { start: 0, end: size, path, pieceSize: 300_000 })) pieces.push(piece)
    await handle.close()
    expect(Buffer.compare(Buffer.concat(pieces), content)).toBe(0)
  })

  test('can be left while the next one is read', async () => {
    const path = join(temporaryFolder(), 'file')
    writeFileSync(path, content)
    const handle = await openRegularFile(path)
    for await (const piece of readPieces(handle, { start: 0, end: size, path })) {
      expect(piece.byteLength).toBeGreaterThan(0)
      break
    }
    await handle.close()
    expect(readdirSync(join(path, '..'))).toEqual(['file'])
  })

  test('stop at an abort', async () => {
    const path = join(temporaryFolder(), 'file')
    writeFileSync(path, content)
    const handle = await openRegularFile(path)
    const controller = new AbortController()
    const pieces = readPieces(handle, { start: 0, end: size, path, pieceSize: 10, signal: controller.signal })
    await pieces.next()
    controller.abort()
    await expect(pieces.next()).rejects.toMatchObject({ code: 'aborted' })
    await handle.close()
  })
})
