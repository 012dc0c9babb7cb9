import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { syncFile } from '../../src/util/sync-file.js'
import { temporaryFolder } from './temporary-folder.js'

const IN_MEMORY = '/dev/shm'
let remove = (): void => undefined

afterEach(() => {
  remove()
})

describe.each([
  ['on a disk', true, temporaryFolder],
  [
    'in memory',
    existsSync(IN_MEMORY),
    () => {
      const folder = mkdtempSync(join(IN_MEMORY, 'gantry-test-'))
      remove = () => rmSync(folder, { recursive: true, force: true })
      return folder
    },
  ],
])('a file %s', (_, isPossible, makeFolder) => {
  test.runIf(isPossible)('is synced, as often as asked, and stays open', async () => {
    const folder = makeFolder()
    const path = join(folder, 'file')
    const file = openSync(path, 'wx')
    writeSync(file, 'first ')
    await syncFile(file, folder)
    writeSync(file, 'second')
    await syncFile(file, folder)
    closeSync(file)
    expect(readFileSync(path, 'utf8')).toBe('first second')
  })

  test.runIf(isPossible)('that is not open is an error', async () => {
    const folder = makeFolder()
    const file = openSync(join(folder, 'file'), 'wx')
    closeSync(file)
    await expect(syncFile(file, folder)).rejects.toMatchObject({ code: 'EBADF' })
  })
})
