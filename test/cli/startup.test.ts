import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFixture, seedArtifact, type Fixture } from './fixture.js'

/**
 * What a command loads before it does anything is what it costs at least. The built program runs here, and Node says
 * which files it loaded; each of them names the sources and the libraries that it contains.
 */
const program = join(import.meta.dirname, '../../bin/gantry.js')
/** Writes down which of its own modules Node.js has loaded at the end. */
const PRELOAD = `process.on('exit', () => require('node:fs').writeFileSync(process.env.LOADED_MODULES, process.moduleLoadList.join('\\n')))`

interface Coverage {
  readonly result: readonly { readonly url: string }[]
}

interface Loaded {
  readonly stdout: string
  /** Files of `dist` that are not files of the program. */
  readonly files: readonly string[]
  /** Paths below `src`. */
  readonly sources: readonly string[]
  /** Names of packages. */
  readonly packages: readonly string[]
  /** Files of packages. */
  readonly packageFiles: readonly string[]
  /** Modules of Node. */
  readonly builtins: readonly string[]
}

let fixture: Fixture
let folder: string

beforeAll(async () => {
  fixture = await createFixture()
  folder = await mkdtemp(join(tmpdir(), 'gantry-startup-'))
  await writeFile(join(folder, 'preload.cjs'), PRELOAD)
})

afterAll(async () => {
  await fixture.close()
  await rm(folder, { recursive: true, force: true })
})

async function load(...words: readonly string[]): Promise<Loaded> {
  const coverageFolder = await mkdtemp(join(folder, 'coverage-'))
  const list = join(coverageFolder, 'modules.txt')
  const child = spawn(process.execPath, ['--require', join(folder, 'preload.cjs'), program, ...words], {
    env: {
      ...process.env,
      HOME: folder,
      DOCKER_CONFIG: folder,
      NODE_V8_COVERAGE: coverageFolder,
      LOADED_MODULES: list,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let stdout = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  const [exitCode] = (await once(child, 'close')) as [number]
  expect(exitCode).toBe(0)
  const names = (await readdir(coverageFolder)).filter((name) => name.endsWith('.json'))
  const texts = await Promise.all(names.map((name) => readFile(join(coverageFolder, name), 'utf8')))
  const urls = texts.flatMap((text) => (JSON.parse(text) as Coverage).result.map(({ url }) => url))
  const paths = urls.filter((url) => url.includes('/dist/')).map((url) => fileURLToPath(url))
  const contents = (await Promise.all(paths.map(contentsOf))).flat()
  const packageFiles = contents.filter((path) => !path.startsWith('src/'))
  return {
    stdout,
    files: paths.map((path) => path.split('/dist/')[1] ?? '').filter((path) => !path.startsWith('cli/')),
    sources: contents
      .filter((path) => path.startsWith('src/'))
      .map((path) => path.slice('src/'.length))
      .sort(),
    packages: [...new Set(packageFiles.map((path) => path.split('/', 1)[0] ?? ''))].sort(),
    packageFiles,
    builtins: (await readFile(list, 'utf8'))
      .split('\n')
      .map((line) => line.replace('NativeModule ', ''))
      .filter((name) => builtinModules.includes(name)),
  }
}

/** What the build says that a file of the program contains. */
async function contentsOf(path: string): Promise<string[]> {
  const [, names] = /^\/\/ Contains: (.*)$/m.exec(await readFile(path, 'utf8')) ?? []
  return names?.split(' ').filter((name) => name !== '') ?? []
}

describe('gantry version', () => {
  test.each(['version', '--version'])('%s loads nothing but a small file', async (word) => {
    const loaded = await load(word)
    expect(loaded.stdout).toMatch(/^Version: /)
    expect(loaded).toMatchObject({ files: ['cli.cjs'], sources: [], packages: [] })
    expect(loaded.builtins.filter((name) => /^(tls|http|crypto|fs\/promises|worker_threads)/.test(name))).toEqual([])
  })

  test('finds that file small', async () => {
    const { length } = await readFile(join(program, '../../dist/cli.cjs'))
    expect(length).toBeLessThan(20_000)
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
    expect(loaded.files).toEqual(['cli.cjs'])
  })

  test('loads one library', () => {
    expect(loaded.packages).toEqual(['undici'])
  })

  test('loads of undici what a connection needs', () => {
    const folders = loaded.packageFiles
      .filter((path) => path.startsWith('undici/'))
      .map((path) => path.split('/').slice(1, 3).join('/'))
    expect([...new Set(folders)].sort()).toEqual(
      ['lib/core', 'lib/dispatcher', 'lib/handler', 'lib/llhttp', 'lib/util', 'lib/web'].sort(),
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
    const unwanted = ['http2', 'https', 'tls', 'worker_threads', 'zlib', 'inspector', 'child_process', 'sqlite']
    expect(loaded.builtins.filter((name) => unwanted.includes(name))).toEqual([])
    expect(loaded.builtins).toContain('net')
  })
})
