import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Annotation } from '../../src/oci/annotations.js'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { digestOf } from '../../src/oci/digest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { FileSource } from '../../src/store/file-source.js'
import { emptyConfig, manifest, readAll } from './content.js'

let base: string
let temporaryFolder: string
let source: FileSource
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'gantry-source-'))
  temporaryFolder = join(base, 'tmp')
  mkdirSync(temporaryFolder)
  source = new FileSource({ temporaryFolder })
  writeFileSync(join(base, 'hi.txt'), 'hello\n')
  mkdirSync(join(base, 'd'))
  writeFileSync(join(base, 'd/a'), 'in a folder')
})
afterEach(async () => {
  await source.close()
  await rm(base, { recursive: true })
})

function replaceWithCopy(path: string): void {
  writeFileSync(`${path}.new`, readFileSync(path))
  renameSync(`${path}.new`, path)
}

describe('FileSource', () => {
  test('describes a file as a layer with its name', async () => {
    expect(await source.add(join(base, 'hi.txt'), { name: 'hi.txt' })).toEqual({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest: 'sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
      size: 6,
      annotations: { 'org.opencontainers.image.title': 'hi.txt' },
    })
  })

  test('says so when it is given no path', async () => {
    await expect(source.add('', { name: 'x' })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: 'the path of a file is empty',
    })
  })

  test('takes a media type and annotations, and a title among them', async () => {
    const annotations = { a: 'b', [Annotation.title]: 'other' }
    const options = { name: 'hi.txt', mediaType: 'text/plain', annotations }
    expect(await source.add(join(base, 'hi.txt'), options)).toMatchObject({ mediaType: 'text/plain', annotations })
  })

  test('describes a folder as a packed layer', async () => {
    const descriptor = await source.add(join(base, 'd'), { name: 'some/d' })
    const bytes = await readAll(source.fetch(descriptor))
    const tar = gunzipSync(bytes)
    expect(descriptor).toEqual({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: digestOf(bytes),
      size: bytes.byteLength,
      annotations: {
        'org.opencontainers.image.title': 'some/d',
        'io.deis.oras.content.digest': digestOf(tar),
        'io.deis.oras.content.unpack': 'true',
      },
    })
    expect(Buffer.from(tar.subarray(0, 7)).toString()).toBe('some/d\0')
  })

  test('names the entries of a folder after the title among its annotations', async () => {
    const annotations = { [Annotation.title]: 'renamed' }
    const descriptor = await source.add(join(base, 'd'), { name: 'd', annotations })
    expect(
      gunzipSync(await readAll(source.fetch(descriptor)))
        .subarray(0, 8)
        .toString(),
    ).toBe('renamed\0')
  })

  test('follows links that are named themselves', async () => {
    symlinkSync('hi.txt', join(base, 'link'))
    symlinkSync('d', join(base, 'folder-link'))
    expect(await source.add(join(base, 'link'), { name: 'link' })).toMatchObject({ digest: digestOf('hello\n') })
    const [viaLink, direct] = [
      await source.add(join(base, 'folder-link'), { name: 'd' }),
      await source.add(join(base, 'd'), { name: 'd' }),
    ]
    expect(viaLink).toEqual(direct)
  })

  test.each([0, 1, 3, 6])('fetches from offset %i', async (offset) => {
    const descriptor = await source.add(join(base, 'hi.txt'), { name: 'hi.txt' })
    expect(Buffer.from(await readAll(source.fetch(descriptor, { offset }))).toString()).toBe('hello\n'.slice(offset))
  })

  test('fetches a large file whole, as often as needed', async () => {
    const bytes = Buffer.alloc(3 * 1024 * 1024 + 5, 'some content ')
    writeFileSync(join(base, 'large'), bytes)
    const descriptor = await source.add(join(base, 'large'), { name: 'large' })
    const [first, second] = await Promise.all([
      readAll(source.fetch(descriptor)),
      readAll(source.fetch(descriptor, { offset: 2_000_000 })),
    ])
    expect(bytes.equals(first)).toBe(true)
    expect(bytes.subarray(2_000_000).equals(second)).toBe(true)
  })

  test('finds content that was made in memory', async () => {
    const content = manifest({ layers: [emptyConfig.descriptor] })
    source.addBytes(content.descriptor, content.bytes)
    expect(await source.resolve(content.descriptor.digest)).toEqual(content.descriptor)
    const read = await source.readManifest(content.descriptor.digest)
    expect(read.descriptor).toEqual(content.descriptor)
    expect(Buffer.from(read.bytes).equals(content.bytes)).toBe(true)
  })

  test('knows nothing else', async () => {
    const unknown = descriptorOf(MediaType.octetStream, Buffer.from('unknown'))
    await expect(source.resolve(unknown.digest)).rejects.toMatchObject({ code: 'not-found' })
    await expect(source.resolve('latest')).rejects.toMatchObject({ code: 'not-found' })
    await expect(readAll(source.fetch(unknown))).rejects.toMatchObject({ code: 'not-found' })
  })

  test('names a missing file by its absolute path', async () => {
    const path = join(base, 'none')
    const message = `stat ${path}: no such file or directory`
    await expect(source.add(path, { name: 'x' })).rejects.toMatchObject({ code: 'file-error', message })
    const relativePath = relative(process.cwd(), path)
    await expect(source.add(relativePath, { name: 'x' })).rejects.toMatchObject({ message })
  })

  test('refuses a pipe without waiting for it', async () => {
    execFileSync('mkfifo', [join(base, 'pipe')])
    await expect(source.add(join(base, 'pipe'), { name: 'pipe' })).rejects.toMatchObject({
      code: 'file-error',
      message: `${join(base, 'pipe')} is not a regular file`,
    })
  })

  test.each<[string, (path: string) => void]>([
    ['was written to', (path) => appendFileSync(path, 'more')],
    ['was changed in place', (path) => writeFileSync(path, 'HELLO\n')],
    ['was replaced', replaceWithCopy],
    ['was touched', (path) => utimesSync(path, 1, 1)],
  ])('refuses to fetch a file that %s', async (_what, change) => {
    const path = join(base, 'hi.txt')
    const descriptor = await source.add(path, { name: 'hi.txt' })
    change(path)
    // Before there is anything to send.
    await expect(source.fetch(descriptor)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'conflict',
      message: `${path} changed while reading`,
    })
  })

  test('notices a change while the file is fetched', async () => {
    const path = join(base, 'large')
    writeFileSync(path, Buffer.alloc(5 * 1024 * 1024))
    const descriptor = await source.add(path, { name: 'large' })
    let received = 0
    const fetching = (async () => {
      for await (const chunk of source.fetch(descriptor)) {
        if (received === 0) writeFileSync(path, Buffer.alloc(5 * 1024 * 1024, 1))
        received += chunk.byteLength
      }
    })()
    await expect(fetching).rejects.toMatchObject({ code: 'conflict' })
  })

  test('is not disturbed by a folder that changes after it was packed', async () => {
    const descriptor = await source.add(join(base, 'd'), { name: 'd' })
    rmSync(join(base, 'd/a'))
    expect(digestOf(await readAll(source.fetch(descriptor)))).toBe(descriptor.digest)
  })

  test('packs several folders at once, and removes what it packed', async () => {
    mkdirSync(join(base, 'e'))
    const descriptors = await Promise.all(['d', 'e', 'd'].map((name) => source.add(join(base, name), { name })))
    for (const descriptor of descriptors)
      expect(digestOf(await readAll(source.fetch(descriptor)))).toBe(descriptor.digest)
    expect(readdirSync(temporaryFolder)).toHaveLength(1)
    await source.close()
    expect(readdirSync(temporaryFolder)).toEqual([])
  })

  test('fails where it cannot pack, and can still be closed', async () => {
    const broken = new FileSource({ temporaryFolder: join(base, 'none') })
    await expect(broken.add(join(base, 'd'), { name: 'd' })).rejects.toMatchObject({ code: 'file-error' })
    await broken.close()
  })

  test('stops when the signal fires', async () => {
    const signal = AbortSignal.abort()
    const descriptor = await source.add(join(base, 'hi.txt'), { name: 'hi.txt' })
    await expect(source.add(join(base, 'hi.txt'), { name: 'hi.txt', signal })).rejects.toMatchObject({
      code: 'aborted',
    })
    await expect(source.add(join(base, 'd'), { name: 'd', signal })).rejects.toMatchObject({ code: 'aborted' })
    await expect(readAll(source.fetch(descriptor, { signal }))).rejects.toMatchObject({ code: 'aborted' })
  })

  test('leaves the files as they were', async () => {
    const descriptor = await source.add(join(base, 'd'), { name: 'd' })
    await readAll(source.fetch(descriptor))
    expect(readFileSync(join(base, 'd/a'), 'utf8')).toBe('in a folder')
  })
})
