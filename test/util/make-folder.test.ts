import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeFolder } from '../../src/util/make-folder.js'
import { temporaryFolder } from './temporary-folder.js'

describe('makeFolder', () => {
  test('makes a folder and those that it is in, with one mode', async () => {
    const root = temporaryFolder()
    await makeFolder(join(root, 'a/b/c'), 0o700)
    for (const path of ['a', 'a/b', 'a/b/c']) expect(statSync(join(root, path)).mode & 0o777).toBe(0o700)
    await makeFolder(join(root, 'a/b/c'))
    await makeFolder(root)
    await makeFolder('/')
  })

  test('takes a link to a folder for one', async () => {
    const root = temporaryFolder()
    mkdirSync(join(root, 'real'))
    symlinkSync('real', join(root, 'link'))
    await makeFolder(join(root, 'link'))
    await makeFolder(join(root, 'link/below'))
    expect(existsSync(join(root, 'real/below'))).toBe(true)
  })

  test('fails where a file or a link to nowhere is in the way', async () => {
    const root = temporaryFolder()
    writeFileSync(join(root, 'file'), 'x')
    symlinkSync('nowhere', join(root, 'dangling'))
    await expect(makeFolder(join(root, 'file'))).rejects.toMatchObject({ code: 'EEXIST' })
    await expect(makeFolder(join(root, 'file/below'))).rejects.toMatchObject({ code: 'ENOTDIR' })
    await expect(makeFolder(join(root, 'dangling'))).rejects.toMatchObject({ code: 'EEXIST' })
  })

  test.runIf(process.platform === 'linux').each(['/proc/x', '/proc/x/y/z', '/proc/self/x'])(
    'fails where a file system makes none, and does not try for ever: %s',
    async (path) => {
      await expect(makeFolder(path)).rejects.toMatchObject({ syscall: 'mkdir' })
    },
  )
})
