import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../util/temporary-folder.js'
import { createFixture, seedArtifact, type Fixture } from './fixture.js'

const program = join(import.meta.dirname, '../../bin/gantry.js')
/** Whether this user can run programs as another one who can read them: not in a folder of its own home, for instance. */
const canBeStranger = process.getuid?.() === 0 && [process.execPath, program].every(isForEverybody)
/** A user id without an entry in the user database, as containers get one. */
const STRANGER = 54321

let fixture: Fixture
let reference: string
let folder: string

beforeAll(async () => {
  fixture = await createFixture()
  await seedArtifact(fixture.repository('run/surroundings'), { tag: 'v1' })
  reference = `${fixture.registry}/run/surroundings:v1`
})

afterAll(async () => {
  await fixture.close()
})

beforeEach(async () => {
  folder = temporaryFolder()
  await chmod(folder, 0o777)
})

function isForEverybody(path: string): boolean {
  const parent = dirname(path)
  return (statSync(path).mode & 0o001) !== 0 && (parent === path || isForEverybody(parent))
}

interface Surroundings {
  readonly environment?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly input?: string
  /** Runs as another user. */
  readonly uid?: number
}

async function run(words: readonly string[], { environment = {}, cwd = folder, input = '', uid }: Surroundings = {}) {
  const child = spawn(process.execPath, [program, ...words], { env: environment, cwd, uid, gid: uid })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

describe.runIf(canBeStranger)('without a home folder', () => {
  test.each([[{}], [{ HOME: '' }]])('commands work with %j', async (environment) => {
    expect(await run(['version'], { environment, uid: STRANGER })).toMatchObject({ code: 0, stderr: '' })
    const resolved = await run(['resolve', '--plain-http', reference], { environment, uid: STRANGER })
    expect(resolved).toMatchObject({ code: 0, stderr: '' })
    expect(resolved.stdout).toMatch(/^sha256:/)
  })

  test.each([[{}], [{ HOME: '' }]])('a login says what to set with %j, and writes nothing', async (environment) => {
    const words = ['login', '-u', 'a', '--password-stdin', '--plain-http', fixture.registry]
    const result = await run(words, { environment, uid: STRANGER, input: 'secret' })
    expect(result.code).toBe(1)
    expect(result.stderr).toContain('there is no place for credentials: this user has no home folder')
    expect(result.stderr).toContain('DOCKER_CONFIG')
    expect(await readdir(folder)).toEqual([])
  })
})

test.runIf(canBeStranger || process.getuid?.() !== 0)('a credential file of another user is passed over', async () => {
  const home = join(folder, 'home')
  await mkdir(join(home, '.docker'), { recursive: true })
  await writeFile(join(home, '.docker/config.json'), '{}')
  await chmod(join(home, '.docker'), canBeStranger ? 0o700 : 0)
  const uid = canBeStranger ? STRANGER : undefined
  try {
    const result = await run(['resolve', '--plain-http', reference], { environment: { HOME: home }, uid })
    expect(result).toMatchObject({ code: 0, stderr: '' })
    const named = join(home, '.docker/config.json')
    const strict = await run(['resolve', '--plain-http', '--registry-config', named, reference], { uid })
    expect(strict.stderr).toContain(`cannot read ${named}: permission denied`)
  } finally {
    await chmod(join(home, '.docker'), 0o700)
  }
})

test('a current folder that was deleted fails only what needs it', async () => {
  const gone = join(folder, 'gone')
  await mkdir(gone)
  // The shell stands in the folder before it is removed.
  const script = `rmdir "${gone}" && exec "$0" "$@"`
  const inGone = async (...words: readonly string[]) => {
    await mkdir(gone, { recursive: true })
    const child = spawn('/bin/sh', ['-c', script, process.execPath, program, ...words], {
      env: { HOME: folder, PATH: process.env.PATH },
      cwd: gone,
    })
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.stdout.resume()
    const [code] = (await once(child, 'close')) as [number | null]
    await rm(gone, { recursive: true, force: true })
    return { code, stderr }
  }
  expect(await inGone('version')).toEqual({ code: 0, stderr: '' })
  expect(await inGone('resolve', '--plain-http', reference)).toEqual({ code: 0, stderr: '' })
  expect(await inGone('pull', '-o', join(folder, 'out'), '--plain-http', reference)).toEqual({ code: 0, stderr: '' })
  const pulled = await inGone('pull', '--plain-http', reference)
  expect(pulled).toMatchObject({ code: 1 })
  expect(pulled.stderr).toContain('the current folder does not exist any more')
})
