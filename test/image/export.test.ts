import * as zlib from 'node:zlib'
import { pack } from 'tar-stream'
import { describe, expect, test } from 'vitest'
import { openExport } from '../../src/image/export.js'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { encodeJson } from '../../src/oci/encode-json.js'
import { MediaType } from '../../src/oci/media-types.js'
import { MemoryStore } from '../../src/store/memory.js'
import { collectBytes, openBytes } from '../../src/util/bytes.js'
import { pushBlob, pushIndex } from '../graph/sample-graph.js'
import { namesIn, pushLayeredImage, tarOf, type SampleEntry } from './layered-image.js'

async function exported(...layers: readonly (readonly SampleEntry[])[]): Promise<readonly string[]> {
  const store = new MemoryStore()
  const { digest } = await pushLayeredImage(store, layers)
  return namesIn(await openExport({ source: store, reference: digest }))
}

const folder = (name: string): SampleEntry => ({ name, type: 'directory' })
const link = (name: string, linkname: string): SampleEntry => ({ name, linkname, type: 'link' })

test('the newest layer comes first, and what it replaces is left out', async () => {
  expect(await exported([folder('a/'), ['a/x', 'old'], ['a/y', 'y']], [['a/x', 'new']])).toEqual([
    'a/x: new',
    'a/',
    'a/y: y',
  ])
})

describe('a whiteout', () => {
  test('takes away a file, and a folder with what is in it', async () => {
    const lower = [['x', '1'], ['keep', '2'], folder('d/'), ['d/e', '3'], ['d.txt', '4']] as const
    expect(
      await exported(lower, [
        ['.wh.x', ''],
        ['.wh.d', ''],
      ]),
    ).toEqual(['keep: 2', 'd.txt: 4'])
  })

  test('does not take away what its own layer has, in either order', async () => {
    const lower = [folder('d/'), ['d/old', '1']] as const
    const upper = [folder('d/'), ['d/new', '2']] as const
    expect(await exported(lower, [['.wh.d', ''], ...upper])).toEqual(['d/', 'd/new: 2'])
    expect(await exported(lower, [...upper, ['.wh.d', '']])).toEqual(['d/', 'd/new: 2'])
  })

  test('of a whole folder takes away what the layers below have in it', async () => {
    const lower = [folder('d/'), ['d/old', '1'], folder('d/s/'), ['d/s/t', '1']] as const
    expect(
      await exported(lower, [
        ['d/new', '2'],
        ['d/.wh..wh..opq', ''],
      ]),
    ).toEqual(['d/new: 2', 'd/'])
    expect(
      await exported(lower, [
        ['.wh..wh..opq', ''],
        ['x', '2'],
      ]),
    ).toEqual(['x: 2'])
  })

  test('takes nothing away above it', async () => {
    expect(await exported([['x', '1']], [['.wh.x', '']], [['x', '3']])).toEqual(['x: 3'])
  })
})

test('what is below a folder that became a file or a link is left out', async () => {
  const upper: SampleEntry = { name: 'd', type: 'symlink', linkname: 'elsewhere' }
  expect(await exported([folder('d/'), ['d/x', '1']], [upper])).toEqual(['d -> elsewhere'])
})

describe('a hard link', () => {
  test('stays one', async () => {
    expect(await exported([['a', '1'], link('b', './a')])).toEqual(['a: 1', 'b => ./a'])
  })

  test('has the content where the file is gone under its own name', async () => {
    const lower = [['a', '1'], ['other', 'o'], link('b', 'a'), link('c', 'b')] as const
    expect(await exported(lower, [['.wh.a', '']])).toEqual(['other: o', 'b: 1', 'c => b'])
    expect(await exported(lower, [['a', '2']])).toEqual(['a: 2', 'other: o', 'b: 1', 'c => b'])
    expect(
      await exported(lower, [
        ['a', '2'],
        ['b', '3'],
      ]),
    ).toEqual(['a: 2', 'b: 3', 'other: o', 'c: 1'])
  })

  test('to a file of a layer below comes after it, or has its content', async () => {
    expect(await exported([['a', '1']], [link('b', 'a')])).toEqual(['a: 1', 'b => a'])
    expect(
      await exported(
        [
          ['a', '1'],
          ['z', 'z'],
        ],
        [link('b', 'a'), link('c', 'a')],
        [['.wh.a', '']],
      ),
    ).toEqual(['b: 1', 'c => b', 'z: z'])
    expect(await exported([['t', '1'], link('a', 't')], [link('b', 'a')], [['a', 'new']])).toEqual([
      'a: new',
      't: 1',
      'b => t',
    ])
  })

  test('to nothing is an error', async () => {
    await expect(exported([link('b', 'a')])).rejects.toMatchObject({
      code: 'invalid-content',
      message: 'b is a hard link to a, which no layer has',
    })
  })
})

test('owners, modes, devices, long names and attributes stay', async () => {
  const store = new MemoryStore()
  const header = {
    name: `${'n'.repeat(90)}/${'m'.repeat(120)}`,
    mode: 0o4755,
    uid: 5,
    gid: 7,
    uname: 'me',
    gname: 'us',
    mtime: new Date(1_600_000_000_000),
    pax: { 'SCHILY.xattr.user.a': 'value' },
  }
  const device = { name: 'null', type: 'character-device', devmajor: 1, devminor: 3 } as const
  const { digest } = await pushLayeredImage(store, [[header, device]])
  const bytes = await collectBytes(await openExport({ source: store, reference: digest }), 1e6, 'tar')
  const { extract } = await import('tar-stream')
  const parser = extract()
  parser.end(bytes)
  const headers = []
  for await (const entry of parser) {
    headers.push(entry.header)
    entry.resume()
  }
  expect(headers[0]).toMatchObject({ ...header, pax: { 'SCHILY.xattr.user.a': 'value' } })
  expect(headers[1]).toMatchObject(device)
})

test('bytes that are no text stay, in names and in attributes', async () => {
  const archive = pack()
  archive.entry(
    { name: 'placeholder-name', mtime: new Date(0), pax: { 'SCHILY.xattr.security.capability': 'ABCD' } },
    'x',
  )
  archive.finalize()
  const tar = await collectBytes(archive as AsyncIterable<Buffer>, 1e6, 'tar')
  const raw = Buffer.from(tar)
  raw.write('\xff\xfe\x80\x01', raw.indexOf('ABCD'), 'latin1')
  const store = new MemoryStore()
  const layer = await pushBlob(store, raw, MediaType.imageLayer)
  const config = await pushBlob(store, '{"rootfs":{}}', MediaType.imageConfig)
  const manifest = encodeJson({ schemaVersion: 2, mediaType: MediaType.imageManifest, config, layers: [layer] })
  const descriptor = descriptorOf(MediaType.imageManifest, manifest)
  await store.push(descriptor, openBytes(manifest))
  const bytes = await collectBytes(await openExport({ source: store, reference: descriptor.digest }), 1e6, 'tar')
  expect(Buffer.from(bytes).includes(Buffer.from('capability=\xff\xfe\x80\x01\n', 'latin1'))).toBe(true)
})

test('a name that leads out of the image is an error', async () => {
  await expect(exported([['../x', '1']])).rejects.toMatchObject({ code: 'unsafe-path' })
  await expect(exported([['a', '1'], link('b', '../../etc/passwd')])).rejects.toMatchObject({ code: 'unsafe-path' })
})

test('a damaged layer is an error', async () => {
  const store = new MemoryStore()
  const tar = await tarOf([['a', '1']])
  for (const content of [tar.subarray(0, 512), Buffer.alloc(512, 'x')]) {
    const layer = await pushBlob(store, content, MediaType.imageLayer)
    const config = await pushBlob(store, '{"rootfs":{}}', MediaType.imageConfig)
    const manifest = encodeJson({ schemaVersion: 2, mediaType: MediaType.imageManifest, config, layers: [layer] })
    const descriptor = descriptorOf(MediaType.imageManifest, manifest)
    await store.push(descriptor, openBytes(manifest))
    await expect(openExport({ source: store, reference: descriptor.digest }).then(namesIn)).rejects.toMatchObject({
      code: 'invalid-content',
    })
  }
})

test.runIf('zstdCompressSync' in zlib)('layers in zstd are read', async () => {
  const compress = (zlib as unknown as { zstdCompressSync: (bytes: Buffer) => Buffer }).zstdCompressSync
  const store = new MemoryStore()
  const layer = await pushBlob(store, compress(await tarOf([['a', '1']])), MediaType.imageLayerZstd)
  const config = await pushBlob(store, '{"rootfs":{}}', MediaType.imageConfig)
  const manifest = encodeJson({ schemaVersion: 2, mediaType: MediaType.imageManifest, config, layers: [layer] })
  const descriptor = descriptorOf(MediaType.imageManifest, manifest)
  await store.push(descriptor, openBytes(manifest))
  expect(await namesIn(await openExport({ source: store, reference: descriptor.digest }))).toEqual(['a: 1'])
})

test('the only layer of an artifact comes through as it is', async () => {
  const store = new MemoryStore()
  const layer = await pushBlob(store, 'a chart', 'application/x-chart')
  const config = await pushBlob(store, '{}', 'application/x-config')
  const manifest = encodeJson({ schemaVersion: 2, mediaType: MediaType.imageManifest, config, layers: [layer] })
  const descriptor = descriptorOf(MediaType.imageManifest, manifest)
  await store.push(descriptor, openBytes(manifest))
  const bytes = await collectBytes(await openExport({ source: store, reference: descriptor.digest }), 100, 'layer')
  expect(Buffer.from(bytes).toString()).toBe('a chart')
})

test('of an index, the image for linux/amd64', async () => {
  const store = new MemoryStore()
  const image = await pushLayeredImage(store, [[['a', '1']]])
  await pushIndex(store, [{ ...image, platform: { architecture: 'amd64', os: 'linux' } }], { tag: 'v1' })
  expect(await namesIn(await openExport({ source: store, reference: 'v1' }))).toEqual(['a: 1'])
})
