import { createHash } from 'node:crypto'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readPieces } from '../../src/util/read-file.js'
import { temporaryFolder } from './temporary-folder.js'

const PIECE = 1024 * 1024

async function readFile(
  size: number,
  transient: boolean,
): Promise<{ content: Buffer; kept: Uint8Array[]; copied: Buffer[] }> {
  const content = createHash('shake256', { outputLength: size }).update('content').digest()
  const path = join(temporaryFolder(), 'file')
  await writeFile(path, content)
  const handle = await open(path)
  const kept: Uint8Array[] = []
  const copied: Buffer[] = []
  try {
    for await (const piece of readPieces(handle, { start: 0, end: size, path, transient })) {
      // The piece before this one is still as it was.
      const before = kept.at(-1)
      if (before !== undefined) expect(copied.at(-1)?.equals(before)).toBe(true)
      kept.push(piece)
      copied.push(Buffer.from(piece))
    }
  } finally {
    await handle.close()
  }
  return { content, kept, copied }
}

describe('the pieces of a file', () => {
  test.each([true, false])('are all its bytes (transient: %s)', async (transient) => {
    const { content, copied } = await readFile(10 * PIECE + 7, transient)
    expect(Buffer.concat(copied).equals(content)).toBe(true)
    expect(copied).toHaveLength(11)
  })

  test('can be kept', async () => {
    const { content, kept } = await readFile(10 * PIECE, false)
    expect(Buffer.concat(kept).equals(content)).toBe(true)
    expect(new Set(kept.map(({ buffer }) => buffer)).size).toBe(10)
  })

  test('are read into the same memory again where that is promised not to matter', async () => {
    const { kept } = await readFile(10 * PIECE, true)
    expect(new Set(kept.map(({ buffer }) => buffer)).size).toBe(3)
  })
})
