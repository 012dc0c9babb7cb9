import { execFileSync, spawn, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFixture, seedArtifact, type Fixture } from './fixture.js'

const program = join(import.meta.dirname, '../../bin/gantry.js')

let fixture: Fixture
let folder: string
let reference: string

beforeAll(async () => {
  fixture = await createFixture()
  folder = await mkdtemp(join(tmpdir(), 'gantry-process-'))
  await seedArtifact(fixture.repository('run/process'), { tag: 'v1' })
  reference = `${fixture.registry}/run/process:v1`
})

afterAll(async () => {
  await fixture.close()
  await rm(folder, { recursive: true, force: true })
})

async function run(words: readonly string[], stdio: StdioOptions): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [program, ...words], {
    env: { ...process.env, HOME: folder, DOCKER_CONFIG: folder },
    stdio,
  })
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdout?.destroy()
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stderr }
}

test('whoever closes the output of a command is not told that its work was done', async () => {
  const output = join(folder, 'closed')
  const result = await run(['pull', '-o', output, reference], ['ignore', 'pipe', 'pipe'])
  const pulled = existsSync(output) ? await readdir(output) : []
  expect(result).toEqual(pulled.length === 0 ? { code: 141, stderr: '' } : { code: 0, stderr: '' })
})

test('an endless list ends when nobody reads it any more', async () => {
  let page = 0
  const server = createServer((_request, response) => {
    response.setHeader('link', `</v2/a/tags/list?last=${page++}>; rel="next"`)
    response.end(JSON.stringify({ name: 'a', tags: [`t${page}`] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  try {
    const result = await run(['repo', 'tags', '--plain-http', `127.0.0.1:${port}/a`], ['ignore', 'pipe', 'pipe'])
    expect(result).toEqual({ code: 141, stderr: '' })
  } finally {
    server.close()
  }
})

describe.runIf(existsSync('/dev/full'))('output that cannot be written', () => {
  test.each([['version'], ['resolve'], ['pull']])('ends %s with an error', async (command) => {
    const full = await open('/dev/full', 'w')
    try {
      const words = command === 'version' ? [command] : [command, reference]
      const target = command === 'pull' ? ['-o', join(folder, 'full')] : []
      const { code, stderr } = await run([...words, ...target], ['ignore', full.fd, 'pipe'])
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringMatching(/^Error: cannot write the output: .*\n$/),
      })
    } finally {
      await full.close()
    }
  })

  test('is of no concern where it is the errors that nobody can read', async () => {
    const full = await open('/dev/full', 'w')
    try {
      expect(await run(['resolve', `${reference}-no`], ['ignore', 'ignore', full.fd])).toMatchObject({ code: 6 })
    } finally {
      await full.close()
    }
  })
})

test.runIf(process.platform !== 'win32')('a second signal ends a process whose threads are stuck', async () => {
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  // Nobody ever writes to the pipe, so that opening it never ends.
  const child = spawn(process.execPath, [program, 'blob', 'push', `${fixture.registry}/run/process`, pipe], {
    env: { ...process.env, HOME: folder, DOCKER_CONFIG: folder },
    stdio: 'ignore',
  })
  const ended = once(child, 'close') as Promise<[number | null, string | null]>
  let isOver = false
  void ended.then(() => (isOver = true))
  // The first one may come before the program listens.
  while (!isOver) {
    child.kill('SIGTERM')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const [code, signal] = await ended
  expect([143, 'SIGTERM']).toContain(code ?? signal)
})
