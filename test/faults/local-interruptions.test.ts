import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { someBytes } from '../registry/test-registry.js'
import { UPLOAD } from './fault-bench.js'
import { ignore } from './faults.js'
import { isTemporary, LocalBench, type RunningProgram } from './local-bench.js'
import { atRequest, LARGE } from './local-checkpoints.js'
import { push } from './local-commands.js'
import { pushFiles } from '../../src/artifact/push-files.js'

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
  program.send('SIGINT')
  const { code, stderr } = await program.ended
  // The first one, which waits for the registry, would end with a message.
  expect({ code, stderr }).toEqual({ code: 130, stderr: '' })
  expect(await bench.snapshot()).toEqual(before)
})

test('32: an upload that the registry does not cancel is waited for two seconds', async () => {
  const bench = await LocalBench.open({ auth: 'basic' })
  await push.prepare(bench)
  const arrive = await atRequest('PUT', UPLOAD, 'half sent', LARGE)(bench)
  bench.wire.on('DELETE', UPLOAD, ignore)
  const program = bench.start(push.words(bench))
  await arrive()
  program.send('SIGTERM')
  expect(await program.ended).toMatchObject({ code: 143, stderr: 'Error: interrupted\n' })
})

test('32: two SIGINTs at once while files are made leave none of them', async () => {
  const { bench, words } = await openManyFiles()
  for (let round = 0; round < 8; round++) {
    const program = bench.start(words)
    await untilTrue(program, async () => (await filesOnTheirWay(bench)) > 0)
    program.send('SIGINT')
    program.send('SIGINT')
    const { code, stderr } = await program.ended
    // Should they be late: all names are given in one step, and Node.js stops looking for signals shortly before it ends.
    expect([130, 'SIGINT', 0], stderr).toContain(code)
    expect(['', 'Error: interrupted\n']).toContain(stderr)
    const states = [...(await statesIn(bench))]
    expect([['old'], ['new']]).toContainEqual(states)
    if (code === 0) expect(states).toEqual(['new'])
    expect((await bench.snapshot()).filter(isTemporary)).toEqual([])
  }
  await expectToWork(bench, words)
})

test('32: SIGINT while files get their names is too late, and all of them get theirs', async () => {
  const { bench, words } = await openManyFiles()
  const program = bench.start(words)
  await untilTrue(program, () => hasFirstName(bench))
  program.send('SIGINT')
  const { code, stdout, stderr } = await program.ended
  // All names are given in one step; Node.js stops looking for signals shortly before it ends, when all work is done.
  expect([0, 'SIGINT'], stderr).toContain(code)
  expect(stdout).toMatch(/^Pulled .*\nDigest: sha256:[0-9a-f]{64}\n$/m)
  expect(stderr).toBe('')
  expect(await statesIn(bench)).toEqual(new Set(['new']))
  expect((await bench.snapshot()).filter(isTemporary)).toEqual([])
  await expectToWork(bench, words)
})

test('32: SIGKILL while files get their names leaves each old or new', async () => {
  const { bench, words } = await openManyFiles()
  const program = bench.start(words)
  await untilTrue(program, () => hasFirstName(bench))
  program.send('SIGKILL')
  const { code, stderr } = await program.ended
  const states = await statesIn(bench)
  // It may have come to its end before the signal came.
  if (code === 0) expect(states).toEqual(new Set(['new']))
  else {
    expect(code, stderr).toBe('SIGKILL')
    for (const state of states) expect(['old', 'new']).toContain(state)
  }
  await expectToWork(bench, words)
})

/** Enough for a signal to come while files are made, or get their names. */
const NAMES = Array.from({ length: 100 }, (_, index) => `file-${index}`)

const contentOf = (name: string): Buffer => Buffer.from(someBytes(1000 + Number(name.slice(5))))

/** A registry with an artifact of many files, all of which are there already, with other content. */
async function openManyFiles(): Promise<{ bench: LocalBench; words: readonly string[] }> {
  const bench = await LocalBench.open()
  for (const name of NAMES) await bench.write(`source/${name}`, contentOf(name))
  for (const name of NAMES) await bench.write(`output/${name}`, `old ${name}\n`)
  const files = NAMES.map((name) => ({ name, path: bench.path(`source/${name}`) }))
  await pushFiles(bench.behind(), files, { tags: ['v1'], artifactType: 'test/file' })
  return { bench, words: ['pull', bench.reference('v1'), '-o', bench.output, '--plain-http'] }
}

/** Asks again and again, so that not much more happens; no longer than the program runs. */
async function untilTrue(program: RunningProgram, isTrue: () => Promise<boolean>): Promise<void> {
  const over = program.ended.then(() => true)
  const soon = (): Promise<boolean> => new Promise((resolve) => setImmediate(resolve, false))
  while (!(await isTrue()) && !(await Promise.race([over, soon()])));
}

async function hasFirstName(bench: LocalBench): Promise<boolean> {
  return !(await readFile(bench.path(`output/${NAMES[0]}`), 'utf8')).startsWith('old ')
}

async function filesOnTheirWay(bench: LocalBench): Promise<number> {
  const staging = (await readdir(bench.output)).find((name) => name.startsWith('.'))
  return staging === undefined ? 0 : (await readdir(join(bench.output, staging))).length
}

/** What the files are: old, new, or what is in one that is neither. */
async function statesIn(bench: LocalBench): Promise<ReadonlySet<string>> {
  const states = new Set<string>()
  for (const name of NAMES) {
    const bytes = await readFile(bench.path(`output/${name}`))
    const isOld = bytes.toString() === `old ${name}\n`
    states.add(isOld ? 'old' : bytes.equals(contentOf(name)) ? 'new' : `${name}: ${bytes.toString()}`)
  }
  return states
}

async function expectToWork(bench: LocalBench, words: readonly string[]): Promise<void> {
  await bench.succeeds(words)
  expect(await statesIn(bench)).toEqual(new Set(['new']))
  expect((await readdir(bench.output)).sort()).toEqual([...NAMES, 'old.txt'].sort())
  expect(existsSync(bench.path('output-beside/old.txt'))).toBe(true)
}
