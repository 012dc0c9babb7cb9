import { pbkdf2 } from 'node:crypto'
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { acquireFileLock } from '../../src/util/file-lock.js'
import { formatOwner, ownIdentity } from '../../src/util/process-identity.js'
import { TempFile, writeFileAtomically } from '../../src/util/temp-file.js'
import { TempFolder } from '../../src/util/temp-folder.js'
import { endWithoutTempFiles, removeOpenTempFiles, sweepTempFiles, whileMaking } from '../../src/util/temp-path.js'
import { temporaryFolder } from './temporary-folder.js'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** A pid that no process has: beyond the largest that Linux gives out. */
const NOBODY = 2 ** 22 + 1

describe('a temporary file', () => {
  test('has its name only once it is published, and keeps the order of what was written', async () => {
    const folder = temporaryFolder()
    const target = join(folder, 'file')
    const file = await TempFile.create(target)
    const expected: string[] = []
    for (let index = 0; index < 3000; index++) {
      expected.push(`${index},`)
      await file.write(text(`${index},`))
    }
    expect(file.position).toBe(expected.join('').length)
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^\.gantry-.*\.tmp$/)])
    await file.publish()
    expect(readdirSync(folder)).toEqual(['file'])
    expect(readFileSync(target, 'utf8')).toBe(expected.join(''))
  })

  test('holds a fast writer back', async () => {
    const file = await TempFile.create(join(temporaryFolder(), 'file'))
    const chunk = new Uint8Array(3 * 1024 * 1024)
    await file.write(chunk)
    await file.write(chunk)
    expect(statSync(file.path).size).toBeGreaterThanOrEqual(chunk.byteLength)
    await file.discard()
  })

  test('leaves nothing when it is discarded', async () => {
    const folder = temporaryFolder()
    const file = await TempFile.create(join(folder, 'file'))
    await file.write(text('half'))
    await file.discard()
    await file.discard()
    expect(readdirSync(folder)).toEqual([])
  })

  test('can be cut back', async () => {
    const target = join(temporaryFolder(), 'file')
    const file = await TempFile.create(target)
    await file.write(text('keep'))
    await file.write(text('drop'))
    await file.truncate(4)
    await file.write(text('!'))
    await file.publish()
    expect(readFileSync(target, 'utf8')).toBe('keep!')
  })

  test('replaces a link, and not what it points at', async () => {
    const folder = temporaryFolder()
    const victim = join(folder, 'victim')
    writeFileSync(victim, 'precious')
    symlinkSync(victim, join(folder, 'file'))
    await writeFileAtomically(join(folder, 'file'), text('new'))
    expect(readFileSync(victim, 'utf8')).toBe('precious')
    expect(lstatSync(join(folder, 'file')).isFile()).toBe(true)
  })

  test('takes its mode', async () => {
    const target = join(temporaryFolder(), 'file')
    await writeFileAtomically(target, text('secret'), { mode: 0o600 })
    expect(statSync(target).mode & 0o777).toBe(0o600)
  })

  test('names its target in errors, and leaves it as it was', async () => {
    const folder = temporaryFolder()
    const target = join(folder, 'missing', 'file')
    await expect(TempFile.create(target)).rejects.toMatchObject({
      code: 'file-error',
      message: `cannot create ${target}: no such file or directory`,
      hint: 'what was there before is unchanged',
    })
    mkdirSync(join(folder, 'taken', 'inside'), { recursive: true })
    await expect(writeFileAtomically(join(folder, 'taken'), text('x'))).rejects.toMatchObject({ code: 'file-error' })
    expect(readdirSync(folder)).toEqual(['taken'])
  })

  test('reports a failed write at the next opportunity, and leaves nothing', async () => {
    const folder = temporaryFolder()
    const file = await TempFile.create(join(folder, 'file'))
    await file.handle.close()
    await file.write(text('x'))
    await expect(file.publish()).rejects.toThrow()
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('removeOpenTempFiles', () => {
  test('removes what is open at once, and nothing that was published', async () => {
    const folder = temporaryFolder()
    await writeFileAtomically(join(folder, 'done'), text('done'))
    const file = await TempFile.create(join(folder, 'file'))
    const tempFolder = await TempFolder.create(join(folder, 'folder'))
    writeFileSync(join(tempFolder.path, 'inside'), 'x')
    removeOpenTempFiles()
    expect(readdirSync(folder)).toEqual(['done'])
    await file.discard()
  })

  test('removes a folder that other threads are filling', async () => {
    const folder = temporaryFolder()
    const tempFolder = await TempFolder.create(join(folder, 'folder'))
    const folders = Array.from({ length: 1000 }, (_, index) => mkdir(join(tempFolder.path, String(index))))
    const ended = Promise.allSettled(folders)
    await folders[0]
    removeOpenTempFiles()
    expect(readdirSync(folder)).toEqual([])
    await ended
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('endWithoutTempFiles', () => {
  test.each<[string, (target: string) => Promise<unknown>]>([
    ['file', (target) => TempFile.create(target)],
    ['folder', (target) => TempFolder.create(target)],
  ])('leaves no %s that is being made', async (_what, make) => {
    const folder = temporaryFolder()
    const busy = keepThreadsBusy()
    const making = make(join(folder, 'target'))
    expect(await whatIsLeftAtTheEnd(folder)).toEqual([])
    await Promise.all([busy, making])
    expect(readdirSync(folder)).toEqual([])
  })

  test('leaves no lock that is being taken', async () => {
    for (let round = 0; round < 50; round++) {
      const folder = temporaryFolder()
      const taking = acquireFileLock(join(folder, 'lock'))
      while (readdirSync(folder).length === 0) await new Promise(setImmediate)
      expect(await whatIsLeftAtTheEnd(folder)).toEqual([])
      await taking
      expect(readdirSync(folder)).toEqual([])
    }
  })

  test('ends although there is always something being made', async () => {
    const timer = setInterval(() => void whileMaking(() => sleep(50)), 10)
    onTestFinished(() => clearInterval(timer))
    await sleep(50)
    await new Promise<void>((resolve) => void endWithoutTempFiles(resolve))
  })
})

/** What is asked of other threads next has to wait. */
async function keepThreadsBusy(): Promise<void> {
  await Promise.all(Array.from({ length: 16 }, () => promisify(pbkdf2)('', '', 20_000, 32, 'sha256')))
}

async function whatIsLeftAtTheEnd(folder: string): Promise<readonly string[] | undefined> {
  let left: readonly string[] | undefined
  await endWithoutTempFiles(() => (left = readdirSync(folder)))
  return left
}

describe('a temporary folder', () => {
  test('is private and goes with its content', async () => {
    const folder = temporaryFolder()
    const outside = join(folder, 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'file'), 'precious')
    const temp = await TempFolder.create(join(folder, 'target'))
    expect(statSync(temp.path).mode & 0o777).toBe(0o700)
    symlinkSync(outside, join(temp.path, 'link'))
    await temp.discard()
    expect(readdirSync(folder)).toEqual(['outside'])
    expect(readdirSync(outside)).toEqual(['file'])
  })
})

describe('sweepTempFiles', () => {
  const own = ownIdentity()
  const day = 24 * 60 * 60 * 1000

  test.each([
    ['of this process', { ...own }, 0, true],
    ['of a dead process', { ...own, pid: NOBODY }, 0, false],
    ['of a process that had this pid before', { ...own, started: '1' }, 0, false],
    ['of a process elsewhere', { ...own, space: '00000000' }, day / 2, true],
    ['of a process elsewhere, a day ago', { ...own, space: '00000000' }, day * 1.1, false],
  ])('a file %s', async (_, owner, age, stays) => {
    const folder = temporaryFolder()
    const name = `.gantry-${formatOwner(owner)}.tmp`
    writeFileSync(join(folder, name), 'x')
    const time = new Date(Date.now() - age)
    utimesSync(join(folder, name), time, time)
    await sweepTempFiles(folder)
    expect(readdirSync(folder)).toEqual(stays ? [name] : [])
  })

  test('a folder with links, and what they lead to stays', async () => {
    const folder = temporaryFolder()
    const stale = join(folder, `.gantry-${formatOwner({ ...own, pid: NOBODY })}.tmp`)
    mkdirSync(join(stale, 'deep'), { recursive: true })
    mkdirSync(join(folder, 'victim'))
    writeFileSync(join(folder, 'victim', 'file'), 'x')
    symlinkSync('../victim', join(stale, 'link'))
    symlinkSync('../../victim', join(stale, 'deep', 'link'))
    symlinkSync('victim', join(folder, `.gantry-${formatOwner({ ...own, pid: NOBODY })}.tmp`))
    await sweepTempFiles(folder)
    expect(readdirSync(folder)).toEqual(['victim'])
    expect(readdirSync(join(folder, 'victim'))).toEqual(['file'])
  })

  test.runIf(process.getuid?.() === 0)('what belongs to another user stays', async () => {
    const folder = temporaryFolder()
    const names = [1, 2].map(() => `.gantry-${formatOwner({ ...own, pid: NOBODY })}.tmp`)
    const [file = '', inner = ''] = names
    writeFileSync(join(folder, file), 'x')
    mkdirSync(join(folder, inner))
    for (const name of names) chownSync(join(folder, name), 12_345, 12_345)
    await sweepTempFiles(folder)
    expect(readdirSync(folder).sort()).toEqual(names.sort())
  })

  test('a path that is no folder, or a circle of links, is clean', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'file'), 'x')
    symlinkSync('circle', join(folder, 'circle'))
    await sweepTempFiles(join(folder, 'file'))
    await sweepTempFiles(join(folder, 'file', 'below'))
    await sweepTempFiles(join(folder, 'circle'))
    expect(readdirSync(folder).sort()).toEqual(['circle', 'file'])
  })

  test('a folder that is exchanged for a link while it is removed costs nothing outside', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'victim'))
    writeFileSync(join(folder, 'victim', 'file'), 'x')
    for (let round = 0; round < 20; round++) {
      const stale = join(folder, `.gantry-${formatOwner({ ...own, pid: NOBODY })}.tmp`)
      mkdirSync(stale)
      for (let index = 0; index < 20; index++) writeFileSync(join(stale, `file${index}`), 'x')
      const sweep = sweepTempFiles(folder)
      for (let turn = 0; turn < round; turn++) await new Promise(setImmediate)
      if (existsSync(stale)) {
        renameSync(stale, join(folder, `moved${round}`))
        symlinkSync('victim', stale)
      }
      await sweep
    }
    expect(readdirSync(join(folder, 'victim'))).toEqual(['file'])
  })

  test('leaves foreign names alone, and a missing folder is clean', async () => {
    const folder = temporaryFolder()
    const names = ['.gantry-1.tmp', '.gantry-settings', 'file.tmp']
    for (const name of names) writeFileSync(join(folder, name), 'x')
    await sweepTempFiles(folder)
    expect(readdirSync(folder).sort()).toEqual(names.sort())
    await sweepTempFiles(join(folder, 'missing'))
  })
})
