import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LayoutStore } from '../../src/store/layout.js'
import { bundleScript } from '../util/bundle-script.js'
import { temporaryFolder } from '../util/temporary-folder.js'
import { emptyConfig, listAll } from './content.js'

let script: Awaited<ReturnType<typeof bundleScript>>
beforeAll(async () => {
  script = await bundleScript(join(import.meta.dirname, 'layout-worker.ts'))
})
afterAll(() => {
  script.remove()
})

function start(folder: string, name: string): { child: ChildProcess; ended: Promise<string> } {
  const child = spawn(process.execPath, [script.path, folder, name, 'tags'], { stdio: ['ignore', 'ignore', 'pipe'] })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  const ended = new Promise<string>((resolve) =>
    child.on('close', (code, signal) => {
      resolve(signal ?? (code === 0 ? 'done' : complaint))
    }),
  )
  return { child, ended }
}

/** Reads `index.json` over and over: it is whole at any moment. */
async function pollIndex(folder: string, until: () => boolean): Promise<number> {
  let readings = 0
  while (!until()) {
    const path = join(folder, 'index.json')
    if (existsSync(path)) {
      JSON.parse(readFileSync(path, 'utf8'))
      readings++
    }
    await sleep(1)
  }
  return readings
}

test('24 processes, 8 of them killed, tag in one layout and lose nothing', { timeout: 60_000 }, async () => {
  const folder = join(temporaryFolder(), 'layout')
  const workers = Array.from({ length: 24 }, (_, number) => start(folder, `w${number}`))
  let areDone = false
  const polling = pollIndex(folder, () => areDone)
  while (!existsSync(join(folder, 'index.json'))) await sleep(2)
  for (const { child } of workers.filter((_, number) => number % 3 === 0)) {
    await sleep(15)
    child.kill('SIGKILL')
  }
  const endings = await Promise.all(workers.map(({ ended }) => ended))
  areDone = true
  expect(await polling).toBeGreaterThan(10)
  for (const [number, ending] of endings.entries()) {
    expect(ending).toMatch(number % 3 === 0 ? /^(SIGKILL|done)$/ : /^done$/)
  }

  const store = await LayoutStore.open(folder)
  const tags = new Set(await listAll(store.tags()))
  const noted = readFileSync(`${folder}.log`, 'utf8').trim().split('\n')
  for (const line of noted) {
    const [tag = '', digest] = line.split(' ')
    expect(tags).toContain(tag)
    const { descriptor } = await store.readManifest(tag)
    expect(descriptor.digest).toBe(digest)
  }
  for (let number = 0; number < 24; number++) {
    if (number % 3 === 0) continue
    for (const tag of [0, 1, 2]) expect(tags).toContain(`w${number}-${tag}`)
  }

  // The next one to write removes what the killed ones left.
  await (await LayoutStore.open(folder)).push(emptyConfig.descriptor, emptyConfig.open)
  const blobs = readdirSync(join(folder, 'blobs/sha256'))
  expect(blobs.filter((name) => !/^[0-9a-f]{64}$/.test(name))).toEqual([])
  expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([])
})

test.skipIf(process.platform === 'win32')('a file that grows too large is an error that changes nothing', async () => {
  const folder = join(temporaryFolder(), 'layout')
  const store = await LayoutStore.open(folder, { create: true })
  await store.push(emptyConfig.descriptor, emptyConfig.open)
  // The limit is in blocks of 512 or 1024 bytes; without the trap the process would just end.
  const limited = 'trap "" XFSZ; ulimit -f 2048; exec "$@"'
  const command = ['-c', limited, 'sh', process.execPath, script.path, folder, 'w', 'large']
  expect(execFileSync('sh', command, { encoding: 'utf8' })).toMatch(
    /^file-error: cannot write .*\/blobs\/sha256\/[0-9a-f]{64}: file too large \(what was there before is unchanged\)$/,
  )
  expect(readdirSync(join(folder, 'blobs/sha256'))).toEqual([emptyConfig.descriptor.digest.slice(7)])
  expect(execFileSync('sh', ['-c', 'exec "$@"', ...command.slice(2)], { encoding: 'utf8' })).toBe('pushed')
})
