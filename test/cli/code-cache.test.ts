import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { CodeCache } from '../../src/cli/code-cache.js'
import { temporaryFolder } from '../util/temporary-folder.js'

const program = join(import.meta.dirname, '../../bin/gantry.js')
const isRoot = process.getuid?.() === 0
const CODE = { name: './a.cjs 1', stamp: '10 20', data: Buffer.from('compiled code of a') }
const OTHER = { name: './b.cjs 1', stamp: '30 40', data: Buffer.from('of b') }

let home: string
let folder: string

beforeEach(() => {
  home = temporaryFolder()
  folder = join(home, '.cache', 'gantry')
})

describe('the code cache', () => {
  const keep = (...codes: (typeof CODE)[]): void => {
    withCache((cache) => {
      cache.keep(codes, () => true)
    })
  }
  const find = ({ name, stamp }: typeof CODE): string | undefined =>
    withCache((cache) => {
      const data = cache.find(name, stamp)
      return data === undefined ? undefined : Buffer.from(data).toString()
    })
  function withCache<Result>(use: (cache: CodeCache) => Result): Result {
    const cache = CodeCache.open(folder, 'version')
    try {
      return use(cache)
    } finally {
      cache.close()
    }
  }
  const fileOf = (): string => {
    const [name = ''] = readdirSync(folder).filter((each) => each.endsWith('.code'))
    return join(folder, name)
  }

  test('gives back what it keeps, in files that only their owner reads', () => {
    expect(find(CODE)).toBeUndefined()
    keep(CODE)
    keep(OTHER)
    expect([find(CODE), find(OTHER)]).toEqual(['compiled code of a', 'of b'])
    expect([join(home, '.cache'), folder, fileOf()].map((path) => statSync(path).mode & 0o777)).toEqual([
      0o700, 0o700, 0o600,
    ])
  })

  test('has nothing for a file that has changed, or under another key', () => {
    keep(CODE)
    expect(find({ ...CODE, stamp: '10 21' })).toBeUndefined()
    expect(CodeCache.open(folder, 'other').find(CODE.name, CODE.stamp)).toBeUndefined()
  })

  test('forgets what is not current any more', () => {
    keep(CODE)
    withCache((cache) => {
      cache.keep([OTHER], (name) => name !== CODE.name)
    })
    expect([find(CODE), find(OTHER)]).toEqual([undefined, 'of b'])
  })

  test('has nothing when any byte of its file is another, or the end is missing', () => {
    keep(CODE)
    const whole = readFileSync(fileOf())
    for (let index = 0; index < whole.length; index++) {
      const broken = Buffer.from(whole)
      broken[index] = broken[index]! ^ 1
      writeFileSync(fileOf(), broken)
      // A byte that says nothing, such as a letter of the name, may leave it unknown.
      expect([undefined, 'compiled code of a']).toContain(find(CODE))
      if (index >= whole.length - CODE.data.length) expect(find(CODE)).toBeUndefined()
    }
    for (const size of [0, 5, 17, 18, 40, whole.length - 1]) {
      writeFileSync(fileOf(), whole)
      truncateSync(fileOf(), size)
      expect(find(CODE)).toBeUndefined()
    }
  })

  test.each([
    ['a folder that others may write', () => [folder, 0o777] as const],
    ['a folder that the group may write', () => [folder, 0o770] as const],
    ['a file that others may write', () => [fileOf(), 0o606] as const],
  ])('reads nothing from %s', (_what, change) => {
    keep(CODE)
    const [path, mode] = change()
    chmodSync(path, mode)
    expect(find(CODE)).toBeUndefined()
  })

  test('writes nothing into a folder that others may write', () => {
    mkdirSync(folder, { recursive: true })
    chmodSync(folder, 0o777)
    keep(CODE)
    expect(readdirSync(folder)).toEqual([])
  })

  test.runIf(isRoot)('neither reads nor writes what another user owns', () => {
    keep(CODE)
    chownSync(fileOf(), 54321, 54321)
    expect(find(CODE)).toBeUndefined()
    chownSync(fileOf(), 0, 0)
    expect(find(CODE)).toBe('compiled code of a')
    chownSync(folder, 54321, 54321)
    expect(find(CODE)).toBeUndefined()
    keep(OTHER)
    chownSync(folder, 0, 0)
    expect(find(OTHER)).toBeUndefined()
  })

  test('follows no link, neither to a folder nor to a file', () => {
    keep(CODE)
    const path = fileOf()
    renameSync(path, join(home, 'elsewhere'))
    symlinkSync(join(home, 'elsewhere'), path)
    expect(find(CODE)).toBeUndefined()
    keep(CODE)
    renameSync(folder, join(home, 'other'))
    symlinkSync(join(home, 'other'), folder)
    expect(find(CODE)).toBeUndefined()
  })

  test('keeps eight files, and removes what writers have left behind', () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const hex = (number: number): string => number.toString(16).padStart(32, '0')
    for (let age = 1; age <= 10; age++) {
      writeFileSync(join(folder, `${hex(age)}.code`), '')
      utimesSync(join(folder, `${hex(age)}.code`), 0, 2_000_000_000 - age)
    }
    writeFileSync(join(folder, `${hex(1)}.code.99.tmp`), '')
    utimesSync(join(folder, `${hex(1)}.code.99.tmp`), 0, 1)
    writeFileSync(join(folder, 'notes.txt'), '')
    keep(CODE)
    const names = readdirSync(folder)
    expect(names).toHaveLength(9)
    expect(names).toEqual(expect.arrayContaining(['notes.txt', `${hex(8)}.code`]))
    expect(names).not.toContain(`${hex(9)}.code`)
  })
})

describe('the program', () => {
  test('starts with code that an earlier run has kept, and keeps no more than it needs', async () => {
    const first = await printHelp()
    const [name = ''] = readdirSync(folder)
    const { mtimeMs } = statSync(join(folder, name))
    expect(await printHelp()).toEqual(first)
    expect(readdirSync(folder)).toEqual([name])
    expect(statSync(join(folder, name)).mtimeMs).toBe(mtimeMs)
  })

  test('prints the same when what was kept is broken', async () => {
    const first = await printHelp()
    const path = join(folder, readdirSync(folder)[0]!)
    const whole = readFileSync(path)
    for (const at of [0, 14, 100, 5000, whole.length - 50]) {
      const broken = Buffer.from(whole)
      broken.fill(0xff, at, at + 40)
      writeFileSync(path, broken)
      expect(await printHelp()).toEqual(first)
    }
  })

  test('keeps it where XDG_CACHE_HOME says', async () => {
    await printHelp({ XDG_CACHE_HOME: join(home, 'caches') })
    expect(readdirSync(join(home, 'caches', 'gantry'))).toHaveLength(1)
    expect(existsSync(folder)).toBe(false)
  })

  test('keeps nothing where Node.js is to keep nothing, and makes no home folder', async () => {
    await printHelp({ NODE_DISABLE_COMPILE_CACHE: '1' })
    expect(readdirSync(home)).toEqual([])
    await printHelp({ HOME: join(home, 'missing') })
    expect(readdirSync(home)).toEqual([])
  })

  async function printHelp(environment: Record<string, string> = {}): Promise<object> {
    const child = spawn(process.execPath, [program, 'copy', '--help'], {
      env: { PATH: process.env.PATH, HOME: home, ...environment },
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const [exitCode] = (await once(child, 'close')) as [number]
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toContain('Usage')
    return { stdout, exitCode }
  }
})
