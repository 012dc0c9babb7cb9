import { beforeEach, describe, expect, test } from 'vitest'
import { pushManifest } from '../../src/artifact/push-manifest.js'
import { GantryError } from '../../src/errors.js'
import { copy, copyGraph } from '../../src/graph/copy.js'
import type { TransferEvent } from '../../src/graph/events.js'
import { planCopy } from '../../src/graph/plan-copy.js'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { encodeJson } from '../../src/oci/encode-json.js'
import { MediaType } from '../../src/oci/media-types.js'
import { EMPTY_DESCRIPTOR } from '../../src/oci/pack.js'
import { readContent } from '../../src/store/verify.js'
import { delay } from '../../src/util/abort.js'
import { openBytes, type Bytes } from '../../src/util/bytes.js'
import { RecordingStore } from './recording-store.js'
import { linux, pushArtifact, pushBlob, pushImage, pushIndex } from './sample-graph.js'

let source: RecordingStore
let sink: RecordingStore

beforeEach(() => {
  source = new RecordingStore()
  sink = new RecordingStore()
})

/** Forgets what building the graph has noted. */
function forget(...stores: RecordingStore[]): void {
  for (const store of stores) store.calls.length = 0
}

function pushedDigests(store: RecordingStore): string[] {
  return store.callsOf('push').map((what) => what.split(' ')[0]!)
}

async function digestAt(store: RecordingStore, reference: string): Promise<string> {
  return (await store.resolve(reference)).digest
}

describe('copy', () => {
  test('moves everything that a manifest names, and tags it in the step that brings it', async () => {
    const root = await pushArtifact(source, { layers: ['one', 'two'], tag: 'v1' })
    forget(source)
    const result = await copy(source, 'v1', sink, { tags: ['v1'] })
    expect(result).toMatchObject({
      tags: ['v1'],
      referrers: 0,
      copied: { nodes: 4 },
      mounted: { nodes: 0, bytes: 0 },
      existing: { nodes: 0 },
      skipped: [],
    })
    expect(result.descriptor.digest).toBe(root.digest)
    expect(sink.calls.at(-1)).toEqual({ method: 'push', what: `${root.digest} v1` })
    expect(sink.callsOf('tag')).toEqual([])
    expect(await digestAt(sink, 'v1')).toBe(root.digest)
    // One request for the manifest, one for each blob.
    expect(source.calls.map(({ method }) => method).sort()).toEqual(['fetch', 'fetch', 'fetch', 'readManifest'])
  })

  test('asks the sink about its tags while the root is on its way', async () => {
    await pushArtifact(source, { tag: 'v1' })
    let isAsked = false
    source.onCall = async (method) => {
      if (method !== 'readManifest') return
      await expect.poll(() => sink.callsOf('resolve')).toEqual(['v1', 'v2'])
      isAsked = true
    }
    await copy(source, 'v1', sink, { tags: ['v1', 'v2'] })
    expect(isAsked).toBe(true)
  })

  test('does not wait for the sink when there is no root', async () => {
    let isGivenUp = false
    sink.resolve = async (_reference, { signal } = {}) => {
      await delay(60_000, signal).finally(() => (isGivenUp = true))
      throw new Error('this comes too late')
    }
    await expect(copy(source, 'v1', sink, { tags: ['v1'] })).rejects.toMatchObject({
      code: 'not-found',
      side: 'source',
    })
    expect(isGivenUp).toBe(true)
  })

  test('leaves the manifest without a tag when none is given', async () => {
    const root = await pushArtifact(source, { tag: 'v1' })
    await copy(source, root.digest, sink)
    expect(await digestAt(sink, root.digest)).toBe(root.digest)
    const tags: string[] = []
    for await (const tag of sink.tags()) tags.push(tag)
    expect(tags).toEqual([])
  })

  test('sets several tags, each once', async () => {
    const root = await pushArtifact(source, { tag: 'v1' })
    const events: TransferEvent[] = []
    const result = await copy(source, 'v1', sink, {
      tags: ['a', 'b', 'c', 'a'],
      onEvent: (event) => void events.push(event),
    })
    expect(result.tags).toEqual(['a', 'b', 'c'])
    expect(pushedDigests(sink).filter((digest) => digest === root.digest)).toHaveLength(1)
    expect([...sink.callsOf('tag')].sort()).toEqual([`${root.digest} b`, `${root.digest} c`])
    expect(events.filter(({ type }) => type === 'tagged')).toHaveLength(3)
  })

  test('asks nothing about what is below a manifest that is there', async () => {
    const root = await pushArtifact(source, { layers: ['one'], tag: 'v1' })
    await copy(source, 'v1', sink, { tags: ['v1'] })
    forget(source, sink)
    const result = await copy(source, 'v1', sink, { tags: ['v1'] })
    expect(result).toMatchObject({ copied: { nodes: 0 }, existing: { nodes: 1 } })
    expect(source.calls).toEqual([{ method: 'readManifest', what: 'v1' }])
    // A tag that points there already is not written again: it may be immutable.
    expect(sink.calls.map(({ method }) => method).sort()).toEqual(['has', 'resolve'])
    expect(sink.callsOf('has')).toEqual([root.digest])
  })

  test('gives a manifest that is there a new tag without fetching it back', async () => {
    const root = await pushArtifact(source, { tag: 'v1' })
    await copy(source, 'v1', sink)
    forget(sink)
    await copy(source, 'v1', sink, { tags: ['v2'] })
    expect(sink.callsOf('push')).toEqual([`${root.digest} v2`])
    expect(sink.callsOf('fetch')).toEqual([])
  })

  test('moves a blob that several manifests share once', async () => {
    const children = await Promise.all(
      ['a', 'b', 'c'].map((name) => pushArtifact(source, { layers: ['shared', name], annotations: { name } })),
    )
    await pushIndex(source, children, { tag: 'v1' })
    forget(source)
    await copy(source, 'v1', sink)
    const shared = descriptorOf(MediaType.imageLayer, new TextEncoder().encode('shared'))
    for (const { digest } of [shared, EMPTY_DESCRIPTOR]) {
      expect(sink.callsOf('has').filter((what) => what === digest)).toHaveLength(1)
      expect(source.callsOf('fetch').filter((what) => what === digest)).toHaveLength(1)
    }
  })

  test('pushes what a manifest names before it', async () => {
    const child = await pushArtifact(source, { layers: ['one', 'two'] })
    const nested = await pushIndex(source, [child])
    const root = await pushIndex(source, [nested, await pushArtifact(source, { layers: ['three'] })], { tag: 'v1' })
    await copy(source, 'v1', sink, { tags: ['v1'] })
    const order = pushedDigests(sink)
    expect(order.indexOf(child.digest)).toBeLessThan(order.indexOf(nested.digest))
    expect(order.indexOf(nested.digest)).toBeLessThan(order.indexOf(root.digest))
    expect(order.at(-1)).toBe(root.digest)
    expect(sink.callsOf('push').filter((what) => what.includes(' '))).toEqual([`${root.digest} v1`])
  })

  test('asks the sink about many nodes at once', async () => {
    await pushArtifact(source, { layers: Array.from({ length: 40 }, (_, index) => `layer ${index}`), tag: 'v1' })
    await copy(source, 'v1', sink)
    expect(sink.mostAtOnce).toBeGreaterThan(30)
    const slow = new RecordingStore()
    await copy(source, 'v1', slow, { concurrency: 3 })
    expect(slow.mostAtOnce).toBe(3)
  })

  test('moves only what is missing after a failure', async () => {
    const root = await pushArtifact(source, { layers: ['one', 'two', 'three'], tag: 'v1' })
    let pushes = 0
    sink.onCall = (method) => {
      if (method === 'push' && ++pushes === 3) throw new GantryError('network-error', 'the cable was pulled')
    }
    const events: TransferEvent[] = []
    await expect(
      copy(source, 'v1', sink, { concurrency: 1, tags: ['v1'], onEvent: (event) => void events.push(event) }),
    ).rejects.toMatchObject({ code: 'network-error', side: 'destination' })
    expect(events.filter(({ type }) => type === 'failed')).toHaveLength(1)
    expect(pushes).toBe(3)
    await expect(sink.resolve(root.digest)).rejects.toMatchObject({ code: 'not-found' })
    sink.onCall = undefined
    const result = await copy(source, 'v1', sink, { tags: ['v1'] })
    expect(result).toMatchObject({ copied: { nodes: 3 }, existing: { nodes: 2 } })
  })

  test('with force pushes every manifest again, and fills in what is missing', async () => {
    const child = await pushArtifact(source, { layers: ['one', 'two'] })
    await pushIndex(source, [child], { tag: 'v1' })
    await copy(source, 'v1', sink, { tags: ['v1'] })
    await sink.delete(descriptorOf(MediaType.imageLayer, new TextEncoder().encode('one')))
    forget(sink)
    expect(await copy(source, 'v1', sink, { tags: ['v1'] })).toMatchObject({ copied: { nodes: 0 } })
    expect(await copy(source, 'v1', sink, { tags: ['v1'], force: true })).toMatchObject({
      copied: { nodes: 3 },
      existing: { nodes: 2 },
    })
  })

  test('tells what it does as it goes', async () => {
    const root = await pushArtifact(source, { layers: ['one'], tag: 'v1' })
    await sink.push(EMPTY_DESCRIPTOR, openBytes(new TextEncoder().encode('{}')))
    const events: TransferEvent[] = []
    await copy(source, 'v1', sink, { tags: ['v1'], onEvent: (event) => void events.push(event) })
    const planned = events.filter((event) => event.type === 'planned')
    expect(planned.at(-1)).toMatchObject({ nodes: 2, bytes: root.size + 3 })
    const ofRoot = events.filter((event) => 'descriptor' in event && event.descriptor.digest === root.digest)
    expect(ofRoot.map(({ type }) => type)).toEqual(['started', 'progress', 'finished', 'tagged'])
    expect(events).toContainEqual({ type: 'exists', descriptor: EMPTY_DESCRIPTOR, subgraph: false })
    expect(ofRoot[1]).toMatchObject({ type: 'progress', offset: root.size })
  })

  test('copies the withdrawn artifact manifests with their blobs', async () => {
    const blob = await pushBlob(source, 'signature', 'application/octet-stream')
    const bytes = encodeJson({ mediaType: MediaType.artifactManifest, artifactType: 'a/b', blobs: [blob] })
    const root = descriptorOf(MediaType.artifactManifest, bytes)
    await source.push(root, openBytes(bytes), { tag: 'v1' })
    await copy(source, 'v1', sink)
    expect(pushedDigests(sink)).toEqual([blob.digest, root.digest])
  })

  test('copies a single blob', async () => {
    const blob = await pushBlob(source, 'content')
    expect(await copyGraph(source, sink, blob)).toMatchObject({ descriptor: blob, copied: { nodes: 1, bytes: 7 } })
    expect(await sink.has(blob)).toBe(true)
  })

  test('says which side failed', async () => {
    await expect(copy(source, 'missing', sink)).rejects.toMatchObject({ code: 'not-found', side: 'source' })
    const root = await pushArtifact(source, { layers: ['one'], tag: 'v1' })
    const failAt = (wanted: string) => (method: string) => {
      if (method === wanted) throw new GantryError('network-error', `${wanted} failed`)
    }
    for (const [store, method, side] of [
      [sink, 'has', 'destination'],
      [sink, 'push', 'destination'],
      [source, 'fetch', 'source'],
    ] as const) {
      store.onCall = failAt(method)
      await expect(copy(source, 'v1', sink)).rejects.toMatchObject({ message: `${method} failed`, side })
      store.onCall = undefined
    }
    expect(root.digest).toBeDefined()
  })

  test('stops when the signal fires', async () => {
    await pushArtifact(source, { layers: ['one', 'two', 'three'], tag: 'v1' })
    const controller = new AbortController()
    sink.onCall = (method) => {
      if (method === 'push') controller.abort()
    }
    await expect(copy(source, 'v1', sink, { concurrency: 1, signal: controller.signal })).rejects.toMatchObject({
      code: 'aborted',
      side: undefined,
    })
    expect(sink.callsOf('push')).toHaveLength(1)
  })

  test('a plan writes nothing', async () => {
    const root = await pushArtifact(source, { layers: ['one', 'two'], tag: 'v1' })
    await pushBlob(sink, 'one')
    forget(sink)
    const plan = await planCopy(source, 'v1', sink, { tags: ['v1', 'v2'] })
    expect(plan).toMatchObject({ nodesToMove: 3, bytesToMove: root.size + 5, referrers: 0 })
    expect(plan.nodes.map(({ action }) => action)).toEqual(['move', 'exists', 'move', 'move'])
    expect(plan.tags).toEqual(['v1', 'v2'].map((tag) => ({ tag, descriptor: plan.root, isNew: true })))
    expect(new Set(sink.calls.map(({ method }) => method))).toEqual(new Set(['has', 'resolve']))
  })
})

test('a plan tells what a tag points at now', async () => {
  const old = await pushArtifact(sink, { layers: ['old'], tag: 'v1' })
  const root = await pushArtifact(source, { layers: ['new'], tag: 'v1' })
  const { tags } = await planCopy(source, 'v1', sink, { tags: ['v1'] })
  expect(tags).toMatchObject([{ current: { digest: old.digest }, descriptor: { digest: root.digest }, isNew: true }])
})

describe('a layer that is not to be distributed', () => {
  async function pushForeign(): Promise<Descriptor> {
    const config = await pushBlob(source, '{}', MediaType.dockerConfig)
    const layer = await pushBlob(source, 'windows', MediaType.dockerForeignLayer)
    const bytes = encodeJson({ schemaVersion: 2, mediaType: MediaType.dockerManifest, config, layers: [layer] })
    await source.push(descriptorOf(MediaType.dockerManifest, bytes), openBytes(bytes), { tag: 'v1' })
    return layer
  }

  test('stays where it is', async () => {
    const layer = await pushForeign()
    const events: TransferEvent[] = []
    const result = await copy(source, 'v1', sink, { onEvent: (event) => void events.push(event) })
    expect(result).toMatchObject({
      copied: { nodes: 2 },
      skipped: [{ descriptor: layer, reason: 'it is not to be distributed' }],
    })
    expect(events.filter(({ type }) => type === 'skipped')).toHaveLength(1)
    expect(await sink.has(layer)).toBe(false)
  })

  test('moves when it is asked for', async () => {
    const layer = await pushForeign()
    await copy(source, 'v1', sink, { nonDistributable: true })
    expect(await sink.has(layer)).toBe(true)
  })
})

describe('platforms', () => {
  async function pushMultiArch(): Promise<{ images: Descriptor[]; index: Descriptor }> {
    const images = await Promise.all(['amd64', 'arm64', 's390x'].map((name) => pushImage(source, linux(name))))
    const index = await pushIndex(source, images, { tag: 'v1', annotations: { a: 'b' }, custom: [1, { deep: true }] })
    return { images, index }
  }

  test('one: its manifest becomes the root', async () => {
    const { images } = await pushMultiArch()
    const result = await copy(source, 'v1', sink, { platforms: [linux('arm64')], tags: ['arm'] })
    expect(result.descriptor.digest).toBe(images[1]?.digest)
    expect(await digestAt(sink, 'arm')).toBe(images[1]?.digest)
    expect(result.copied.nodes).toBe(3)
  })

  test('several: a new index with only those, and nothing else lost', async () => {
    const { images, index } = await pushMultiArch()
    const result = await copy(source, 'v1', sink, { platforms: [linux('s390x'), linux('amd64')], tags: ['two'] })
    expect(result.descriptor.digest).not.toBe(index.digest)
    expect(JSON.parse(Buffer.from(await readContent(sink, result.descriptor)).toString())).toEqual({
      schemaVersion: 2,
      mediaType: MediaType.imageIndex,
      manifests: [images[0], images[2]],
      annotations: { a: 'b' },
      custom: [1, { deep: true }],
    })
    expect(await sink.has(images[1]!)).toBe(false)
    // The new index is what is tagged, and it is complete.
    expect(await digestAt(sink, 'two')).toBe(result.descriptor.digest)
    expect(await sink.has(images[0]!)).toBe(true)
  })

  test('all of them: the index stays as it is', async () => {
    const { index } = await pushMultiArch()
    const platforms = ['amd64', 'arm64', 's390x'].map(linux)
    expect((await copy(source, 'v1', sink, { platforms })).descriptor.digest).toBe(index.digest)
    const { bytes } = await source.readManifest('v1')
    const indented = Buffer.from(JSON.stringify(JSON.parse(Buffer.from(bytes).toString()), undefined, 3))
    await source.push(descriptorOf(MediaType.imageIndex, indented), openBytes(indented), { tag: 'indented' })
    expect((await copy(source, 'indented', sink, { platforms })).descriptor.size).toBe(indented.byteLength)
  })

  test('keeps the attestations of what is kept', async () => {
    const images = await Promise.all(['amd64', 'arm64', 's390x'].map((name) => pushImage(source, linux(name))))
    const attestations = await Promise.all(
      images.map(async ({ digest }) => ({
        ...(await pushArtifact(source, { layers: [`about ${digest}`] })),
        platform: linux('unknown'),
        annotations: { 'vnd.docker.reference.digest': digest },
      })),
    )
    await pushIndex(source, [...images, ...attestations], { tag: 'v1' })
    const { descriptor: restricted } = await copy(source, 'v1', sink, { platforms: [linux('amd64'), linux('arm64')] })
    const index = JSON.parse(Buffer.from(await readContent(sink, restricted)).toString())
    expect(index.manifests.map(({ digest }: Descriptor) => digest)).toEqual(
      [images[0], images[1], attestations[0], attestations[1]].map((descriptor) => descriptor?.digest),
    )
  })

  test.each([[[linux('mips')]], [[linux('amd64'), linux('mips')]]])(
    'no child for one: not found',
    async (platforms) => {
      await pushMultiArch()
      await expect(copy(source, 'v1', sink, { platforms })).rejects.toMatchObject({
        code: 'not-found',
        side: 'source',
        message: expect.stringContaining('no matching manifest was found in the manifest list') as string,
        hint: 'no child is for linux/mips',
      })
      expect(sink.calls).toEqual([])
    },
  )

  test('a manifest that is no index has to be for one of them', async () => {
    const image = await pushImage(source, linux('arm64'))
    const platforms = [linux('amd64'), linux('arm64')]
    expect((await copy(source, image.digest, sink, { platforms })).descriptor.digest).toBe(image.digest)
    await expect(copy(source, image.digest, sink, { platforms: [linux('amd64')] })).rejects.toThrow(
      'platform in manifest does not match target platform',
    )
  })
})

describe('trouble with the content', () => {
  /** A source that sends wrong bytes of the right length, the first `times` times. */
  class LyingStore extends RecordingStore {
    readonly noCache: boolean[] = []
    constructor(
      readonly digest: string,
      private times: number,
    ) {
      super()
    }
    override async *fetch(descriptor: Descriptor, options?: { noCache?: boolean }): Bytes {
      if (descriptor.digest !== this.digest) return yield* super.fetch(descriptor, options)
      this.noCache.push(options?.noCache === true)
      if (this.times-- <= 0) return yield* super.fetch(descriptor, options)
      yield new Uint8Array(descriptor.size)
    }
  }

  const layer = descriptorOf(MediaType.imageLayer, new TextEncoder().encode('one'))

  test('a wrong digest is asked for once more, past every cache', async () => {
    const liar = new LyingStore(layer.digest, 1)
    await pushArtifact(liar, { layers: ['one'], tag: 'v1' })
    const events: TransferEvent[] = []
    await copy(liar, 'v1', sink, { onEvent: (event) => void events.push(event) })
    expect(liar.noCache).toEqual([false, true])
    expect(await sink.has(layer)).toBe(true)
    const ofLayer = events.filter((event) => 'descriptor' in event && event.descriptor.digest === layer.digest)
    expect(ofLayer.filter(({ type }) => type !== 'progress').map(({ type }) => type)).toEqual(['started', 'finished'])
  })

  test('a second wrong digest is the error, and the source is to blame', async () => {
    const liar = new LyingStore(layer.digest, 2)
    await pushArtifact(liar, { layers: ['one'], tag: 'v1' })
    await expect(copy(liar, 'v1', sink, { tags: ['v1'] })).rejects.toMatchObject({
      code: 'digest-mismatch',
      side: 'source',
    })
    expect(liar.noCache).toEqual([false, true])
    expect(await sink.has(layer)).toBe(false)
    await expect(sink.resolve('v1')).rejects.toThrow('not found')
  })

  test('a manifest with a wrong digest is never read', async () => {
    const child = await pushArtifact(source, { layers: ['one'] })
    const liar = new LyingStore(child.digest, 9)
    await pushArtifact(liar, { layers: ['one'] })
    await pushIndex(liar, [child], { tag: 'v1' })
    await expect(copy(liar, 'v1', sink)).rejects.toMatchObject({ code: 'digest-mismatch', side: 'source' })
    expect(sink.callsOf('push')).toEqual([])
  })

  test('an ambiguous child is refused before anything moves', async () => {
    const layer = await pushBlob(source, 'one')
    const bytes = encodeJson({ schemaVersion: 2, config: EMPTY_DESCRIPTOR, layers: [layer], manifests: [] })
    const child = descriptorOf(MediaType.imageManifest, bytes)
    class RawStore extends RecordingStore {
      override async *fetch(descriptor: Descriptor): Bytes {
        if (descriptor.digest === child.digest) yield bytes
        else yield* super.fetch(descriptor)
      }
    }
    const raw = new RawStore()
    await pushIndex(raw, [child], { tag: 'v1' })
    await expect(copy(raw, 'v1', sink)).rejects.toMatchObject({ code: 'ambiguous-manifest', side: 'source' })
    expect(sink.callsOf('push')).toEqual([])
  })
})

describe('the digest that the destination names', () => {
  test('has to be that of the root, or nothing is written', async () => {
    const root = await pushArtifact(source, { layers: ['one'], tag: 'v1' })
    const other = descriptorOf('text/plain', Buffer.from('other')).digest
    await expect(copy(source, 'v1', sink, { digest: other, tags: ['prod'] })).rejects.toMatchObject({
      code: 'conflict',
      side: 'destination',
      message: expect.stringContaining(root.digest),
    })
    expect(sink.callsOf('push')).toEqual([])
    await copy(source, 'v1', sink, { digest: root.digest, tags: ['prod'] })
    expect(await digestAt(sink, 'prod')).toBe(root.digest)
  })

  test('is that of the selected platform', async () => {
    const child = await pushImage(source, linux('amd64'))
    const index = await pushIndex(source, [child], { tag: 'v1' })
    const options = { platforms: [linux('amd64')] }
    await expect(copy(source, 'v1', sink, { ...options, digest: index.digest })).rejects.toMatchObject({
      code: 'conflict',
    })
    expect((await copy(source, 'v1', sink, { ...options, digest: child.digest })).descriptor.digest).toBe(child.digest)
  })
})

describe('a manifest of an unknown type', () => {
  const push = async (document: unknown, mediaType: string): Promise<Descriptor> => {
    const bytes = encodeJson(document)
    const descriptor = descriptorOf(mediaType, bytes)
    await pushManifest(source, { descriptor, bytes }, { tags: ['v1'] })
    return descriptor
  }

  test('is copied with its parts when its fields name them', async () => {
    const layer = await pushBlob(source, 'a layer')
    const root = await push({ config: layer, layers: [layer] }, 'application/vnd.test.manifest.v1+jsn')
    await copy(source, 'v1', sink, { tags: ['v1'] })
    expect(await sink.has(layer)).toBe(true)
    expect((await sink.readManifest('v1')).descriptor).toMatchObject({ mediaType: root.mediaType, digest: root.digest })
  })

  test('is copied as a referrer', async () => {
    const subject = await pushArtifact(source, { tag: 'v1' })
    const layer = await pushBlob(source, 'a layer')
    const bytes = encodeJson({ config: layer, layers: [], subject })
    const referrer = descriptorOf('application/vnd.test.manifest.v1+jsn', bytes)
    await pushManifest(source, { descriptor: referrer, bytes })
    await copy(source, 'v1', sink, { tags: ['v1'], referrers: true })
    expect((await sink.referrers(subject)).map(({ digest }) => digest)).toEqual([referrer.digest])
    expect((await sink.readManifest(referrer.digest)).descriptor.mediaType).toBe(referrer.mediaType)
  })

  test('is refused in words when it does not say what it is made of', async () => {
    await push({ content: 'x' }, 'application/json')
    await expect(copy(source, 'v1', sink, { tags: ['v1'] })).rejects.toMatchObject({
      code: 'unsupported',
      side: 'source',
      message: expect.stringContaining('cannot tell what manifest'),
    })
    expect(sink.callsOf('push')).toEqual([])
  })
})
