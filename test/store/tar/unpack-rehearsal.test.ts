import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GantryError } from '../../../src/errors.js'
import { packFolder } from '../../../src/store/tar/pack-folder.js'
import { unpackFolder } from '../../../src/store/tar/unpack-folder.js'
import { formatRefused, UnpackRehearsal, type RefusedEntries } from '../../../src/store/tar/unpack-rehearsal.js'
import { openBytes } from '../../../src/util/bytes.js'
import { contentOf } from './tree-snapshot.js'

let base: string
let folder: string
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'gantry-rehearsal-'))
  folder = join(base, 'folder')
  mkdirSync(folder)
})
afterEach(async () => {
  await rm(base, { recursive: true })
})

/** Writes empty files, and links where a path has a target. */
function lay(paths: readonly (string | readonly [path: string, target: string])[]): void {
  for (const entry of paths) {
    const [path, target] = typeof entry === 'string' ? [entry, undefined] : entry
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    if (target === undefined) writeFileSync(join(folder, path), '')
    else symlinkSync(target, join(folder, path))
  }
}

async function failure(work: Promise<unknown>): Promise<GantryError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof GantryError)) throw new Error('should have failed')
  return error
}

describe('packing a folder', () => {
  test.each<[string, readonly (string | readonly [string, string])[], string]>([
    [
      'an absolute link',
      [['l', '/etc/hosts']],
      '"l" escapes the destination: it links to "/etc/hosts", which is absolute',
    ],
    ['a link out of it', [['a/l', '../../x']], '"a/l" escapes the destination: it leads to "../../x"'],
    [
      'links that lead out together',
      [
        ['a/up', '..'],
        ['out', 'a/up/..'],
      ],
      '"out" escapes the destination: it leads to "a/up/.."',
    ],
    ['a link to itself', [['l', 'l']], '"l" escapes the destination: it leads to "l"'],
    ['a backslash', ['a\\b'], '"a\\b" escapes the destination: its name has a backslash'],
    ['a line feed', ['a\nb'], '"a\\u{a}b" has a name that has control characters'],
    ['a drive', ['c:x'], '"c:x" escapes the destination: its name starts with a drive'],
    ['another case', ['A', 'a'], '"a" has a name that some systems cannot tell from "A"'],
    [
      'another normalisation',
      ['e\u0301', '\u00e9'],
      '"\u00e9" has a name that some systems cannot tell from "e\u0301"',
    ],
    [
      'two folders of which only the case differs',
      ['A/1', 'a/1', 'a/2'],
      '"a" has a name that some systems cannot tell from "A"',
    ],
    [
      'more than 256 levels',
      [`${'d/'.repeat(300)}x`],
      `"${'d/'.repeat(256)}d" has a name that has more than 256 parts`,
    ],
  ])('is refused with %s', async (_what, paths, reason) => {
    lay(paths)
    const error = await failure(packFolder(folder, 'd', { target: join(base, 'packed') }))
    expect(error).toMatchObject({
      code: 'unsupported',
      message: `cannot pack ${folder}: it has an entry that would not be unpacked again: ${reason}`,
      hint: 'leave them out or rename them, or make an archive of the folder yourself and push that as a file',
    })
  })

  test('names the first ten of many entries, and reads nothing in vain', async () => {
    lay(Array.from({ length: 14 }, (_, index) => [`l${String(index).padStart(2, '0')}`, '/x'] as const))
    lay(['zzz'])
    const { message } = await failure(packFolder(folder, 'd', { target: join(base, 'packed') }))
    expect(message).toContain('it has 14 entries that would not be unpacked again: "l00" escapes')
    expect(message).toMatch(/; "l09" escapes the destination: it links to "\/x", which is absolute; and 4 more$/)
    expect(readFileSync(join(base, 'packed')).byteLength).toBeLessThan(100)
  })

  test('tells of names that are unpacked only on request, each once, and packs them', async () => {
    lay(['ab:c/one', 'ab:c/two', 'end.', 'nul.txt', 'plain'])
    const told: RefusedEntries[] = []
    const target = join(base, 'packed')
    await packFolder(folder, 'd', { target, onUnportableNames: (entries) => told.push(entries) })
    expect(told.map(formatRefused)).toEqual([
      '"ab:c" has a name that has a colon; ' +
        '"end." has a name that has a part that ends with a dot or a space; ' +
        '"nul.txt" has a name that is reserved on Windows',
    ])
    const out = join(base, 'out')
    const unpack = (allowUnportableNames: boolean) =>
      unpackFolder(openBytes(readFileSync(target))(), out, { name: 'd', what: 'test', allowUnportableNames })
    await expect(unpack(false)).rejects.toMatchObject({ code: 'unsafe-path' })
    await unpack(true)
    expect(contentOf(out)).toEqual(contentOf(folder))
  })

  test('tells of nothing where there is nothing', async () => {
    lay(['a', 'b/c', ['b/l', '../a'], ['b/dangling', 'no/where']])
    const onUnportableNames = (): void => expect.unreachable()
    await packFolder(folder, 'd', { target: join(base, 'packed'), onUnportableNames })
  })
})

describe('UnpackRehearsal', () => {
  test('knows how many entries an archive may have', () => {
    const rehearsal = new UnpackRehearsal('d', '/d', 100)
    for (let index = 0; index < 100; index++) rehearsal.add({ type: 'file', name: `d/${index}`, mode: 0, size: 0 })
    expect(rehearsal.hasFailed).toBe(false)
    rehearsal.add({ type: 'file', name: 'd/more', mode: 0, size: 0 })
    expect(rehearsal.hasFailed).toBe(true)
    expect(() => rehearsal.finish()).toThrow('cannot pack /d: it has more than 100 entries')
  })
})
