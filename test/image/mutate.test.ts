import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { appendLayers } from '../../src/image/append.js'
import { readConfig } from '../../src/image/image.js'
import { mutate, type ImageChanges, type MutateOptions } from '../../src/image/mutate.js'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { encodeJson } from '../../src/oci/encode-json.js'
import { MediaType } from '../../src/oci/media-types.js'
import { MemoryStore } from '../../src/store/memory.js'
import { readContent } from '../../src/store/verify.js'
import { openBytes } from '../../src/util/bytes.js'
import { linux, pushArtifact, pushBlob, pushImage, pushIndex } from '../graph/sample-graph.js'
import { temporaryFolder } from '../util/temporary-folder.js'

async function pushSample(store: MemoryStore, fields: object = {}): Promise<Descriptor> {
  const config = await pushBlob(
    store,
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      'x-unknown': 1,
      config: {
        Env: ['PATH=/bin', 'A=1'],
        Cmd: ['old'],
        Entrypoint: ['sh'],
        User: 'me',
        WorkingDir: '/w',
        Labels: { a: '1', b: '2' },
        ExposedPorts: { '1/tcp': {} },
      },
      rootfs: { type: 'layers', diff_ids: [] },
    }),
    MediaType.imageConfig,
  )
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: MediaType.imageManifest,
    config,
    layers: [],
    annotations: { k: 'v', z: '1' },
    ...fields,
  })
  const descriptor = descriptorOf(MediaType.imageManifest, bytes)
  await store.push(descriptor, openBytes(bytes), { tag: 'v1' })
  return descriptor
}

async function change(changes: ImageChanges, options: MutateOptions = {}, store = new MemoryStore(), fields = {}) {
  await pushSample(store, fields)
  const sink = new MemoryStore()
  const { descriptor } = await mutate({ source: store, reference: 'v1' }, sink, changes, options)
  const manifest = JSON.parse(Buffer.from(await readContent(sink, descriptor)).toString())
  const { bytes } = await readConfig(sink, descriptor.digest)
  return { descriptor, manifest, document: JSON.parse(Buffer.from(bytes).toString()) }
}

describe('changes of one image', () => {
  test('are made, and what is not known stays', async () => {
    const { manifest, document } = await change({
      annotations: { k: 'w', new: 'x' },
      removeAnnotations: ['z'],
      labels: { b: '3', c: '' },
      removeLabels: ['a'],
      env: ['A=2', 'B=x=y'],
      removeEnv: ['PATH'],
      workdir: '/other',
      exposedPorts: ['80/tcp'],
      setPlatform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      created: '2020-01-01T00:00:00Z',
    })
    expect(manifest.annotations).toEqual({ k: 'w', new: 'x' })
    expect(document).toMatchObject({ architecture: 'arm64', variant: 'v8', created: '2020-01-01T00:00:00Z' })
    expect(document['x-unknown']).toBe(1)
    expect(document.config).toEqual({
      Cmd: ['old'],
      Entrypoint: ['sh'],
      Env: ['A=2', 'B=x=y'],
      Labels: { b: '3', c: '' },
      User: 'me',
      WorkingDir: '/other',
      ExposedPorts: { '80/tcp': {} },
    })
  })

  test('of the entrypoint clear the command, unless there is a new one', async () => {
    expect((await change({ entrypoint: ['new'] })).document.config).not.toHaveProperty('Cmd')
    expect((await change({ entrypoint: ['new'], cmd: ['c'] })).document.config).toMatchObject({ Cmd: ['c'] })
  })

  test('clear values that are empty', async () => {
    const { document } = await change({ entrypoint: [], cmd: [], user: '', workdir: '', exposedPorts: [], labels: {} })
    expect(document.config).toEqual({ Env: ['PATH=/bin', 'A=1'], Labels: { a: '1', b: '2' } })
  })

  test('keep the subject, the type and unknown fields of the manifest', async () => {
    const store = new MemoryStore()
    const subject = await pushArtifact(store)
    const { manifest } = await change({ labels: { x: 'y' } }, {}, store, {
      subject,
      artifactType: 'a/b',
      'x-field': { y: 1 },
    })
    expect(manifest).toMatchObject({ subject: { digest: subject.digest }, artifactType: 'a/b', 'x-field': { y: 1 } })
  })

  test('that are none leave every byte', async () => {
    const store = new MemoryStore()
    const { descriptor } = await change({}, { tags: ['v2'] }, store)
    expect(descriptor.digest).toBe((await store.resolve('v1')).digest)
  })

  test('refuse a variable without a value', async () => {
    await expect(change({ env: ['NAME'] })).rejects.toMatchObject({ code: 'invalid-argument' })
  })

  test('of the config of an artifact are refused, its annotations are changed', async () => {
    const store = new MemoryStore()
    const { digest } = await pushArtifact(store, { layers: ['a'] })
    const from = { source: store, reference: digest }
    await expect(mutate(from, new MemoryStore(), { labels: { a: 'b' } })).rejects.toMatchObject({ code: 'unsupported' })
    const { bytes } = await mutate(from, new MemoryStore(), { annotations: { a: 'b' } })
    expect(JSON.parse(Buffer.from(bytes).toString())).toMatchObject({ annotations: { a: 'b' } })
  })
})

describe('an index', () => {
  async function pushSampleIndex(store: MemoryStore): Promise<readonly Descriptor[]> {
    const images = [await pushImage(store, linux('amd64')), await pushImage(store, linux('arm64'))]
    await pushIndex(store, images, { tag: 'v1', annotations: { of: 'index' } })
    return images
  }

  async function childrenOf(store: MemoryStore, reference: string): Promise<readonly Descriptor[]> {
    const { bytes } = await store.readManifest(reference)
    return (JSON.parse(Buffer.from(bytes).toString()) as { manifests: Descriptor[] }).manifests
  }

  test('has all its images changed', async () => {
    const store = new MemoryStore()
    await pushSampleIndex(store)
    await mutate({ source: store, reference: 'v1' }, store, { labels: { a: 'b' } }, { tags: ['v1'], inPlace: true })
    const children = await childrenOf(store, 'v1')
    expect(children.map(({ platform }) => platform)).toEqual([linux('amd64'), linux('arm64')])
    for (const { digest } of children) {
      const { bytes } = await readConfig(store, digest)
      expect(JSON.parse(Buffer.from(bytes).toString())).toMatchObject({ config: { Labels: { a: 'b' } } })
    }
  })

  test('stays an index when one of its images changes in its place', async () => {
    const store = new MemoryStore()
    const images = await pushSampleIndex(store)
    const options = { platform: linux('arm64'), tags: ['v1'], inPlace: true }
    await mutate({ source: store, reference: 'v1' }, store, { labels: { a: 'b' } }, options)
    const children = await childrenOf(store, 'v1')
    expect(children[0]?.digest).toBe(images[0]?.digest)
    expect(children[1]?.digest).not.toBe(images[1]?.digest)
  })

  test('gives one image for a platform under another name', async () => {
    const store = new MemoryStore()
    await pushSampleIndex(store)
    const options = { platform: linux('arm64'), tags: ['v2'] }
    const { descriptor } = await mutate({ source: store, reference: 'v1' }, store, { labels: { a: 'b' } }, options)
    expect(descriptor.mediaType).toBe(MediaType.imageManifest)
    expect(await childrenOf(store, 'v1')).toHaveLength(2)
  })

  test('has no image for another platform', async () => {
    const store = new MemoryStore()
    await pushSampleIndex(store)
    const from = { source: store, reference: 'v1' }
    for (const inPlace of [true, false]) {
      await expect(mutate(from, store, {}, { platform: linux('mips'), inPlace })).rejects.toMatchObject({
        code: 'not-found',
      })
    }
  })
})

test('layers that are appended are those of append', async () => {
  const folder = temporaryFolder()
  const tar = join(folder, 'empty.tar')
  await writeFile(tar, Buffer.alloc(1024))
  const store = new MemoryStore()
  await appendLayers(store, [tar], { tags: ['v1'], temporaryFolder: folder })
  const appended = await appendLayers(store, [tar], {
    base: { source: store, reference: 'v1' },
    temporaryFolder: folder,
  })
  const mutated = await mutate(
    { source: store, reference: 'v1' },
    store,
    { append: [tar] },
    { temporaryFolder: folder },
  )
  expect(mutated.descriptor).toEqual(appended.descriptor)
})
