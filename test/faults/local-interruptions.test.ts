import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { someBytes } from '../registry/test-registry.js'
import { UPLOAD } from './fault-bench.js'
import { ignore } from './faults.js'
import { isTemporary, LocalBench } from './local-bench.js'
import { atRequest, LARGE } from './local-checkpoints.js'
import { push } from './local-commands.js'
import { pushFiles } from '../../src/index.js'

test('32: a second SIGINT does not wait for what the first one tidies up', async () => {
  const bench = await LocalBench.open({ auth: 'basic' })
  await push.prepare(bench)
  const arrive = await atRequest('PUT', UPLOAD, 'half sent', LARGE)(bench)
  const isCancelled = new Promise<void>((resolve) =>
    bench.wire.on('DELETE', UPLOAD, (passage) => {
      resolve()
      return ignore(passage)
    }),
  )
  const before = await bench.snapshot()
  const program = bench.start(push.words(bench))
  await arrive()
  program.send('SIGINT')
  await isCancelled
  const start = performance.now()
  program.send('SIGINT')
  const { code, stderr } = await program.ended
  expect({ code, stderr }).toEqual({ code: 130, stderr: '' })
  expect(performance.now() - start).toBeLessThan(1000)
  expect(await bench.snapshot()).toEqual(before)
})

test('32: an upload that the registry does not cancel is waited for two seconds', async () => {
  const bench = await LocalBench.open({ auth: 'basic' })
  await push.prepare(bench)
  const arrive = await atRequest('PUT', UPLOAD, 'half sent', LARGE)(bench)
  bench.wire.on('DELETE', UPLOAD, ignore)
  const program = bench.start(push.words(bench))
  await arrive()
  const start = performance.now()
  program.send('SIGTERM')
  expect(await program.ended).toMatchObject({ code: 143, stderr: 'Error: interrupted\n' })
  expect(performance.now() - start).toBeLessThan(5000)
})

/** Enough for a signal to come while files get their names. */
const FILES = 100

test.each(['SIGINT', 'SIGKILL'] as const)(
  '32: %s while files get their names leaves each old or new',
  async (signal) => {
    const bench = await LocalBench.open()
    const names = Array.from({ length: FILES }, (_, index) => `file-${index}`)
    const contentOf = (name: string): Buffer => Buffer.from(someBytes(1000 + Number(name.slice(5))))
    for (const name of names) await bench.write(`source/${name}`, contentOf(name))
    for (const name of names) await bench.write(`output/${name}`, `old ${name}\n`)
    const files = names.map((name) => ({ name, path: bench.path(`source/${name}`) }))
    await pushFiles(bench.behind(), files, { tags: ['v1'], artifactType: 'test/file' })
    const words = ['pull', bench.reference('v1'), '-o', bench.output, '--plain-http']

    const program = bench.start(words)
    const isOld = async (name: string): Promise<boolean> =>
      (await readFile(bench.path(`output/${name}`), 'utf8')).startsWith('old ')
    const over = program.ended.then(() => true)
    const soon = (): Promise<boolean> => new Promise((resolve) => setImmediate(resolve, false))
    while ((await isOld(names[0]!)) && !(await Promise.race([over, soon()])));
    program.send(signal)
    const { code, stderr } = await program.ended
    // It may have come to its end before the signal came.
    expect([signal === 'SIGINT' ? 130 : 'SIGKILL', 0], stderr).toContain(code)

    const found = new Map<string, string>()
    for (const name of names) {
      const bytes = await readFile(bench.path(`output/${name}`))
      found.set(name, bytes.equals(contentOf(name)) ? 'new' : bytes.toString())
    }
    for (const [name, state] of found) expect(['new', `old ${name}\n`]).toContain(state)
    if (code !== 'SIGKILL') {
      expect(new Set([...found.values()].map((state) => state === 'new')).size, 'all or none').toBe(1)
      expect((await bench.snapshot()).filter(isTemporary)).toEqual([])
    }
    await bench.succeeds(words)
    for (const name of names) expect((await readFile(bench.path(`output/${name}`))).equals(contentOf(name))).toBe(true)
    expect((await readdir(bench.output)).sort()).toEqual([...names, 'old.txt'].sort())
    expect(existsSync(bench.path('output-beside/old.txt'))).toBe(true)
  },
)
