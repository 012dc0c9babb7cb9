import { spawn } from 'node:child_process'
import {
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { acquireFileLock, withFileLock } from '../../src/util/file-lock.js'
import { encodeLockOwner } from '../../src/util/lock-owner.js'
import { ownIdentity } from '../../src/util/process-identity.js'
import { removeOpenTempFiles } from '../../src/util/temp-path.js'
import { bundleScript } from './bundle-script.js'
import { temporaryFolder } from './temporary-folder.js'

const DEAD = { id: '00000000-0000-4000-8000-000000000000', ...ownIdentity(), pid: 2 ** 22 + 1 }
const ELSEWHERE = { ...DEAD, host: 'far\u001bhost', space: '00000000' }

let script: Awaited<ReturnType<typeof bundleScript>>
beforeAll(async () => {
  script = await bundleScript(join(import.meta.dirname, 'file-lock-worker.ts'))
})
afterAll(() => {
  script.remove()
})

describe('a lock', () => {
  test('lets one task in at a time, and leaves nothing behind', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'lock')
    let inside = 0
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        withFileLock(path, async () => {
          expect(++inside).toBe(1)
          expect(readdirSync(folder)).toContain('lock')
          await sleep(1)
          inside--
          return index
        }),
      ),
    )
    expect(results).toHaveLength(20)
    expect(readdirSync(folder)).toEqual([])
  })

  test('is given back after a failure', async () => {
    const path = join(temporaryFolder(), 'lock')
    await expect(withFileLock(path, () => Promise.reject(new Error('task failed')))).rejects.toThrow('task failed')
    expect(existsSync(path)).toBe(false)
  })

  test('names its owner when the wait was in vain', async () => {
    const path = join(temporaryFolder(), 'lock')
    const release = await acquireFileLock(path)
    await expect(acquireFileLock(path, { timeout: 20 })).rejects.toMatchObject({
      code: 'locked',
      message: `${path} is held by process ${process.pid} on host ${ownIdentity().host}`,
    })
    await release()
    await (
      await acquireFileLock(path, { timeout: 20 })
    )()
  })

  test('stops waiting when the signal fires', async () => {
    const path = join(temporaryFolder(), 'lock')
    const release = await acquireFileLock(path)
    const wait = acquireFileLock(path, { signal: AbortSignal.timeout(30) })
    await expect(wait).rejects.toMatchObject({ code: 'aborted' })
    await release()
  })

  test('of a process elsewhere is respected, and its name made harmless', async () => {
    const path = join(temporaryFolder(), 'lock')
    writeFileSync(path, JSON.stringify(ELSEWHERE))
    await expect(acquireFileLock(path, { timeout: 20 })).rejects.toMatchObject({
      code: 'locked',
      message: `${path} is held by process ${DEAD.pid} on host far\\u{1b}host`,
    })
  })

  test.each([
    ['a dead process', JSON.stringify(DEAD), 0],
    ['a process that had our pid before', JSON.stringify({ ...DEAD, pid: process.pid, started: '1' }), 0],
    ['nobody, for long', '', 60_000],
    ['nonsense, for long', '{"id":', 60_000],
    ['a foreign program, for long', '{"pid":"1"}', 60_000],
  ])('of %s is taken over', async (_, content, age) => {
    const folder = temporaryFolder()
    const path = join(folder, 'lock')
    writeFileSync(path, content)
    const time = new Date(Date.now() - age)
    utimesSync(path, time, time)
    expect(await withFileLock(path, async () => 'ours', { timeout: 500 })).toBe('ours')
    expect(readdirSync(folder)).toEqual([])
  })

  test('that is not readable yet is waited for', async () => {
    const path = join(temporaryFolder(), 'lock')
    writeFileSync(path, '')
    await expect(acquireFileLock(path, { timeout: 20 })).rejects.toMatchObject({
      code: 'locked',
      message: `${path} is held by another process`,
    })
  })

  test('is taken over even when the process that was about to do so has died too', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'lock')
    const second = '00000000-0000-4000-8000-000000000001'
    writeFileSync(path, JSON.stringify(DEAD))
    writeFileSync(`${path}.after-${DEAD.id}`, JSON.stringify({ ...DEAD, id: second }))
    expect(await withFileLock(path, async () => 'ours', { timeout: 500 })).toBe('ours')
    expect(readdirSync(folder)).toEqual([])
  })

  test('that a faster process has taken over meanwhile is left alone', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'lock')
    writeFileSync(path, JSON.stringify(DEAD))
    // The right to take it over is held by somebody who is alive, and who then takes the lock.
    writeFileSync(`${path}.after-${DEAD.id}`, encodeLockOwner())
    const wait = acquireFileLock(path, { timeout: 150 })
    await sleep(30)
    unlinkSync(path)
    linkSync(`${path}.after-${DEAD.id}`, path)
    unlinkSync(`${path}.after-${DEAD.id}`)
    await expect(wait).rejects.toMatchObject({ code: 'locked' })
    expect(existsSync(path)).toBe(true)
  })

  test('that is a link is refused', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'lock')
    symlinkSync(join(folder, 'elsewhere'), path)
    await expect(acquireFileLock(path, { timeout: 20 })).rejects.toMatchObject({
      code: 'file-error',
      message: `${path} is not a regular file`,
    })
  })

  test('goes when the process has to end at once', async () => {
    const folder = temporaryFolder()
    await acquireFileLock(join(folder, 'lock'))
    removeOpenTempFiles()
    expect(readdirSync(folder)).toEqual([])
  })

  test('in a missing folder is an error', async () => {
    const path = join(temporaryFolder(), 'missing', 'lock')
    await expect(acquireFileLock(path)).rejects.toMatchObject({
      code: 'file-error',
      message: `cannot lock ${path}: no such file or directory`,
    })
  })
})

test('12 processes, 4 of them killed in the middle, lose nothing', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'counter'), '0')
  const workers = Array.from({ length: 12 }, (_, index) => {
    const child = spawn(process.execPath, [script.path, folder, String(index), '8'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let complaint = ''
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
    const ended = new Promise<string>((resolve) =>
      child.on('close', (code, signal) => {
        resolve(signal ?? (code === 0 ? 'done' : complaint))
      }),
    )
    return { child, ended }
  })
  for (const { child } of workers.slice(0, 4)) {
    while (!existsSync(join(folder, 'entered'))) await sleep(2)
    await sleep(10)
    child.kill('SIGKILL')
  }
  const endings = await Promise.all(workers.map(({ ended }) => ended))
  expect(endings.slice(4)).toEqual(Array.from({ length: 8 }, () => 'done'))
  const left = readFileSync(join(folder, 'left'), 'utf8').trim().split('\n')
  const count = Number(readFileSync(join(folder, 'counter'), 'utf8'))
  // A process may be killed between counting and noting that it has counted.
  expect(count - left.length).toBeGreaterThanOrEqual(0)
  expect(count - left.length).toBeLessThanOrEqual(4)
  for (let index = 4; index < 12; index++) expect(left.filter((name) => name === String(index))).toHaveLength(8)
  const locks = readdirSync(folder).filter((name) => name.startsWith('counter.lock'))
  expect(locks).toEqual([])
})
