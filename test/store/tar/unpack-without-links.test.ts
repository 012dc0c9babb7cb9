import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { unpackFolder } from '../../../src/store/tar/unpack-folder.js'
import { openBytes } from '../../../src/util/bytes.js'
import { archive, file, hardLink } from './build-tar.js'

vi.mock('node:fs', async (load) => ({
  ...(await load<object>()),
  linkSync: () => {
    throw Object.assign(new Error('EMLINK: too many links'), { code: 'EMLINK', syscall: 'link' })
  },
}))

let base: string
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'gantry-unpack-'))
})
afterEach(async () => rm(base, { recursive: true }))

describe('where a file gets no second name', () => {
  const links = Array.from({ length: 20 }, (_, index) => hardLink(`d/link${index}`, 'd/file'))
  const bytes = archive(file('d/file', 'x'.repeat(1000)), ...links)

  async function unpack(maxUnpackedSize: number) {
    return unpackFolder(openBytes(bytes)(), join(base, 'out'), { name: 'd', what: 'layer', maxUnpackedSize })
  }

  test('copies are counted before they are made', async () => {
    await expect(unpack(20_999)).rejects.toMatchObject({ code: 'limit-exceeded' })
    expect(await readdir(base)).toEqual([])
  })

  test('copies are made up to the limit', async () => {
    expect(await unpack(21_000)).toMatchObject({ size: 21_000 })
    expect(await readdir(join(base, 'out'))).toHaveLength(21)
  })
})
