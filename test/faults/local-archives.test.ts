import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { MediaType } from '../../src/oci/media-types.js'
import { tellsNamesApart } from '../../src/store/title-set.js'
import { archive, file, header } from '../store/tar/build-tar.js'
import { hostileArchives } from '../store/tar/hostile-archives.js'
import { BLOB } from './fault-bench.js'
import { LocalBench } from './local-bench.js'

/** Names that careless file systems take for one. */
const alike = [
  ['A', 'a'],
  ['caf\u00e9', 'cafe\u0301'],
  ['Dir/a', 'dir/A'],
  ['stra\u00dfe', 'STRASSE'],
]
const canTellNamesApart = tryNames()

function tryNames(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-names-'))
  try {
    return tellsNamesApart(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A folder to pull to, with links in it, and victims around it. */
async function benchWithVictims(): Promise<LocalBench> {
  const bench = await LocalBench.open()
  await mkdir(bench.path('elsewhere'))
  for (const victim of ['victim', 'elsewhere/victim', 'output-beside/victim', 'output/victim']) {
    await writeFile(bench.path(victim), 'untouched\n')
  }
  await symlink('../elsewhere', join(bench.output, 'away'))
  await symlink('../output-beside', join(bench.output, 'beside'))
  await symlink('nowhere', join(bench.output, 'dangling'))
  await symlink('loop', join(bench.output, 'loop'))
  return bench
}

describe('41: a folder is not unpacked, and nothing is changed anywhere:', () => {
  test.each(hostileArchives)('41: %s', async (_what, bytes, message) => {
    const bench = await benchWithVictims()
    await bench.seedFolder(bytes)
    await bench.failsHere(['pull', bench.reference('v1'), '-o', bench.output, '--plain-http'], ofSomeLayer(message))
  })

  test('41: also by the built program, whose working folder has a file of the name that is linked to', async () => {
    const bench = await benchWithVictims()
    for (const what of ['a hard link relative to the working folder', 'a file twice', 'a chain of links that leaves']) {
      const [, bytes, message] = hostileArchives.find(([name]) => name === what) ?? []
      await bench.seedFolder(bytes!)
      await bench.fails(['pull', bench.reference('v1'), '-o', bench.output, '--plain-http'], ofSomeLayer(message!))
    }
    expect((await stat(bench.path('victim'))).nlink).toBe(1)
  })

  test('41: but for rights that nobody may hand out', async () => {
    const bench = await benchWithVictims()
    const modes = ['0004755', '0002755', '0001755', '0006755']
    await bench.seedFolder(archive(...modes.map((mode, index) => file(`d/run-${index}`, '#!', { mode }))))
    await bench.succeeds(['pull', bench.reference('v1'), '-o', bench.output, '--plain-http'])
    for (const index of modes.keys()) {
      expect((await stat(join(bench.output, `d/run-${index}`))).mode & 0o7777).toBe(0o755)
    }
  })

  test('41: nor is one with a device, beside a good file', async () => {
    const bench = await benchWithVictims()
    await bench.seedFolder(archive(file('d/good'), header({ name: 'd/device', type: '3' })))
    const words = ['pull', bench.reference('v1'), '-o', bench.output, '--plain-http']
    await bench.fails(words, /is a character device, which is not unpacked/)
  })
})

describe('41: names that lead elsewhere are refused before anything is fetched:', () => {
  test.each([
    ...['../x', '/abs', 'a/../../x', '..', '.', 'C:x', 'C:\\x', '..\\x', '\\\\host\\share', 'a\0b', 'nul', 'a.', 'a '],
    ...['\u001b[2J\u202e', 'n'.repeat(256), 'away/victim', 'away/new/file', 'beside/x', 'dangling/x', 'loop/x'],
    ...['a//../../b', './../b', '/./abs', '-\u0007', 'sub/../../output-beside/x'],
  ])('41: %j', async (title) => {
    const bench = await benchWithVictims()
    await seedTitles(bench, ['good.txt', title])
    await bench.failsHere(
      ['pull', bench.reference('v1'), '-o', bench.output, '--plain-http'],
      /^Error.*failed to resolve path for writing/m,
    )
    expect(bench.wire.find('GET', BLOB)).toEqual([])
  })

  test.each([['a', 'a/b'], ['a/b/c', 'a'], ['./a', 'a//b'], ...(canTellNamesApart ? [] : alike)])(
    '41: %j and %j together',
    async (...titles) => {
      const bench = await benchWithVictims()
      await seedTitles(bench, titles)
      const message = /some systems cannot tell from|is the parent of/
      await bench.failsHere(['pull', bench.reference('v1'), '-o', bench.output, '--plain-http'], message)
      expect(bench.wire.find('GET', BLOB)).toEqual([])
    },
  )
})

describe('41: names that only some systems refuse are pulled:', () => {
  test.each(['a//b', 'a/./b', './a/b/'])('41: %j is "a/b"', async (title) => {
    expect(await pullTitles([title], ['a/b'])).toEqual(['content 0'])
  })

  test.runIf(canTellNamesApart).each(alike)('41: %j and %j together', async (...titles) => {
    expect(await pullTitles(titles, titles)).toEqual(['content 0', 'content 1'])
  })

  /** Pulls an artifact with files of these names; what is in files afterwards. */
  async function pullTitles(titles: readonly string[], paths: readonly string[]): Promise<readonly string[]> {
    const bench = await benchWithVictims()
    const output = bench.path('pulled')
    await seedTitles(bench, titles)
    await bench.succeeds(['pull', bench.reference('v1'), '-o', output, '--plain-http'])
    return Promise.all(paths.map((path) => readFile(join(output, path), 'utf8')))
  }
})

/** Messages of commands name the very layer. */
function ofSomeLayer({ source }: RegExp): RegExp {
  return new RegExp(source.replace('of layer', 'of layer sha256:[0-9a-f]{64}'))
}

/** An artifact with files of these names; nobody gets as far as to miss their content. */
async function seedTitles(bench: LocalBench, titles: readonly string[]): Promise<void> {
  const layers = titles.map((title, index) => ({
    ...descriptorOf(MediaType.octetStream, Buffer.from(`content ${index}`)),
    annotations: { 'org.opencontainers.image.title': title },
  }))
  const repository = bench.behind()
  for (const [index, layer] of layers.entries()) {
    await repository.push(layer, async function* () {
      yield await Promise.resolve(Buffer.from(`content ${index}`))
    })
  }
  await bench.seedManifest({ artifactType: 'test/titles', layers })
}

describe.skipIf(process.platform === 'win32')('41: a folder is not pushed', () => {
  test('41: with a pipe in it, and nobody waits for that', async () => {
    const bench = await LocalBench.open()
    await mkdir(bench.path('folder'))
    execFileSync('mkfifo', [bench.path('folder/pipe')])
    const { code, stderr } = await bench.run(['push', bench.reference('v1'), 'folder', '--plain-http'])
    expect(stderr).toMatch(/folder\/pipe.*fifo|pipe/)
    expect(code).toBe(1)
    expect(bench.wire.find('PUT', /./)).toEqual([])
    await bench.expectNothingUnfinished()
  })

  test('41: without an end where links lead around', async () => {
    const bench = await LocalBench.open()
    await mkdir(bench.path('folder/a/b'), { recursive: true })
    await symlink('../..', bench.path('folder/a/b/up'))
    await symlink('b', bench.path('folder/a/inside'))
    await bench.succeeds(['push', bench.reference('v1'), 'folder', '--plain-http'])
  })
})
