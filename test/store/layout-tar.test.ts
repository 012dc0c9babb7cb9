import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pack, type Header } from 'tar-stream'
import { describe, expect, test } from 'vitest'
import { plainDescriptor } from '../../src/oci/descriptor.js'
import { blobPathOf } from '../../src/oci/image-layout.js'
import { LayoutStore } from '../../src/store/layout.js'
import { LayoutTar } from '../../src/store/layout-tar.js'
import { LayoutTarWriter } from '../../src/store/layout-tar-writer.js'
import { collectBytes } from '../../src/util/bytes.js'
import { formatOwner, ownIdentity } from '../../src/util/process-identity.js'
import { temporaryFolder } from '../util/temporary-folder.js'
import { describeStore } from './contract.js'
import { blob, emptyConfig, inChunks, index, listAll, manifest, readAll, type Content } from './content.js'
import { writeLayout } from './layout-folder.js'

describeStore(
  'an image layout in a tar',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gantry-layout-'))
    const path = join(folder, 'layout.tar')
    const writer = await LayoutTarWriter.create(path)
    return {
      sink: writer,
      source: async () => {
        await writer.close()
        return LayoutTar.open(path)
      },
      close: async () => {
        await writer.abort()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
  { interleaved: false, delete: false, untag: false },
)

const contents = [emptyConfig, blob(0), blob(511), blob(512), blob(70_000), manifest()] as const
const image = contents[5]

async function writeTar(
  path: string,
  pushed: readonly Content[] = contents,
  tags: readonly string[] = ['v1'],
): Promise<void> {
  const writer = await LayoutTarWriter.create(path)
  for (const { descriptor, open } of pushed) await writer.push(descriptor, open)
  for (const tag of tags) await writer.tag(image.descriptor, tag)
  await writer.close()
}

describe('a tar that is written', () => {
  test('gets its name when it is complete, and replaces another one then', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'layout.tar')
    writeFileSync(path, 'before')
    const writer = await LayoutTarWriter.create(path)
    for (const { descriptor, open } of contents) await writer.push(descriptor, open)
    expect(readFileSync(path, 'utf8')).toBe('before')
    await writer.close()
    expect(readdirSync(folder)).toEqual(['layout.tar'])
    expect(await listAll((await LayoutTar.open(path)).tags())).toEqual([])
  })

  test('leaves nothing when it is given up', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'layout.tar')
    writeFileSync(path, 'before')
    const writer = await LayoutTarWriter.create(path)
    await writer.push(image.descriptor, image.open)
    await writer.abort()
    expect(readdirSync(folder)).toEqual(['layout.tar'])
    expect(readFileSync(path, 'utf8')).toBe('before')
    await expect(writer.push(emptyConfig.descriptor, emptyConfig.open)).rejects.toMatchObject({ code: 'aborted' })
    await expect(writer.close()).rejects.toMatchObject({ code: 'aborted' })
  })

  test('removes what a killed process left of another', async () => {
    const folder = temporaryFolder()
    const dead = `.gantry-${formatOwner({ ...ownIdentity(), pid: 2 ** 22 + 1 })}.tmp`
    writeFileSync(join(folder, dead), 'half')
    await writeTar(join(folder, 'layout.tar'))
    expect(readdirSync(folder)).toEqual(['layout.tar'])
  })

  test('takes nothing more once it is closed', async () => {
    const path = join(temporaryFolder(), 'layout.tar')
    const writer = await LayoutTarWriter.create(path)
    await writer.close()
    const before = readFileSync(path)
    await expect(writer.push(emptyConfig.descriptor, emptyConfig.open)).rejects.toMatchObject({ code: 'unsupported' })
    await expect(writer.close()).rejects.toMatchObject({ code: 'unsupported' })
    await writer.abort()
    expect(readFileSync(path)).toEqual(before)
  })

  test('waits for what is being pushed when it is closed', async () => {
    const path = join(temporaryFolder(), 'layout.tar')
    const writer = await LayoutTarWriter.create(path)
    const content = blob(500_000)
    const pushing = writer.push(content.descriptor, inChunks(content.bytes, 10_000))
    await writer.close()
    await pushing
    expect((await readAll((await LayoutTar.open(path)).fetch(content.descriptor))).byteLength).toBe(500_000)
  })

  test('has the same bytes each time, whatever the order of tags', async () => {
    const folder = temporaryFolder()
    await writeTar(join(folder, 'a.tar'), contents, ['v1', 'v2'])
    await writeTar(join(folder, 'b.tar'), contents, ['v2', 'v1'])
    expect(readFileSync(join(folder, 'a.tar')).equals(readFileSync(join(folder, 'b.tar')))).toBe(true)
  })

  test('holds each content once, and no trace of what failed', async () => {
    const folder = temporaryFolder()
    const writer = await LayoutTarWriter.create(join(folder, 'a.tar'))
    for (const { descriptor, open } of contents) {
      const wrong = writer.push(descriptor, inChunks(Buffer.alloc(descriptor.size + 1), 100)).catch(() => undefined)
      await Promise.all([wrong, writer.push(descriptor, open), writer.push(descriptor, open)])
    }
    await writer.tag(image.descriptor, 'v1')
    await writer.close()
    await writeTar(join(folder, 'b.tar'))
    expect(readFileSync(join(folder, 'a.tar')).equals(readFileSync(join(folder, 'b.tar')))).toBe(true)
  })

  test('lists what is tagged and what no index contains', async () => {
    const folder = temporaryFolder()
    const child = manifest()
    const parent = index([child.descriptor])
    const path = join(folder, 'layout.tar')
    const writer = await LayoutTarWriter.create(path)
    for (const { descriptor, open } of [child, parent, child]) await writer.push(descriptor, open)
    await writer.push(image.descriptor, image.open, { tag: 'v1' })
    await writer.close()
    execFileSync('tar', ['-xf', path, '-C', folder])
    const { manifests } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { manifests: unknown[] }
    expect(manifests).toEqual([
      parent.descriptor,
      { ...image.descriptor, annotations: { 'org.opencontainers.image.ref.name': 'v1' } },
    ])
  })

  test('unpacks to a layout', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'layout.tar')
    await writeTar(path)
    mkdirSync(join(folder, 'unpacked'))
    execFileSync('tar', ['-xf', path, '-C', join(folder, 'unpacked')])
    const store = await LayoutStore.open(join(folder, 'unpacked'), { verify: true })
    for (const { descriptor } of contents) expect(await store.has(descriptor)).toBe(true)
    expect(plainDescriptor(await store.resolve('v1'))).toEqual(image.descriptor)
  })

  test('is refused where a folder is, or nothing can be written', async () => {
    const folder = temporaryFolder()
    await expect(LayoutTarWriter.create(folder)).rejects.toMatchObject({
      code: 'file-error',
      message: `${folder} is a folder`,
    })
    const path = join(folder, 'missing', 'layout.tar')
    await expect(LayoutTarWriter.create(path)).rejects.toMatchObject({ code: 'file-error' })
  })
})

describe('a tar that is read', () => {
  test.each([
    ['GNU format', ['--format=gnu']],
    ['pax format', ['--format=pax']],
    ['ustar format, with names that begin with ./', ['--format=ustar']],
  ])('may be in %s', async (_, options) => {
    const folder = temporaryFolder()
    writeLayout(join(folder, 'layout'), contents, [{ ...image.descriptor }])
    const path = join(folder, 'layout.tar')
    execFileSync('tar', [...options, '-cf', path, '-C', join(folder, 'layout'), '.'])
    const store = await LayoutTar.open(path)
    for (const { descriptor, bytes } of contents) {
      expect(Buffer.compare(await readAll(store.fetch(descriptor)), bytes)).toBe(0)
    }
    expect((await store.readManifest(image.descriptor.digest)).descriptor).toEqual(image.descriptor)
  })

  test('may be named by a link', async () => {
    const folder = temporaryFolder()
    await writeTar(join(folder, 'layout.tar'))
    symlinkSync('layout.tar', join(folder, 'link.tar'))
    expect(await listAll((await LayoutTar.open(join(folder, 'link.tar'))).tags())).toEqual(['v1'])
  })

  test('is told from one that has been replaced or changed meanwhile', async () => {
    const path = join(temporaryFolder(), 'layout.tar')
    await writeTar(path)
    const store = await LayoutTar.open(path)
    await writeTar(path, [...contents, blob(100)])
    await expect(readAll(store.fetch(image.descriptor))).rejects.toMatchObject({ code: 'conflict' })
  })

  test('has nothing of another size', async () => {
    const path = join(temporaryFolder(), 'layout.tar')
    await writeTar(path)
    const store = await LayoutTar.open(path)
    const content = store.fetch({ ...image.descriptor, size: image.descriptor.size - 1 })
    await expect(readAll(content)).rejects.toMatchObject({ code: 'size-mismatch' })
  })

  test.each([
    ['cut anywhere', (path: string) => truncateSync(path, 1537), 'invalid-content', 'not a complete tar'],
    [
      'cut in the middle of a blob',
      (path: string) => truncateSync(path, 5000),
      'invalid-content',
      'not a complete tar',
    ],
    [
      'cut before its end marker',
      (path: string) => truncateSync(path, readFileSync(path).length - 1024),
      'invalid-content',
      'not a complete',
    ],
    ['empty', (path: string) => truncateSync(path, 0), 'invalid-content', 'not a complete'],
    [
      'followed by data',
      (path: string) => appendFileSync(path, Buffer.alloc(512, 1)),
      'invalid-content',
      'data after end of archive',
    ],
    [
      'compressed',
      (path: string) => writeFileSync(path, gzipSync(readFileSync(path))),
      'unsupported',
      'compressed with gzip',
    ],
    ['no tar', (path: string) => writeFileSync(path, 'x'.repeat(3000)), 'invalid-content', ''],
  ] as const)('is refused when it is %s', async (_, damage, code, message) => {
    const path = join(temporaryFolder(), 'layout.tar')
    await writeTar(path)
    damage(path)
    await expect(LayoutTar.open(path)).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
  })

  test('is refused at any cut', async () => {
    const path = join(temporaryFolder(), 'layout.tar')
    await writeTar(path, [emptyConfig, image])
    const bytes = readFileSync(path)
    for (let size = 0; size < bytes.length; size += 173) {
      writeFileSync(path, bytes.subarray(0, size))
      await expect(LayoutTar.open(path)).rejects.toMatchObject({ code: 'invalid-content' })
    }
  })

  test.each([
    ['a missing file', 'file-error', 'no such file or directory'],
    ['a folder', 'file-error', 'is not a regular file'],
  ])('is refused when it is %s', async (name, code, message) => {
    const path = join(temporaryFolder(), 'layout.tar')
    if (name === 'a folder') mkdirSync(path)
    await expect(LayoutTar.open(path)).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
  })
})

/** Archives that no good program makes. */
async function makeTar(
  entries: readonly (readonly [Partial<Header> & { name: string }, string | Uint8Array])[],
): Promise<string> {
  const archive = pack()
  for (const [header, content] of entries) archive.entry(header, Buffer.from(content))
  archive.finalize()
  const path = join(temporaryFolder(), 'hostile.tar')
  writeFileSync(path, await collectBytes(archive as AsyncIterable<Uint8Array>, 1e9, 'archive'))
  return path
}

const layoutFile = [{ name: 'oci-layout' }, '{"imageLayoutVersion":"1.0.0"}'] as const
const indexFile = [{ name: 'index.json' }, '{"schemaVersion":2,"manifests":[]}'] as const
const content = blob(10)

describe('a tar is refused with', () => {
  test.each([
    ['no oci-layout', [indexFile], 'invalid-content', 'oci-layout is missing'],
    ['no index.json', [layoutFile], 'invalid-content', 'index.json is missing'],
    ['another version', [[{ name: 'oci-layout' }, '{"imageLayoutVersion":"9"}'], indexFile], 'unsupported', '"9"'],
    ['a huge oci-layout', [[{ name: 'oci-layout' }, ' '.repeat(5000)], indexFile], 'limit-exceeded', 'oci-layout'],
    [
      'a huge index.json',
      [layoutFile, [{ name: 'index.json' }, Buffer.alloc(5 << 20)]],
      'limit-exceeded',
      'index.json',
    ],
    ['an entry twice', [layoutFile, indexFile, indexFile], 'invalid-content', '"index.json" twice'],
    [
      'an entry twice, written differently',
      [layoutFile, indexFile, [{ name: './index.json' }, '{}']],
      'invalid-content',
      'twice',
    ],
    [
      'a blob that is a symbolic link',
      [
        layoutFile,
        indexFile,
        [{ name: blobPathOf(content.descriptor.digest), type: 'symlink', linkname: '/etc/passwd' }, ''],
      ],
      'unsupported',
      'which is a symbolic link',
    ],
    [
      'a hard link',
      [
        layoutFile,
        indexFile,
        [{ name: blobPathOf(content.descriptor.digest), type: 'link', linkname: 'index.json' }, ''],
      ],
      'unsupported',
      'which is a hard link',
    ],
    [
      'a device',
      [layoutFile, indexFile, [{ name: 'x', type: 'character-device' }, '']],
      'unsupported',
      'character device',
    ],
    [
      'a path that leads out',
      [layoutFile, indexFile, [{ name: 'blobs/../../x' }, 'x']],
      'invalid-content',
      'no plain path',
    ],
    ['an absolute path', [layoutFile, indexFile, [{ name: '/x' }, 'x']], 'invalid-content', 'no plain path'],
  ] as const)('%s', async (_, entries, code, message) => {
    const path = await makeTar(entries)
    await expect(LayoutTar.open(path)).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
    expect(existsSync(path)).toBe(true)
  })

  test('nothing else: other files do not matter', async () => {
    const path = await makeTar([
      layoutFile,
      indexFile,
      [{ name: 'manifest.json' }, '[]'],
      [{ name: 'blobs/', type: 'directory' }, ''],
    ])
    expect(await listAll((await LayoutTar.open(path)).tags())).toEqual([])
  })
})
