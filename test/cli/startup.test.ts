import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFixture, seedArtifact, type Fixture } from './fixture.js'

/**
 * What a command loads before it does anything is what it costs at least. The built program runs here, and Node says
 * which parts of it were executed: each module of ours, of a library and of Node is a function there that has its name.
 */
const program = join(import.meta.dirname, '../../bin/gantry.js')

interface Coverage {
  readonly result: readonly {
    readonly url: string
    readonly functions: readonly {
      readonly functionName: string
      readonly ranges: readonly { readonly count: number }[]
    }[]
  }[]
}

interface Loaded {
  readonly stdout: string
  /** Files of `dist`. */
  readonly files: readonly string[]
  /** Paths below `src`. */
  readonly sources: readonly string[]
  /** Names of packages. */
  readonly packages: readonly string[]
  /** Files of packages. */
  readonly packageFiles: readonly string[]
  /** Modules of Node that were asked for. */
  readonly builtins: readonly string[]
}

let fixture: Fixture
let folder: string

beforeAll(async () => {
  fixture = await createFixture()
  folder = await mkdtemp(join(tmpdir(), 'gantry-startup-'))
})

afterAll(async () => {
  await fixture.close()
  await rm(folder, { recursive: true, force: true })
})

async function load(...words: readonly string[]): Promise<Loaded> {
  const coverageFolder = await mkdtemp(join(folder, 'coverage-'))
  const child = spawn(process.execPath, [program, ...words], {
    env: { ...process.env, HOME: folder, DOCKER_CONFIG: folder, NODE_V8_COVERAGE: coverageFolder },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let stdout = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  const [exitCode] = (await once(child, 'close')) as [number]
  expect(exitCode).toBe(0)
  const files: string[] = []
  const names = new Set<string>()
  for (const file of await readdir(coverageFolder)) {
    const { result } = JSON.parse(await readFile(join(coverageFolder, file), 'utf8')) as Coverage
    for (const { url, functions } of result) {
      const path = url.split('/dist/')[1]
      if (path === undefined) continue
      files.push(path)
      const executed = functions.filter(({ ranges }) => (ranges[0]?.count ?? 0) > 0)
      for (const { functionName } of executed) names.add(functionName)
    }
  }
  const paths = [...names].map((name) => /^(?:src\/|.*node_modules\/|lazy-builtin:)(.+)$/.exec(name)).filter(isFound)
  const startingWith = (start: string): string[] =>
    paths.filter(([whole]) => whole.startsWith(start)).map(([, path = '']) => path)
  const packageFiles = paths.filter(([whole]) => whole.includes('node_modules/')).map(([, path = '']) => path)
  return {
    stdout,
    files: files.sort(),
    sources: startingWith('src/').sort(),
    packages: [...new Set(packageFiles.map((path) => path.split('/', 1)[0] ?? ''))].sort(),
    packageFiles,
    builtins: startingWith('lazy-builtin:')
      .filter((name) => builtinModules.includes(name))
      .sort(),
  }
}

function isFound(match: RegExpExecArray | null): match is RegExpExecArray {
  return match !== null
}

describe('gantry version', () => {
  test.each(['version', '--version'])('%s loads nothing but a small file', async (word) => {
    const loaded = await load(word)
    expect(loaded.stdout).toMatch(/^Version: /)
    expect(loaded).toMatchObject({ files: ['cli.js'], sources: [], packages: [], builtins: ['os'] })
  })

  test('finds that file small', async () => {
    const { length } = await readFile(join(program, '../../dist/cli.js'))
    expect(length).toBeLessThan(10_000)
  })
})

describe('gantry manifest fetch', () => {
  let loaded: Loaded

  beforeAll(async () => {
    await seedArtifact(fixture.repository('start/up'), { tag: 'v1' })
    loaded = await load('manifest', 'fetch', `${fixture.registry}/start/up:v1`)
  })

  test('works', () => {
    expect(JSON.parse(loaded.stdout)).toMatchObject({ schemaVersion: 2 })
    expect(loaded.files).toEqual(['cli.js', 'commands.js'])
  })

  test('loads one library', () => {
    expect(loaded.packages).toEqual(['undici'])
  })

  test('loads of undici what a connection needs', () => {
    const folders = loaded.packageFiles
      .filter((path) => path.startsWith('undici/'))
      .map((path) => path.split('/').slice(1, 3).join('/'))
    expect([...new Set(folders)].sort()).toEqual(
      ['lib/core', 'lib/dispatcher', 'lib/handler', 'lib/llhttp', 'lib/util'].sort(),
    )
    // Others than a plain connection: pools of pools, proxies, mocks, retries.
    const dispatchers = loaded.packageFiles.filter((path) => path.includes('/dispatcher/'))
    expect(dispatchers.length).toBeLessThan(10)
  })

  test('loads no command but its own', () => {
    expect(loaded.sources.filter((path) => path.startsWith('cli/commands/'))).toEqual([
      'cli/commands/manifest/fetch.ts',
    ])
  })

  test.each(['server', 'image', 'artifact', 'store/compression', 'cli/output/template'])(
    'loads nothing of %s',
    (area) => {
      expect(loaded.sources.filter((path) => path.startsWith(`${area}/`))).toEqual([])
    },
  )

  test('loads no transfer of graphs, and nothing that shows progress', () => {
    const unwanted = /^graph\/(?!select-platform)|^cli\/.*(progress|reporter)/
    expect(loaded.sources.filter((path) => unwanted.test(path))).toEqual([])
  })

  test('leaves alone what of Node takes long to load and is not needed', () => {
    const unwanted = ['http2', 'worker_threads', 'zlib', 'inspector', 'readline', 'sqlite']
    expect(loaded.builtins.filter((name) => unwanted.includes(name))).toEqual([])
    expect(loaded.builtins).toContain('net')
  })
})
