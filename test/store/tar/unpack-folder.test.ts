import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digestOf } from '../../../src/oci/digest.js'
import { unpackFolder, type UnpackedFolder, type UnpackFolderOptions } from '../../../src/store/tar/unpack-folder.js'
import { openBytes } from '../../../src/util/bytes.js'
import { archive, extended, file, folder, hardLink, header, padded, record, symlink } from './build-tar.js'
import { hostileArchives } from './hostile-archives.js'
import { contentOf, snapshotOf } from './tree-snapshot.js'

let base: string
let destination: string
/** The bits that the umask of this process lets through. */
let allowed: number
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'gantry-unpack-'))
  mkdirSync(join(base, 'elsewhere'), { mode: 0o777 })
  allowed = statSync(join(base, 'elsewhere')).mode & 0o777
  mkdirSync(join(base, 'out-sib'))
  writeFileSync(join(base, 'elsewhere', 'victim'), 'untouched')
  writeFileSync(join(base, 'out-sib', 'victim'), 'untouched')
  writeFileSync(join(base, 'victim'), 'untouched')
  destination = join(base, 'out')
})
afterEach(async () => {
  await rm(base, { recursive: true })
})

/** A mode as the umask of this process leaves it. */
function masked(mode: number): string {
  return (mode & allowed).toString(8)
}

async function unpack(bytes: Uint8Array, options: Partial<UnpackFolderOptions> = {}): Promise<UnpackedFolder> {
  return unpackFolder(openBytes(bytes)(), destination, { name: 'd', what: 'layer', ...options })
}

describe('unpackFolder', () => {
  test('unpacks files, folders and links', async () => {
    const result = await unpack(
      archive(
        folder('d', { mode: '0000700' }),
        folder('d/empty/', { mode: '0000555' }),
        file('d/sub/deep/file', 'deep', { mode: '0000600' }),
        folder('d/sub', { mode: '0000750' }),
        file('d/run', '#!', { mode: '0000755', modified: 1_600_000_000 }),
        hardLink('d/sub/run', 'd/run'),
        symlink('d/sub/link', '../run'),
        symlink('d/dangling', 'nowhere/at/all'),
        file('./d/dotted', 'dot'),
        file('d/none', ''),
      ),
    )
    // Three folders and two symbolic links take a block each.
    expect(result).toEqual({ entries: 10, size: 9 + 5 * 4096 })
    const content = Object.entries(contentOf(destination)).map(([path, line]) => [path, line.slice(0, 11)])
    expect(Object.fromEntries(content)).toEqual({
      '.': `folder ${masked(0o700)}`,
      './dangling': 'link to now',
      './dotted': `file ${masked(0o644)} e3`,
      './empty': `folder ${masked(0o755)}`,
      './none': `file ${masked(0o644)} e3`,
      './run': `file ${masked(0o755)} 36`,
      './sub': `folder ${masked(0o750)}`,
      './sub/deep': `folder ${masked(0o777)}`,
      './sub/deep/file': `file ${masked(0o600)} 74`,
      './sub/link': 'link to ../',
      './sub/run': `file ${masked(0o755)} 36`,
    })
    expect(statSync(join(destination, 'run')).mtimeMs).toBe(1_600_000_000_000)
    expect(statSync(join(destination, 'run')).ino).toBe(statSync(join(destination, 'sub/run')).ino)
  })

  test('unpacks compressed archives, and large files, and checks the digest of what is inside', async () => {
    const content = 'x'.repeat(3 * 1024 * 1024 + 17)
    const tar = archive(file('d/large', content, { modified: 1_600_000_000 }), file('d/after', 'after'))
    await unpack(gzipSync(tar), { uncompressedDigest: digestOf(tar) })
    expect(readFileSync(join(destination, 'large'), 'utf8')).toBe(content)
    expect(readFileSync(join(destination, 'after'), 'utf8')).toBe('after')
    expect(statSync(join(destination, 'large')).mtimeMs).toBe(1_600_000_000_000)
  })

  test('leaves out setuid, setgid and sticky, and lets the owner read and write', async () => {
    await unpack(
      archive(
        folder('d/s', { mode: '0007000' }),
        file('d/s/u', 'x', { mode: '0007755' }),
        file('d/r', 'x', { mode: '0000040' }),
      ),
    )
    const modes = ['s', 's/u', 'r'].map((path) => (statSync(join(destination, path)).mode & 0o7777).toString(8))
    expect(modes).toEqual(['700', masked(0o755), masked(0o640)])
  })

  test('keeps the time of writing where the archive has none, or one in the future', async () => {
    const before = Date.now() - 2000
    await unpack(archive(file('d/none'), file('d/future', 'x', { modified: 7_000_000_000 })))
    for (const name of ['none', 'future']) {
      const { mtimeMs } = statSync(join(destination, name))
      expect(mtimeMs).toBeGreaterThan(before)
      expect(mtimeMs).toBeLessThan(Date.now() + 2000)
    }
  })

  test.each([
    ['.', ['a', './b', 'c/d']],
    ['./', ['a', './b', 'c/d']],
    ['x/y', ['x/y/a', './x/y/b', 'x/y/c/d']],
    ['./x/y/', ['x/y/a', './x/y/b', 'x/y/c/d']],
    ['/abs/x', ['/abs/x/a', '/abs/x/b', '/abs/x/c/d']],
    ['../x', ['../x/a', '../x/b', '../x/c/d']],
  ])('takes names below "%s"', async (name, [first = '', second = '', third = '']) => {
    await unpack(archive(file(first), file(second), file(third)), { name })
    expect(readdirSync(destination).sort()).toEqual(['a', 'b', 'c'])
  })

  test.each(hostileArchives)('refuses %s, and changes nothing', async (_what, bytes, message) => {
    const before = snapshotOf(base)
    await expect(unpack(bytes)).rejects.toMatchObject({ name: 'GantryError', message: expect.stringMatching(message) })
    expect(snapshotOf(base)).toEqual(before)
  })

  test('is cut off at any offset with an error, and changes nothing', async () => {
    const bytes = gzipSync(archive(folder('d'), file('d/a', 'a'.repeat(600)), symlink('d/l', 'a')))
    const before = snapshotOf(base)
    for (let end = 0; end < bytes.byteLength; end++) {
      await expect(unpack(bytes.subarray(0, end)), `at ${end}`).rejects.toMatchObject({ code: 'invalid-content' })
    }
    expect(snapshotOf(base)).toEqual(before)
  })

  test.each([
    ['links that lead inside', archive(folder('d/a/b'), symlink('d/a/b/up', '../..'), symlink('d/x', 'a/b/up/a/./b'))],
    ['a link to the folder itself', archive(folder('d/a'), symlink('d/a/up', '..'))],
    ['a hard link to a hard link', archive(file('d/a'), hardLink('d/b', 'd/a'), hardLink('d/c', 'd/b'))],
    [
      'names that only look alike',
      archive(file('d/a'), file('d/b'), file('d/ab'), file('d/a.b'), file('d/..a'), file('d/a..b')),
    ],
    [
      'names that start like reserved ones',
      archive(file('d/console'), file('d/com'), file('d/nullable.txt'), file('d/auxiliary')),
    ],
    ['an extended header for all', archive(extended(record('comment', 'x'), 'g'), file('d/a'))],
    ['the end marker padded', Buffer.concat([archive(file('d/a')), Buffer.alloc(10_240)])],
  ])('takes %s', async (_what, bytes) => {
    await unpack(bytes)
    expect(existsSync(destination)).toBe(true)
  })

  test('takes names that mean something else on Windows when asked to', async () => {
    const bytes = archive(file('d/ab:c'), file('d/aux'), file('d/dot.'))
    await unpack(bytes, { allowUnportableNames: true })
    expect(readdirSync(destination).sort()).toEqual(['ab:c', 'aux', 'dot.'])
  })

  test('bounds the size, and writes nothing beyond it', async () => {
    const bomb = gzipSync(archive(file('d/a', 'x'.repeat(1000)), file('d/b', 'y'.repeat(2_000_000))))
    await expect(unpack(bomb, { maxUnpackedSize: 100_000 })).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: 'layer unpacks to more than the limit of 100000 bytes',
    })
    expect(existsSync(destination)).toBe(false)
    await expect(unpack(archive(file('d/a', 'x'.repeat(1000))), { maxUnpackedSize: 1000 })).resolves.toMatchObject({
      size: 1000,
    })
  })

  test('does not begin what cannot fit on the disk', async () => {
    const huge = archive(
      header({ name: 'd/a', patch: { offset: 124, bytes: '\x80\0\0\0\0\0\x10\0\0\0\0\0' } }),
      padded('x'),
    )
    await expect(unpack(huge)).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: expect.stringContaining('bytes that are free in'),
    })
    expect(existsSync(destination)).toBe(false)
  })

  test('bounds the number of entries', async () => {
    const many = archive(...Array.from({ length: 11 }, (_, index) => file(`d/${index}`, '')))
    await expect(unpack(many, { maxEntries: 10 })).rejects.toMatchObject({ code: 'limit-exceeded' })
  })

  test('counts the folders that no entry names', async () => {
    const deep = archive(...[1, 2, 3].map((index) => file(`d/${`${index}/`.repeat(20)}file`, 'x')))
    await expect(unpack(deep, { maxEntries: 62 })).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: 'layer unpacks to more than 62 files, folders and links',
    })
    await expect(unpack(deep, { maxUnpackedSize: 59 * 4096 })).rejects.toMatchObject({ code: 'limit-exceeded' })
    await unpack(deep, { maxEntries: 63, maxUnpackedSize: 60 * 4096 + 3 })
  })

  test('refuses content with another digest', async () => {
    const uncompressedDigest = digestOf('something else')
    await expect(unpack(archive(file('d/a')), { uncompressedDigest })).rejects.toMatchObject({
      code: 'digest-mismatch',
      message: expect.stringMatching(/^content digest mismatch: layer should hold a tar with digest sha256:/),
    })
    expect(existsSync(destination)).toBe(false)
  })

  test('leaves a folder alone that is there already', async () => {
    mkdirSync(destination)
    writeFileSync(join(destination, 'mine'), 'mine')
    await expect(unpack(archive(file('d/a')))).rejects.toMatchObject({ code: 'file-error' })
    expect(readdirSync(destination)).toEqual(['mine'])
  })

  test('stops when the signal fires', async () => {
    const controller = new AbortController()
    const bytes = archive(file('d/a', 'x'.repeat(5000)))
    async function* content(): AsyncGenerator<Uint8Array, void, undefined> {
      yield bytes.subarray(0, 2048)
      controller.abort()
      yield bytes.subarray(2048)
    }
    const options = { name: 'd', what: 'layer', signal: controller.signal }
    await expect(unpackFolder(content(), destination, options)).rejects.toMatchObject({ code: 'aborted' })
    expect(existsSync(destination)).toBe(false)
  })

  test('hands on the failure of its content', async () => {
    async function* failing(): AsyncGenerator<Uint8Array, void, undefined> {
      yield file('d/a')
      throw new Error('disk on fire')
    }
    await expect(unpackFolder(failing(), destination, { name: 'd', what: 'layer' })).rejects.toThrow('disk on fire')
    expect(existsSync(destination)).toBe(false)
  })
})
