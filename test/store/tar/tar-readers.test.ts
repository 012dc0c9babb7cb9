import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fc, runs } from '../../properties.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GantryError } from '../../../src/errors.js'
import { collectBytes, openBytes } from '../../../src/util/bytes.js'
import { readTar } from '../../../src/store/tar/read-tar.js'
import { archive, file } from './build-tar.js'
import { mutated, part } from './made-up-archives.js'

/** What every reader of an archive has to agree on. */
type Listing = readonly (readonly [type: string, name: string, size: number, linkName: string])[]

const CANDIDATES = 300

const pythonScript = `
import json, sys, tarfile
kinds = {b'0': 'file', b'\\0': 'file', b'1': 'hard link', b'2': 'symbolic link', b'3': 'character device',
         b'4': 'block device', b'5': 'directory', b'6': 'fifo'}
for path in sys.argv[1:]:
    try:
      with tarfile.open(path, 'r:', encoding='utf-8', errors='surrogateescape') as archive:
        print(json.dumps([[kinds.get(m.type, '?'), m.name, m.size if m.isfile() else 0, m.linkname] for m in archive]))
    except tarfile.TarError as error:
        print(json.dumps(path + ': ' + str(error)))
`

const hasPython = spawnSync('python3', ['--version']).status === 0
const hasGnuTar = spawnSync('tar', ['--version']).stdout.toString().includes('GNU tar')

let workFolder: string
beforeAll(async () => {
  workFolder = await mkdtemp(join(tmpdir(), 'gantry-readers-'))
})
afterAll(async () => {
  await rm(workFolder, { recursive: true })
})

async function list(bytes: Uint8Array): Promise<Listing> {
  const listing: (readonly [string, string, number, string])[] = []
  for await (const { entry, content } of readTar(openBytes(bytes)(), 'test')) {
    let size = 0
    for await (const chunk of content) size += chunk.byteLength
    expect(size).toBe(entry.size)
    listing.push([entry.type, entry.name, entry.size, entry.linkName])
  }
  return listing
}

/** The archives among the given ones that are not refused, with what is in them. */
async function accepted(candidates: readonly Uint8Array[]): Promise<{ bytes: Uint8Array; listing: Listing }[]> {
  const kept: { bytes: Uint8Array; listing: Listing }[] = []
  for (const bytes of candidates) {
    try {
      kept.push({ bytes, listing: await list(bytes) })
    } catch (error) {
      // Any refusal will do, but by us and in words.
      expect(error).toBeInstanceOf(GantryError)
    }
  }
  return kept
}

describe('readTar', () => {
  const candidates = fc.sample(mutated, { numRuns: CANDIDATES, seed: 20_260_101 })

  test('takes archives that are whole', async () => {
    const whole = fc.sample(fc.array(part, { minLength: 1, maxLength: 5 }), { numRuns: 50, seed: 7 })
    expect(await accepted(whole.map((parts) => archive(...parts)))).toHaveLength(50)
  })

  test.runIf(hasPython)('sees in damaged archives what Python sees, or refuses them', async () => {
    const kept = await accepted(candidates)
    expect(kept.length).toBeGreaterThan(CANDIDATES / 10)
    expect(kept.length).toBeLessThan(CANDIDATES)
    const paths = await writeArchives(kept.map(({ bytes }) => bytes))
    const output = execFileSync('python3', ['-c', pythonScript, ...paths], { encoding: 'utf8' })
    const theirs = output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Listing)
    expect(theirs).toEqual(kept.map(({ listing }) => listing.map(asPython)))
  })

  test.runIf(hasGnuTar)(
    'sees in damaged archives what GNU tar sees, or refuses them',
    async () => {
      const kept = await accepted(candidates)
      const paths = await writeArchives(kept.map(({ bytes }) => bytes))
      for (const [index, path] of paths.entries()) {
        // It grumbles about times and keywords, which are not at stake here.
        const { stdout } = spawnSync('tar', ['--quoting-style=c', '-P', '-tf', path], {
          encoding: 'latin1',
          env: { ...process.env, LC_ALL: 'C' },
        })
        const names = stdout.split('\n').slice(0, -1).map(unquote)
        expect(names).toEqual(kept[index]?.listing.map(([, entryName]) => entryName))
      }
      // One process for each archive takes its time on a busy machine.
    },
    120_000,
  )

  test('ends for any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async (bytes) => {
        await expect(list(bytes)).rejects.toBeInstanceOf(GantryError)
      }),
      runs(0.5),
    )
  })

  test('hands on a failure of its content', async () => {
    const bytes = archive(file('a', 'x'.repeat(2000)))
    async function* failing(): AsyncGenerator<Uint8Array, void, undefined> {
      yield bytes.subarray(0, 1000)
      throw new Error('disk on fire')
    }
    const reading = async (): Promise<void> => {
      for await (const { content } of readTar(failing(), 'test')) await collectBytes(content, 4000, 'x')
    }
    await expect(reading()).rejects.toThrow('disk on fire')
  })

  test('closes its content when the reader stops', async () => {
    let isClosed = false
    async function* endless(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        for (;;) yield file('a', 'x'.repeat(2000))
      } finally {
        isClosed = true
      }
    }
    for await (const { entry } of readTar(endless(), 'test')) {
      expect(entry.name).toBe('a')
      break
    }
    expect(isClosed).toBe(true)
  })

  async function writeArchives(archives: readonly Uint8Array[]): Promise<string[]> {
    return Promise.all(
      archives.map(async (bytes, index) => {
        const path = join(workFolder, `${index}.tar`)
        await writeFile(path, bytes)
        return path
      }),
    )
  }
})

/** Python takes the slash off the names of folders. */
function asPython([type, entryName, size, linkName]: Listing[number]): Listing[number] {
  return [type, type === 'directory' ? entryName.replace(/\/+$/, '') : entryName, size, linkName]
}

/** Text between quotes as C has them. */
function unquote(quoted: string): string {
  const bytes = quoted.slice(1, -1).replace(/\\([0-7]{3}|.)/g, (_match, code: string) => {
    if (code.length === 3) return String.fromCharCode(Number.parseInt(code, 8))
    return { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' }[code] ?? code
  })
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
