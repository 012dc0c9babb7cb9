import { mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { pullFiles, type PullFilesOptions, type PullFilesResult } from '../../src/artifact/pull-files.js'
import { pushFiles } from '../../src/artifact/push-files.js'
import { GantryError } from '../../src/errors.js'
import type { TransferEvent } from '../../src/graph/events.js'
import { descriptorOf, type Annotations, type Descriptor } from '../../src/oci/descriptor.js'
import { encodeJson } from '../../src/oci/encode-json.js'
import { MediaType } from '../../src/oci/media-types.js'
import { packManifest } from '../../src/oci/pack.js'
import { LayoutStore } from '../../src/store/layout.js'
import { openBytes, type Bytes } from '../../src/util/bytes.js'
import { RecordingStore } from '../graph/recording-store.js'
import { linux, pushBlob, pushImage, pushIndex } from '../graph/sample-graph.js'
import { temporaryFolder } from '../util/temporary-folder.js'

let store: RecordingStore
let folder: string
let out: string

beforeEach(() => {
  store = new RecordingStore()
  folder = temporaryFolder()
  out = join(folder, 'out')
})

type Named = Readonly<Record<string, string>>

/** Pushes blobs with titles; a title may stand for nothing, and content may repeat. */
async function pushNamed(
  files: Named,
  { tag, ...more }: { tag?: string; subject?: Descriptor; annotations?: Annotations; config?: Descriptor } = {},
): Promise<Descriptor> {
  const layers = await Promise.all(
    Object.entries(files).map(async ([title, text]) => ({
      ...(await pushBlob(store, text)),
      ...(title.startsWith('-') ? {} : { annotations: { 'org.opencontainers.image.title': title } }),
    })),
  )
  const { descriptor, bytes, blobs } = packManifest({ artifactType: 'test/files', layers, ...more })
  for (const blob of blobs) await store.push(blob.descriptor, openBytes(blob.bytes))
  await store.push(descriptor, openBytes(bytes), tag === undefined ? {} : { tag })
  return descriptor
}

async function pull(options: PullFilesOptions = {}, reference = 'v1'): Promise<PullFilesResult> {
  store.calls.length = 0
  return pullFiles(store, reference, out, options)
}

async function contentOf(...path: string[]): Promise<string> {
  return readFile(join(out, ...path), 'utf8')
}

/** Every name in the folder, temporary ones too. */
async function namesIn(path = out): Promise<string[]> {
  return (await readdir(path).catch(() => [])).sort()
}

function blobsFetched(): number {
  return store.callsOf('fetch').length
}

describe('pull', () => {
  test('writes each file under its name', async () => {
    const root = await pushNamed({ 'a.txt': 'one', 'sub/b.txt': 'two' }, { tag: 'v1' })
    const result = await pull()
    expect(result.descriptor.digest).toBe(root.digest)
    expect(result.files.map(({ path, descriptor }) => [path, descriptor.size])).toEqual([
      [join(out, 'a.txt'), 3],
      [join(out, 'sub/b.txt'), 3],
    ])
    expect(result.skippedUnnamed).toEqual([])
    expect([await contentOf('a.txt'), await contentOf('sub', 'b.txt')]).toEqual(['one', 'two'])
    expect(await namesIn()).toEqual(['a.txt', 'sub'])
    // The manifest in one request, and each file.
    expect(store.calls.map(({ method }) => method)).toEqual(['readManifest', 'fetch', 'fetch'])
  })

  test('gives back what was pushed, folders unpacked', async () => {
    const work = join(folder, 'work')
    await mkdir(join(work, 'details', 'deep'), { recursive: true })
    await writeFile(join(work, 'readme.md'), '# hello')
    await writeFile(join(work, 'details', 'deep', 'file'), 'deep')
    await symlink('deep/file', join(work, 'details', 'link'))
    const files = ['readme.md', 'details'].map((name) => ({ path: join(work, name), name }))
    await pushFiles(store, files, { tags: ['v1'] })
    const result = await pull()
    expect(result.files.map(({ path }) => path)).toEqual([join(out, 'readme.md'), `${join(out, 'details')}/`])
    expect(await contentOf('details', 'deep', 'file')).toBe('deep')
    expect(await readlink(join(out, 'details', 'link'))).toBe('deep/file')
    // Again, over what is there.
    await writeFile(join(out, 'readme.md'), 'old')
    await pull()
    expect(await contentOf('readme.md')).toBe('# hello')
  })

  test('tells what it does as it goes', async () => {
    const root = await pushNamed({ 'a.txt': 'one', '-': 'nameless' }, { tag: 'v1' })
    const events: string[] = []
    await pull({
      onEvent: (event) => {
        if (!('descriptor' in event) || event.type === 'progress') return
        events.push(`${event.type} ${event.descriptor.digest === root.digest ? 'manifest' : 'blob'}`)
      },
    })
    expect(events).toEqual(['started manifest', 'skipped blob', 'started blob', 'finished blob', 'finished manifest'])
  })

  test('fetches content with several names once', async () => {
    await pushNamed({ 'a.txt': 'same', 'b.txt': 'same', 'c.txt': 'same' }, { tag: 'v1' })
    const events: TransferEvent[] = []
    const { files } = await pull({ onEvent: (event) => void events.push(event) })
    expect(files).toHaveLength(3)
    for (const name of ['a.txt', 'b.txt', 'c.txt']) expect(await contentOf(name)).toBe('same')
    expect(blobsFetched()).toBe(1)
    expect(events.filter(({ type }) => type === 'restored')).toHaveLength(2)
  })

  test('pulls all children of an index, or the one for a platform', async () => {
    const children = [
      { ...(await pushNamed({ 'both.txt': 'same', 'amd.txt': 'a' })), platform: linux('amd64') },
      { ...(await pushNamed({ 'both.txt': 'same', 'arm.txt': 'b' })), platform: linux('arm64') },
    ]
    await pushIndex(store, children, { tag: 'v1' })
    expect((await pull({ platform: linux('arm64') })).descriptor.digest).toBe(children[1]?.digest)
    expect(await namesIn()).toEqual(['arm.txt', 'both.txt'])
    const { descriptor, files } = await pull()
    expect(descriptor.mediaType).toBe(MediaType.imageIndex)
    expect(files.map(({ path }) => path.slice(out.length + 1))).toEqual(['both.txt', 'amd.txt', 'arm.txt'])
    expect(await namesIn()).toEqual(['amd.txt', 'arm.txt', 'both.txt'])
    await expect(pull({ platform: linux('mips') })).rejects.toMatchObject({ code: 'not-found' })
  })

  test('pulls subjects when they are wanted', async () => {
    const image = await pushNamed({ 'image.txt': 'image' })
    const sbom = await pushNamed({ 'sbom.txt': 'sbom' }, { subject: image })
    await pushNamed({ 'sig.txt': 'sig' }, { subject: sbom, tag: 'v1' })
    await pull()
    expect(await namesIn()).toEqual(['sig.txt'])
    await pull({ includeSubject: true })
    expect(await namesIn()).toEqual(['image.txt', 'sbom.txt', 'sig.txt'])
  })

  test('pulls the withdrawn artifact manifests', async () => {
    const blob = await pushBlob(store, 'text', 'text/plain')
    const blobs = [{ ...blob, annotations: { 'org.opencontainers.image.title': 'a.txt' } }]
    const bytes = encodeJson({ mediaType: MediaType.artifactManifest, artifactType: 'a/b', blobs })
    await store.push(descriptorOf(MediaType.artifactManifest, bytes), openBytes(bytes), { tag: 'v1' })
    await pull()
    expect(await contentOf('a.txt')).toBe('text')
  })
})

describe('content without a name', () => {
  test('is left out, and told about once', async () => {
    await pushNamed({ 'a.txt': 'one', '-1': 'nameless', '-2': 'nameless' }, { tag: 'v1' })
    const { skippedUnnamed, files } = await pull()
    expect(skippedUnnamed).toHaveLength(1)
    expect(files).toHaveLength(1)
    expect(blobsFetched()).toBe(1)
  })

  test('that stands for nothing does not count', async () => {
    await pushNamed({}, { tag: 'v1' })
    expect(await pull()).toMatchObject({ files: [], skippedUnnamed: [] })
    const config = await pushBlob(store, '{}', 'application/vnd.me.config')
    await pushNamed({ 'a.txt': 'one' }, { tag: 'v1', config })
    expect((await pull()).skippedUnnamed).toEqual([])
  })

  test('may be the config, which can be given a name', async () => {
    const config = await pushBlob(store, '{"x":1}', 'application/vnd.me.config')
    await pushNamed({ 'a.txt': 'one' }, { tag: 'v1', config })
    expect((await pull()).skippedUnnamed).toEqual([config])
    expect((await pull({ config: { path: 'conf.json', mediaType: 'other/type' } })).skippedUnnamed).toEqual([config])
    for (const mediaType of [undefined, 'application/vnd.me.config']) {
      const result = await pull({ config: { path: 'conf.json', ...(mediaType === undefined ? {} : { mediaType }) } })
      expect(result.skippedUnnamed).toEqual([])
      expect(await contentOf('conf.json')).toBe('{"x":1}')
    }
  })

  test('may be an image', async () => {
    const image = await pushImage(store, linux('amd64'))
    const { files, skippedUnnamed } = await pull({}, image.digest)
    expect(files).toEqual([])
    expect(skippedUnnamed).toHaveLength(2)
    expect(blobsFetched()).toBe(0)
  })

  test('gives its name to the first config alone', async () => {
    const configs = [await pushBlob(store, '{"x":1}', 'a/b'), await pushBlob(store, '{"y":2}', 'a/b')]
    const children = [
      await pushNamed({ 'a.txt': 'a' }, { config: configs[0]! }),
      await pushNamed({ 'b.txt': 'b' }, { config: configs[1]! }),
    ]
    await pushIndex(store, children, { tag: 'v1' })
    const { skippedUnnamed } = await pull({ config: { path: 'conf.json' } })
    expect(await contentOf('conf.json')).toBe('{"x":1}')
    expect(skippedUnnamed).toEqual([configs[1]])
  })
})

describe('names that cannot be', () => {
  test.each(['../x', '/abs', 'a/../../x', 'C:x', '..\\x', '.', 'a\u0000b'])('%j is refused', async (title) => {
    await pushNamed({ 'fine.txt': 'fine', [title]: 'bad' }, { tag: 'v1' })
    await expect(pull()).rejects.toMatchObject({ code: 'unsafe-path' })
    expect(blobsFetched()).toBe(0)
    expect(await namesIn(folder)).toEqual([])
  })

  test.each<[string, Named, string]>([
    ['one that is a folder of the other', { 'b/c': 'one', b: 'two' }, 'unsafe-path'],
    ['one that is a folder of the other', { a: 'one', 'a/b': 'two' }, 'unsafe-path'],
  ])('%s are refused', async (_, files, code) => {
    await pushNamed(files, { tag: 'v1' })
    await expect(pull()).rejects.toMatchObject({ code })
    expect(blobsFetched()).toBe(0)
  })

  test('the same name with other content in another child is refused before anything is fetched', async () => {
    const children = [await pushNamed({ 'f.txt': 'one' }), await pushNamed({ 'f.txt': 'two' })]
    await pushIndex(store, children, { tag: 'v1' })
    await expect(pull()).rejects.toMatchObject({ code: 'conflict', message: 'f.txt: duplicate name' })
    // The manifests of the children, and nothing else.
    expect(blobsFetched()).toBe(2)
    expect(await namesIn(folder)).toEqual([])
  })

  test('a folder that is a link elsewhere is refused', async () => {
    await pushNamed({ 'out/secret.txt': 'x' }, { tag: 'v1' })
    await mkdir(out)
    await symlink(folder, join(out, 'out'))
    await expect(pull()).rejects.toMatchObject({ code: 'unsafe-path' })
    expect(await namesIn(folder)).toEqual(['out'])
  })

  test('leaving the folder can be allowed', async () => {
    await pushNamed({ '../beside.txt': 'x' }, { tag: 'v1' })
    await pull({ allowPathTraversal: true })
    expect(await readFile(join(folder, 'beside.txt'), 'utf8')).toBe('x')
  })
})

describe('a failure leaves the folder as it was', () => {
  async function fillFolder(): Promise<void> {
    await mkdir(out)
    await writeFile(join(out, 'a.txt'), 'old')
  }

  async function expectUntouched(): Promise<void> {
    expect(await namesIn()).toEqual(['a.txt'])
    expect(await contentOf('a.txt')).toBe('old')
    expect(await namesIn(folder)).toEqual(['out'])
  }

  test('when a file is there and is to be kept', async () => {
    await pushNamed({ 'a.txt': 'new', 'b.txt': 'new too' }, { tag: 'v1' })
    await fillFolder()
    await expect(pull({ keepOldFiles: true })).rejects.toMatchObject({
      code: 'already-exists',
      message: expect.stringContaining('overwrite disallowed') as string,
    })
    expect(blobsFetched()).toBe(0)
    await expectUntouched()
  })

  test('when the last file cannot be fetched', async () => {
    await pushNamed({ 'a.txt': 'new', 'b.txt': 'gone' }, { tag: 'v1' })
    await store.delete(descriptorOf('', new TextEncoder().encode('gone')))
    await fillFolder()
    const events: TransferEvent[] = []
    await expect(pull({ onEvent: (event) => void events.push(event) })).rejects.toMatchObject({
      code: 'not-found',
      side: 'source',
    })
    expect(events.filter(({ type }) => type === 'failed')).toHaveLength(1)
    await expectUntouched()
  })

  test('when content has the wrong digest, twice; once is mended', async () => {
    class LyingStore extends RecordingStore {
      lies = 0
      override async *fetch(descriptor: Descriptor, options = {}): Bytes {
        if (descriptor.size !== 4 || this.lies-- <= 0) yield* super.fetch(descriptor, options)
        else yield new TextEncoder().encode('lies')
      }
    }
    const liar = new LyingStore()
    store = liar
    await pushNamed({ 'a.txt': 'true' }, { tag: 'v1' })
    await fillFolder()
    liar.lies = 2
    await expect(pull()).rejects.toMatchObject({ code: 'digest-mismatch', side: 'source' })
    await expectUntouched()
    liar.lies = 1
    await pull()
    expect(await contentOf('a.txt')).toBe('true')
  })

  test('when it is interrupted', async () => {
    await pushNamed({ 'a.txt': 'new', 'b.txt': 'new too' }, { tag: 'v1' })
    await fillFolder()
    const controller = new AbortController()
    store.onCall = (method) => {
      if (method === 'fetch') controller.abort()
    }
    await expect(pull({ signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' })
    await expectUntouched()
  })
})

describe('a cache', () => {
  test('takes everything in, and gives it out again', async () => {
    await pushNamed({ 'a.txt': 'one', 'b.txt': 'two' }, { tag: 'v1' })
    const cache = await LayoutStore.open(join(folder, 'cache'), { create: true })
    await pull({ cache })
    expect(blobsFetched()).toBe(2)
    expect(store.callsOf('readManifest')).toHaveLength(1)
    await pull({ cache })
    expect(store.calls.map(({ method }) => method)).toEqual(['resolve'])
    expect(await contentOf('b.txt')).toBe('two')
  })

  test('that is damaged is passed by', async () => {
    await pushNamed({ 'a.txt': 'true' }, { tag: 'v1' })
    class DamagedStore extends RecordingStore {
      override async *fetch(descriptor: Descriptor, options = {}): Bytes {
        if (descriptor.size === 4) yield new TextEncoder().encode('lies')
        else yield* super.fetch(descriptor, options)
      }
    }
    const cache = new DamagedStore()
    await pull({ cache })
    expect(await contentOf('a.txt')).toBe('true')
  })

  test('does not answer for a tag', async () => {
    await pushNamed({ 'a.txt': 'one' }, { tag: 'v1' })
    const cache = new RecordingStore()
    await pull({ cache })
    await pushNamed({ 'a.txt': 'moved' }, { tag: 'v1' })
    await pull({ cache })
    expect(await contentOf('a.txt')).toBe('moved')
    store.onCall = () => {
      throw new GantryError('network-error', 'offline')
    }
    await expect(pull({ cache })).rejects.toThrow('offline')
  })
})

test('bounds on the graph hold', async () => {
  const children = await Promise.all(['a', 'b', 'c'].map((name) => pushNamed({ [name]: name })))
  await pushIndex(store, children, { tag: 'v1' })
  await expect(pull({ limits: { manifests: 3 } })).rejects.toMatchObject({ code: 'limit-exceeded' })
})
