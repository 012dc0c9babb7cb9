import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { attach } from '../../src/artifact/attach.js'
import { pushFiles, type FileToPush, type PushFilesOptions } from '../../src/artifact/push-files.js'
import type { TransferEvent } from '../../src/graph/events.js'
import { MediaType } from '../../src/oci/media-types.js'
import { parsePlatform } from '../../src/oci/platform.js'
import { readContent } from '../../src/store/verify.js'
import { RecordingStore } from '../graph/recording-store.js'
import { linux, pushArtifact, pushImage, pushIndex } from '../graph/sample-graph.js'
import { temporaryFolder } from '../util/temporary-folder.js'

const CREATED = '2020-01-01T00:00:00Z'

let folder: string
let store: RecordingStore

beforeEach(async () => {
  folder = temporaryFolder()
  store = new RecordingStore()
  await writeFile(join(folder, 'hi.txt'), 'hello\n')
  await writeFile(join(folder, 'bye.txt'), 'bye\n')
  await writeFile(join(folder, 'cfg.json'), '{}')
})

const hi = (more: Partial<FileToPush> = {}): FileToPush => ({ path: join(folder, 'hi.txt'), name: 'hi.txt', ...more })
const bye = (): FileToPush => ({ path: join(folder, 'bye.txt'), name: 'bye.txt' })

async function push(files: readonly FileToPush[], options: PushFilesOptions = {}) {
  return pushFiles(store, files, { created: CREATED, ...options })
}

describe('manifests have the digests that oras gives them', () => {
  test.each<[string, number, PushFilesOptions, string]>([
    ['70cffe781c9f4b952374eb7c89ae2520a4f49e0e29687c997750195b1c8a33d2', 1, {}, MediaType.unknownArtifact],
    ['afb6fedde618ee5d52692d94c8dce282a0d2973fc438d2e51dfac3e1ebebc6ee', 0, { artifactType: 'test/e' }, 'test/e'],
    [
      '46a30df255bc48bce0f54c96506387d2ec103ec0872d90227114e0989423cdea',
      1,
      { artifactType: 'test/p', artifactPlatform: parsePlatform('linux/arm/v7:10.0', '') },
      'test/p',
    ],
    [
      '4a69bcfaf953ebfc13ba04b6690eb853ff5db338f3e23416778ed5905e2e5c12',
      1,
      { imageSpec: 'v1.0', artifactType: 'test/v10' },
      'test/v10',
    ],
  ])('sha256:%s', async (digest, count, options, artifactType) => {
    const result = await push([hi()].slice(0, count), { ...options, tags: ['v1'] })
    expect(result.descriptor.digest).toBe(`sha256:${digest}`)
    expect(result.artifactType).toBe(artifactType)
    expect((await store.resolve('v1')).digest).toBe(result.descriptor.digest)
    expect(Buffer.from(await readContent(store, result.descriptor))).toEqual(Buffer.from(result.bytes))
  })

  test('with a config of the caller, which makes it a manifest of the 1.0 form', async () => {
    const result = await push([hi()], {
      config: { path: join(folder, 'cfg.json'), mediaType: 'application/vnd.me.config' },
    })
    expect(result).toMatchObject({
      descriptor: { digest: 'sha256:3e355c94743aa7bde34cf0bd24bbbc74637466b409b59c4ba084cef7a9b322af' },
      artifactType: 'application/vnd.me.config',
    })
  })

  test('with two files, a media type and annotations', async () => {
    const files = [hi({ mediaType: 'text/plain' }), bye()]
    const result = await push(files, { artifactType: 'test/a', annotations: { a: 'b' }, tags: ['v1', 'v2'] })
    expect(result.descriptor).toMatchObject({
      digest: 'sha256:cbd63fca4ddb0e2849c4743831db2fe7676985712abd5fdd85fd5c97558a505d',
      size: 741,
      annotations: { a: 'b', 'org.opencontainers.image.created': CREATED },
      artifactType: 'test/a',
    })
    expect(result.tags).toEqual(['v1', 'v2'])
  })

  test('attached to another', async () => {
    const subject = await push([hi({ mediaType: 'text/plain' }), bye()], {
      artifactType: 'test/a',
      annotations: { a: 'b' },
      tags: ['v1'],
    })
    const options = { artifactType: 'doc/ex', created: CREATED }
    const file = await attach(store, 'v1', [hi()], options)
    expect(file.descriptor.digest).toBe('sha256:f7f8f7dc4bb6fa6a3552a2a19bd5c0622d766a859643eccbc4729bf616e411eb')
    expect(file.subject.digest).toBe(subject.descriptor.digest)
    const note = await attach(store, 'v1', [], { ...options, annotations: { k: 'v' } })
    expect(note.descriptor).toMatchObject({
      digest: 'sha256:6a5cd2e70aa4b4fd49ad7ecf27c916a892665f8bc479bea8246a084bda233acd',
      size: 677,
    })
    const referrers = await store.referrers(subject.descriptor)
    expect(referrers.map(({ artifactType }) => artifactType)).toEqual(['doc/ex', 'doc/ex'])
  })
})

describe('the config', () => {
  async function manifestOf(options: PushFilesOptions): Promise<{ config: unknown; artifactType?: string }> {
    const { descriptor } = await push([hi()], options)
    return JSON.parse(Buffer.from(await readContent(store, descriptor)).toString())
  }

  test('gets annotations of its own, and no title', async () => {
    const configAnnotations = { c: 'd' }
    const { config } = await manifestOf({
      config: { path: join(folder, 'bye.txt') },
      artifactType: 'a/b',
      configAnnotations,
    })
    expect(config).toEqual({
      mediaType: MediaType.unknownConfig,
      digest: expect.stringMatching(/^sha256:abc6fd595fc0/) as string,
      size: 4,
      annotations: configAnnotations,
    })
  })

  test('that is empty can have annotations too', async () => {
    const configAnnotations = { c: 'd' }
    expect(await manifestOf({ configAnnotations })).toMatchObject({
      artifactType: MediaType.unknownArtifact,
      config: { mediaType: MediaType.empty, size: 2, data: 'e30=', annotations: configAnnotations },
    })
    const old = await manifestOf({ configAnnotations, imageSpec: 'v1.0', artifactType: 'a/b' })
    expect(old).toMatchObject({ config: { mediaType: 'a/b', annotations: configAnnotations } })
    expect(old).not.toHaveProperty('artifactType')
  })

  test.each<[PushFilesOptions, string]>([
    [{ imageSpec: 'v1.1' }, 'missing artifact type for OCI image-spec v1.1 artifacts'],
    [{ imageSpec: 'v1.0', artifactType: 'a/b' }, 'takes an artifact type or a config, not both'],
    [{ artifactPlatform: linux('arm64') }, 'a config and the platform of the artifact exclude each other'],
  ])('does not go together with %j', async (options, message) => {
    await expect(push([hi()], { config: { path: join(folder, 'cfg.json') }, ...options })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining(message) as string,
    })
    expect(store.calls).toEqual([])
  })
})

describe('files', () => {
  test('are named by their path, cleaned', async () => {
    await mkdir(join(folder, 'sub'))
    const result = await push([
      { path: `${folder}/sub/../hi.txt` },
      { path: `${folder}/./bye.txt` },
      { path: `${folder}/sub/` },
    ])
    expect(result.layers.map(({ annotations }) => annotations?.['org.opencontainers.image.title'])).toEqual([
      `${folder}/hi.txt`,
      `${folder}/bye.txt`,
      `${folder}/sub`,
    ])
  })

  test('keep the title and the annotations that they are given', async () => {
    const annotations = { 'org.opencontainers.image.title': 'other.txt', x: 'y' }
    const { layers } = await push([hi({ annotations })])
    expect(layers[0]?.annotations).toEqual(annotations)
  })

  test('have to have different names', async () => {
    await expect(push([hi(), hi()])).rejects.toMatchObject({
      code: 'invalid-argument',
      message: 'hi.txt: duplicate name',
    })
  })

  test('have to have different titles, wherever those come from', async () => {
    const annotations = { 'org.opencontainers.image.title': 'hi.txt' }
    await expect(push([hi(), { ...bye(), annotations }])).rejects.toThrow('hi.txt: duplicate name')
  })

  test.each<[string, readonly string[], string]>([
    ['has control characters', ['a\nb'], '"a\\u{a}b" could not be pulled: the name has control characters'],
    ['is too long', ['x'.repeat(300)], 'could not be pulled: the name has a part longer than 255 bytes'],
    [
      'differs from another by case alone',
      ['a', 'A'],
      '"A" is a name that some systems cannot tell from "a": they could not be pulled together',
    ],
    ['is a folder of another', ['a', 'a/b'], '"a" is the parent of "a/b": they could not be pulled together'],
  ])('are refused when nobody could pull them: a name that %s', async (_what, names, message) => {
    const pushing = push(names.map((name) => hi({ name })))
    await expect(pushing).rejects.toMatchObject({ code: 'invalid-argument', message: expect.stringContaining(message) })
    expect(store.callsOf('push')).toEqual([])
  })

  test.each(['../up', '/abs', '.', ''])('may be "%s", which is pulled on request or not at all', async (name) => {
    const { layers } = await push([hi({ name })])
    expect(layers[0]?.annotations).toMatchObject({ 'org.opencontainers.image.title': name })
  })

  test('that are pulled on request alone are told of', async () => {
    const told: string[] = []
    const onUnportableNames = (path: string, names: string): void => void told.push(`${path}: ${names}`)
    await push([hi({ name: '12:00' }), bye()], { onUnportableNames })
    expect(told).toEqual([`${join(folder, 'hi.txt')}: "12:00" has a colon`])
  })

  test('with the same content move once, and each name is told about', async () => {
    await writeFile(join(folder, 'again.txt'), 'hello\n')
    const events: TransferEvent[] = []
    const again = { path: join(folder, 'again.txt'), name: 'again.txt' }
    const { layers } = await push([hi(), again], { onEvent: (event) => void events.push(event) })
    expect(layers[0]?.digest).toBe(layers[1]?.digest)
    expect(store.callsOf('push').filter((digest) => digest === layers[0]?.digest)).toHaveLength(1)
    expect(events).toContainEqual({ type: 'finished', descriptor: layers[0] })
    expect(events).toContainEqual({ type: 'restored', descriptor: layers[1] })
  })

  test('are announced in their order', async () => {
    const paths: string[] = []
    await push([hi(), bye()], { onFile: (path) => void paths.push(path) })
    expect(paths).toEqual([join(folder, 'hi.txt'), join(folder, 'bye.txt')])
  })

  test('that are folders become one packed layer, the same each time', async () => {
    await mkdir(join(folder, 'd'))
    await writeFile(join(folder, 'd', 'file'), 'content')
    await symlink('file', join(folder, 'd', 'link'))
    const files = [{ path: join(folder, 'd'), name: 'd' }]
    const first = await push(files)
    expect(first.layers[0]).toMatchObject({
      mediaType: MediaType.imageLayerGzip,
      annotations: { 'org.opencontainers.image.title': 'd', 'io.deis.oras.content.unpack': 'true' },
    })
    await writeFile(join(folder, 'd', 'file'), 'content')
    expect((await push(files)).descriptor).toEqual(first.descriptor)
  })

  test('that are missing are an error, and nothing is pushed', async () => {
    const path = join(folder, 'nosuch.txt')
    await expect(push([hi(), { path }])).rejects.toMatchObject({
      code: 'file-error',
      message: `stat ${path}: no such file or directory`,
    })
    expect(store.calls).toEqual([])
  })

  test('that change before they are sent are an error, and there is no manifest', async () => {
    store.onCall = async (method) => {
      if (method === 'has') await writeFile(join(folder, 'hi.txt'), 'other!')
    }
    await expect(push([hi()], { tags: ['v1'] })).rejects.toMatchObject({ code: 'conflict', side: 'source' })
    await expect(store.resolve('v1')).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('pushing', () => {
  test('again moves nothing', async () => {
    await push([hi(), bye()], { tags: ['v1'] })
    store.calls.length = 0
    await push([hi(), bye()], { tags: ['v1'] })
    expect(store.calls.map(({ method }) => method).sort()).toEqual(['has', 'resolve'])
    await push([hi(), bye()], { tags: ['v1'], force: true })
    expect(store.callsOf('push')).toHaveLength(1)
  })

  test('checks the digest that is wanted before anything moves', async () => {
    const { descriptor } = await pushFiles(new RecordingStore(), [hi()], { created: CREATED })
    await expect(push([bye()], { digest: descriptor.digest })).rejects.toMatchObject({ code: 'digest-mismatch' })
    expect(store.calls).toEqual([])
    expect((await push([hi()], { digest: descriptor.digest })).descriptor.digest).toBe(descriptor.digest)
  })

  test('adds no time by itself, and keeps the one that is given', async () => {
    const created = 'org.opencontainers.image.created'
    expect((await pushFiles(store, [hi()])).descriptor.annotations).toBeUndefined()
    const annotations = { [created]: '1999-12-31T23:59:59Z' }
    expect((await push([hi()], { annotations })).descriptor.annotations).toEqual(annotations)
    await expect(push([hi()], { annotations: { [created]: 'notadate' } })).rejects.toThrow('invalid date and time')
  })
})

describe('attach', () => {
  const options = { artifactType: 'doc/ex', created: CREATED }

  test('does not move or mention the subject', async () => {
    const subject = await pushArtifact(store, { layers: ['subject'], tag: 'v1' })
    store.calls.length = 0
    const events: TransferEvent[] = []
    await attach(store, 'v1', [hi()], { ...options, onEvent: (event) => void events.push(event) })
    expect(store.calls.some(({ method, what }) => method !== 'resolve' && what.startsWith(subject.digest))).toBe(false)
    expect(events.some((event) => 'descriptor' in event && event.descriptor.digest === subject.digest)).toBe(false)
  })

  test('can choose the child of an index', async () => {
    const images = [await pushImage(store, linux('amd64')), await pushImage(store, linux('arm64'))]
    await pushIndex(store, images, { tag: 'index' })
    const { subject } = await attach(store, 'index', [hi()], { ...options, platform: linux('arm64') })
    const { mediaType, digest, size } = images[1]!
    expect(subject).toEqual({ mediaType, digest, size })
    expect(await store.referrers(subject)).toHaveLength(1)
  })

  test('needs a subject, and something to attach', async () => {
    await expect(attach(store, 'v1', [hi()], options)).rejects.toMatchObject({ code: 'not-found' })
    await pushArtifact(store, { tag: 'v1' })
    await expect(attach(store, 'v1', [], options)).rejects.toMatchObject({
      code: 'invalid-argument',
      message: 'neither file nor annotation provided',
    })
    await expect(attach(store, 'v1', [hi()], { artifactType: 'bad' })).rejects.toThrow('invalid artifactType format')
  })
})
