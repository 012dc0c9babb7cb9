import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { fc, runs } from '../../properties.js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digestOf } from '../../../src/oci/digest.js'
import type { GzipFile } from '../../../src/store/compression/gzip-file.js'
import { encodeTarHeader } from '../../../src/store/tar/encode-tar-header.js'
import { walkFolder } from '../../../src/store/tar/folder-walk.js'
import { packFolder } from '../../../src/store/tar/pack-folder.js'
import { readTar } from '../../../src/store/tar/read-tar.js'
import { tarFolder } from '../../../src/store/tar/tar-folder.js'
import { unpackFolder } from '../../../src/store/tar/unpack-folder.js'
import { openBytes } from '../../../src/util/bytes.js'
import { contentOf } from './tree-snapshot.js'

const MIB = 1024 * 1024

let base: string
let folder: string
let count = 0
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'gantry-pack-'))
  folder = join(base, 'folder')
  mkdirSync(folder)
})
afterEach(async () => {
  await rm(base, { recursive: true })
})

type Tree = Readonly<Record<string, string | { readonly link: string } | { readonly run: string } | null>>

/** Writes files, programs, links and, for null, empty folders. */
function lay(root: string, tree: Tree): void {
  for (const [path, content] of Object.entries(tree)) {
    const target = join(root, path)
    mkdirSync(dirname(target), { recursive: true })
    if (content === null) mkdirSync(target, { recursive: true })
    else if (typeof content === 'string') writeFileSync(target, content, { mode: 0o644 })
    else if ('link' in content) symlinkSync(content.link, target)
    else writeFileSync(target, content.run, { mode: 0o755 })
  }
}

/** Puts something else in the place of a file or folder. */
function replace(path: string, create: (path: string) => unknown): void {
  rmSync(path, { recursive: true })
  create(path)
}

async function pack(root = folder, name = 'd'): Promise<GzipFile> {
  return packFolder(root, name, { target: join(base, `${count++}.tar.gz`) })
}

/** A tar of what a folder holds, made without looking at it. */
async function unchecked(root: string): Promise<Uint8Array> {
  const headers = [...walkFolder(root)].map(({ relativePath, stats, linkTarget }) => {
    const type = linkTarget === undefined ? (stats.isDirectory() ? 'directory' : 'file') : 'symbolic link'
    const name = relativePath === '' ? 'd' : `d/${relativePath}`
    return encodeTarHeader({
      type,
      name,
      mode: 0o755,
      size: 0,
      ...(linkTarget === undefined ? {} : { linkName: linkTarget }),
    })
  })
  return Buffer.concat([...headers, Buffer.alloc(1024)])
}

async function namesIn(packed: GzipFile): Promise<string[]> {
  const names: string[] = []
  for await (const { entry, content } of readTar(openBytes(gunzipSync(readFileSync(packed.path)))(), 'test')) {
    names.push(entry.name)
    for await (const chunk of content) expect(chunk.byteLength).toBeGreaterThan(0)
  }
  return names
}

const sample: Tree = {
  'b.txt': 'hello\n',
  'a/one': '1',
  'a/two': '22',
  'a.x': 'between',
  empty: null,
  'bin/run': { run: '#!/bin/sh\n' },
  link: { link: 'a/one' },
  'ünï/日本': 'unicode',
  [`long/${'n'.repeat(120)}`]: 'long',
}

describe('packFolder', () => {
  test('gives fixed digests', async () => {
    lay(folder, sample)
    const packed = await pack()
    expect(packed).toMatchObject({
      digest: 'sha256:6bfd37109f04df4f599deb179dca20decceb7cd6a7a7d07239d5de0372c5a2b1',
      uncompressedDigest: 'sha256:aa0f28a538a484c3f49d2a4efa49e91532ef214c0bba6b2580c44bec8ec34da5',
    })
    const bytes = readFileSync(packed.path)
    expect({ digest: packed.digest, size: packed.size }).toEqual({ digest: digestOf(bytes), size: bytes.byteLength })
    const tar = gunzipSync(bytes)
    expect(packed.uncompressedDigest).toBe(digestOf(tar))
    expect(packed.uncompressedSize).toBe(tar.byteLength)
  })

  test('gives fixed digests for an empty folder', async () => {
    expect(await pack()).toMatchObject({
      uncompressedSize: 1536,
      digest: 'sha256:a521cd0650b5f677d68b80bb486440ccc304cc2fbe6a457dd3725a710580d40c',
      uncompressedDigest: 'sha256:bfa2190f852790e2ca6c6029888d602e0f923256b96caf5115361a77c2951e4b',
    })
  })

  test('orders names, and gives folders no slash', async () => {
    lay(folder, { 'b/x': '', 'b.x': '', 'a/y/z': '', Z: '', 'b/a': '', c: null })
    expect(await namesIn(await pack())).toEqual(
      ['', '/Z', '/a', '/a/y', '/a/y/z', '/b', '/b/a', '/b/x', '/b.x', '/c'].map((path) => `d${path}`),
    )
  })

  test('does not depend on times, on the order of creation, on owners and on most of the modes', async () => {
    lay(folder, sample)
    const first = await pack()
    const other = join(base, 'other')
    mkdirSync(other, { mode: 0o700 })
    lay(other, Object.fromEntries(Object.entries(sample).reverse()))
    utimesSync(join(other, 'b.txt'), 1, 1)
    chmodSync(join(other, 'b.txt'), 0o600)
    chmodSync(join(other, 'bin/run'), 0o4700)
    chmodSync(join(other, 'empty'), 0o711)
    const differing = { path: '', stamp: undefined }
    expect({ ...(await pack(other)), ...differing }).toEqual({ ...first, ...differing })
  })

  test.each([
    ['content', (root: string) => writeFileSync(join(root, 'b.txt'), 'hallo\n')],
    ['a name', (root: string) => renameSync(join(root, 'b.txt'), join(root, 'c.txt'))],
    ['whether it can run', (root: string) => chmodSync(join(root, 'b.txt'), 0o744)],
    ['a link', (root: string) => replace(join(root, 'link'), (path) => symlinkSync('a/two', path))],
    ['an empty folder', (root: string) => rmSync(join(root, 'empty'), { recursive: true })],
  ])('depends on %s', async (_what, change) => {
    lay(folder, sample)
    const first = await pack()
    change(folder)
    expect((await pack()).uncompressedDigest).not.toBe(first.uncompressedDigest)
  })

  test('stores links as links, and hard links as files', async () => {
    lay(folder, { 'a/file': 'content', 'a/up': { link: '..' }, dangling: { link: 'no/where' } })
    linkSync(join(folder, 'a/file'), join(folder, 'twin'))
    const entries: (readonly [string, string, string])[] = []
    const { path } = await pack()
    for await (const { entry } of readTar(openBytes(gunzipSync(readFileSync(path)))(), 'test')) {
      entries.push([entry.type, entry.name, entry.linkName])
    }
    expect(entries).toEqual([
      ['directory', 'd', ''],
      ['directory', 'd/a', ''],
      ['file', 'd/a/file', ''],
      ['symbolic link', 'd/a/up', '..'],
      ['symbolic link', 'd/dangling', 'no/where'],
      ['file', 'd/twin', ''],
    ])
  })

  test('comes to an end where links lead around', async () => {
    lay(folder, { 'a/b/c': null, 'a/up': { link: '..' }, 'a/b/up': { link: '../..' }, 'a/b/c/self': { link: '.' } })
    expect(await namesIn(await pack())).toHaveLength(7)
  })

  test.each([1, 511, 512, 513, 65_536, 65_537, MIB - 1024, MIB - 1, MIB, MIB + 1, 3 * MIB + 100])(
    'keeps a file of %i bytes, and what comes after it',
    async (size) => {
      lay(folder, { a: 'x'.repeat(size), b: 'after', 'c/d': 'y'.repeat(size) })
      const { path } = await pack()
      const target = join(base, 'out')
      await unpackFolder(openBytes(readFileSync(path))(), target, { name: 'd', what: 'test' })
      expect(contentOf(target)).toEqual(contentOf(folder))
    },
  )

  test('refuses a fifo without waiting for it', async () => {
    lay(folder, { a: 'x' })
    execFileSync('mkfifo', [join(folder, 'pipe')])
    await expect(pack()).rejects.toMatchObject({
      code: 'unsupported',
      message: `${join(folder, 'pipe')} is a pipe, which cannot be packed`,
    })
  })

  test('refuses a socket', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve))
    await expect(pack()).rejects.toMatchObject({ code: 'unsupported', message: /is a socket, which cannot be packed$/ })
    await new Promise((resolve) => server.close(resolve))
  })

  test.runIf(process.platform === 'linux')('refuses a name that is not UTF-8', async () => {
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/bad`), Buffer.from([0xff])]), 'x')
    await expect(pack()).rejects.toMatchObject({ code: 'unsupported', message: /has a name that is not valid UTF-8$/ })
  })

  test('names a folder that is missing', async () => {
    const missing = join(base, 'none')
    await expect(pack(missing)).rejects.toMatchObject({ message: `cannot read ${missing}: no such file or directory` })
  })

  test('does not write over what is there', async () => {
    const target = join(base, 'there')
    writeFileSync(target, 'mine')
    await expect(packFolder(folder, 'd', { target })).rejects.toMatchObject({ code: 'file-error' })
    expect(readFileSync(target, 'utf8')).toBe('mine')
  })

  test('stops when the signal fires', async () => {
    lay(folder, { a: 'x'.repeat(5 * MIB) })
    const signal = AbortSignal.abort()
    await expect(packFolder(folder, 'd', { target: join(base, 'x'), signal })).rejects.toMatchObject({
      code: 'aborted',
    })
  })

  test.runIf(spawnSync('tar', ['--version']).stdout.toString().includes('GNU'))('is unpacked by GNU tar', async () => {
    lay(folder, sample)
    const { path } = await pack()
    const target = join(base, 'gnu')
    mkdirSync(target)
    const { stderr } = spawnSync('tar', ['-C', target, '-xzpf', path], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(contentOf(join(target, 'd'))).toEqual(contentOf(folder))
  })

  test.runIf(spawnSync('python3', ['--version']).status === 0)('is unpacked by Python', async () => {
    lay(folder, sample)
    const { path } = await pack()
    const target = join(base, 'python')
    execFileSync('python3', ['-c', `import tarfile; tarfile.open('${path}').extractall('${target}')`])
    expect(contentOf(join(target, 'd'))).toEqual(contentOf(folder))
  })

  test('packs what comes back from unpackFolder as it was, and nothing else', async () => {
    const name = fc.oneof(
      fc.constantFrom('a', 'A', 'é', 'e\u0301', 'a:b', 'nul', 'end.', 'end ', 'back\\slash', 'line\nfeed', 'c:x'),
      fc.stringMatching(/^[a-z0-9_]{1,8}$/),
      fc.stringMatching(/^[a-z0-9_]{90,140}$/),
      fc.stringMatching(/^[äßñ日本語🚀é-]{1,20}$/u),
    )
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
    const content = fc.oneof(
      fc.string({ maxLength: 700 }),
      fc.constant(null),
      fc.string({ maxLength: 50 }).map((run) => ({ run })),
      fc
        .constantFrom('x', './x', 'no/where', '..', '../..', '../../x', 'a/../../..', '/etc', 'a', 'a\\b', 'a:b')
        .map((link) => ({ link })),
    )
    let round = 0
    let refused = 0
    let packedCount = 0
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(path, content, { maxKeys: 8 }),
        fc.constantFrom('d', 'a/b', '../up', '.'),
        async (tree, prefix) => {
          const root = join(base, `in${++round}`)
          mkdirSync(root)
          for (const [at, what] of Object.entries(tree)) {
            try {
              lay(root, { [at]: what })
            } catch {
              // One generated path is the parent of another, or the same on this file system.
            }
          }
          const target = join(base, `out${round}`)
          const file = join(base, `${round}.tar.gz`)
          const told: unknown[] = []
          const onUnportableNames = (entries: unknown): void => void told.push(entries)
          try {
            await packFolder(root, prefix, { target: file, onUnportableNames })
          } catch (error) {
            expect(error).toMatchObject({
              code: 'unsupported',
              message: /^cannot pack .* would not be unpacked again: /,
            })
            refused++
            // What was refused could not have been unpacked, whatever is allowed.
            const bytes = await unchecked(root)
            const unpacking = unpackFolder(openBytes(bytes)(), target, {
              name: 'd',
              what: 'test',
              allowUnportableNames: true,
            })
            await expect(unpacking).rejects.toMatchObject({ code: 'unsafe-path' })
            return
          }
          const options = { name: prefix, what: 'test' }
          const allowUnportableNames = told.length > 0
          if (allowUnportableNames) {
            const strict = unpackFolder(openBytes(readFileSync(file))(), target, options)
            await expect(strict).rejects.toMatchObject({ code: 'unsafe-path' })
          }
          await unpackFolder(openBytes(readFileSync(file))(), target, { ...options, allowUnportableNames })
          expect(contentOf(target)).toEqual(contentOf(root))
          packedCount++
        },
      ),
      runs(0.3),
    )
    expect([refused > 0, packedCount > 0]).toEqual([true, true])
  })
})

describe('tarFolder', () => {
  async function packWhile(change: () => void): Promise<void> {
    let chunks = 0
    for await (const chunk of tarFolder(folder, 'd')) {
      expect(chunk.byteLength).toBeLessThanOrEqual(MIB)
      if (chunks++ === 0) change()
    }
  }

  test.each<[string, () => void, string]>([
    ['shrinks', () => truncateSync(join(folder, 'a'), 2 * MIB), 'a'],
    ['grows', () => appendFileSync(join(folder, 'a'), 'more'), 'a'],
    ['is written to', () => writeFileSync(join(folder, 'a'), 'y'.repeat(3 * MIB)), 'a'],
    ['is removed before it is read', () => rmSync(join(folder, 'b')), 'b'],
    ['is replaced before it is read', () => replace(join(folder, 'b'), (path) => writeFileSync(path, 'after')), 'b'],
    ['becomes a link', () => replace(join(folder, 'b'), (path) => symlinkSync('a', path)), 'b'],
    ['becomes a fifo', () => replace(join(folder, 'b'), (path) => execFileSync('mkfifo', [path])), 'b'],
    ['gets a neighbour', () => writeFileSync(join(folder, 'c/new'), 'x'), 'c'],
    ['is in a folder that becomes a link', () => replace(join(folder, 'c'), (path) => symlinkSync('.', path)), 'c'],
  ])('notices that a file %s', async (_what, change, name) => {
    lay(folder, { a: 'x'.repeat(3 * MIB), b: 'after', 'c/d': 'in a folder' })
    await expect(packWhile(change)).rejects.toMatchObject({
      code: 'conflict',
      message: `${join(folder, name)} changed while reading`,
    })
  })

  test('reads as much as is taken', async () => {
    lay(folder, { a: 'x'.repeat(8 * MIB) })
    const chunks = tarFolder(folder, 'd')
    await chunks.next()
    await chunks.return()
    rmSync(join(folder, 'a'))
    expect(readdirSync(folder)).toEqual([])
  })
})
