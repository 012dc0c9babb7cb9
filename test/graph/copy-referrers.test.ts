import { beforeEach, describe, expect, test } from 'vitest'
import { GantryError } from '../../src/errors.js'
import { copy } from '../../src/graph/copy.js'
import { discover, type ReferrerNode } from '../../src/graph/discover.js'
import type { TransferEvent } from '../../src/graph/events.js'
import type { Descriptor } from '../../src/oci/descriptor.js'
import type { Digest } from '../../src/oci/digest.js'
import { EMPTY_DESCRIPTOR } from '../../src/oci/pack.js'
import type { PushOptions, ReferrerOptions, TagListOptions } from '../../src/store/store.js'
import { delay } from '../../src/util/abort.js'
import type { OpenContent } from '../../src/util/bytes.js'
import { RecordingStore } from './recording-store.js'
import { linux, pushArtifact, pushBlob, pushImage, pushIndex } from './sample-graph.js'

/** A store whose lists of referrers can say what they like. */
class ClaimingStore extends RecordingStore {
  readonly claims = new Map<Digest, readonly Descriptor[]>()

  override async referrers(subject: Descriptor, options?: ReferrerOptions): Promise<readonly Descriptor[]> {
    return [...(await super.referrers(subject, options)), ...(this.claims.get(subject.digest) ?? [])]
  }
}

let source: ClaimingStore
let sink: RecordingStore

beforeEach(() => {
  source = new ClaimingStore()
  sink = new RecordingStore()
})

function forget(...stores: RecordingStore[]): void {
  for (const store of stores) store.calls.length = 0
}

interface Supply {
  readonly image: Descriptor
  readonly signature: Descriptor
  readonly sbom: Descriptor
  readonly sbomSignature: Descriptor
}

async function pushSupplyChain(): Promise<Supply> {
  const image = await pushArtifact(source, { layers: ['image'], tag: 'v1' })
  const signature = await pushArtifact(source, { layers: ['sig'], artifactType: 'test/signature', subject: image })
  const sbom = await pushArtifact(source, { layers: ['sbom'], artifactType: 'test/sbom', subject: image })
  const sbomSignature = await pushArtifact(source, { layers: ['ss'], artifactType: 'test/signature', subject: sbom })
  return { image, signature, sbom, sbomSignature }
}

function shapeOf({ descriptor, referrers }: ReferrerNode): unknown {
  return { [descriptor.digest]: referrers.map(shapeOf) }
}

async function treeAt(store: RecordingStore, subject: Descriptor): Promise<unknown> {
  return shapeOf((await discover(store, subject)).root)
}

describe('copy with referrers', () => {
  test('copies the whole tree, with the tag last', async () => {
    const { image } = await pushSupplyChain()
    const result = await copy(source, 'v1', sink, { referrers: true, tags: ['v1', 'v2'] })
    expect(result).toMatchObject({ referrers: 3, copied: { nodes: 9 }, tags: ['v1', 'v2'], digestTags: [] })
    expect(await treeAt(sink, image)).toEqual(await treeAt(source, image))
    const writes = sink.calls.filter(({ method }) => method === 'push' || method === 'tag')
    expect(writes.slice(-2)).toEqual([
      { method: 'tag', what: `${image.digest} v1` },
      { method: 'tag', what: `${image.digest} v2` },
    ])
    // Nothing was tagged before everything was there, and a subject comes before what refers to it.
    expect(writes.slice(0, -2).every(({ method, what }) => method === 'push' && !what.includes(' '))).toBe(true)
    expect(writes.findIndex(({ what }) => what === image.digest)).toBeLessThan(
      writes.findIndex(({ what }) => what === result.descriptor.digest) + 1,
    )
  })

  test('tags in one step when nothing refers to the root', async () => {
    const image = await pushArtifact(source, { layers: ['image'], tag: 'v1' })
    await copy(source, 'v1', sink, { referrers: true, tags: ['v1'] })
    expect(sink.calls.at(-1)).toEqual({ method: 'push', what: `${image.digest} v1` })
  })

  test('does not follow referrers unless asked to', async () => {
    await pushSupplyChain()
    const result = await copy(source, 'v1', sink)
    expect(result).toMatchObject({ referrers: 0, copied: { nodes: 3 } })
    expect(source.callsOf('referrers')).toEqual([])
  })

  test('copies the referrers of the children of an index', async () => {
    const images = [await pushImage(source, linux('amd64')), await pushImage(source, linux('arm64'))]
    const nested = await pushIndex(source, [images[1]!])
    const index = await pushIndex(source, [images[0]!, nested], { tag: 'v1' })
    const referrers = await Promise.all(
      [...images, nested, index].map((subject, at) =>
        pushArtifact(source, { subject, annotations: { at: String(at) } }),
      ),
    )
    const result = await copy(source, 'v1', sink, { referrers: true, tags: ['v1'] })
    expect(result.referrers).toBe(4)
    for (const referrer of referrers) expect(await sink.has(referrer)).toBe(true)
  })

  test('finds referrers that came after the subject was copied, and moves only them', async () => {
    const { image, sbom } = await pushSupplyChain()
    await copy(source, 'v1', sink, { tags: ['v1'] })
    const first = await copy(source, 'v1', sink, { referrers: true, tags: ['v1'] })
    expect(first).toMatchObject({ referrers: 3, copied: { nodes: 6 } })
    const late = await pushArtifact(source, { layers: ['late'], subject: sbom })
    forget(source, sink)
    const second = await copy(source, 'v1', sink, { referrers: true, tags: ['v1'] })
    expect(second).toMatchObject({ referrers: 4, copied: { nodes: 2 } })
    expect(await sink.has(late)).toBe(true)
    expect(await treeAt(sink, image)).toEqual(await treeAt(source, image))
    // Of what is there, not even the manifest is fetched.
    expect(source.callsOf('fetch')).toHaveLength(2)
    expect(sink.callsOf('push').every((what) => !what.includes('v1'))).toBe(true)
  })

  test('finds the referrers of the children of an index that is there already', async () => {
    const image = await pushImage(source, linux('amd64'))
    await pushIndex(source, [image], { tag: 'v1' })
    await copy(source, 'v1', sink, { tags: ['v1'] })
    const signature = await pushArtifact(source, { subject: image })
    expect(await copy(source, 'v1', sink, { referrers: true, tags: ['v1'] })).toMatchObject({ referrers: 1 })
    expect(await sink.has(signature)).toBe(true)
  })

  test('goes on where an interrupted copy stopped', async () => {
    const { image } = await pushSupplyChain()
    let pushes = 0
    sink.onCall = (method) => {
      if (method === 'push' && ++pushes === 5) throw new GantryError('network-error', 'gone')
    }
    await expect(copy(source, 'v1', sink, { referrers: true, tags: ['v1'], concurrency: 1 })).rejects.toThrow('gone')
    await expect(sink.resolve('v1')).rejects.toMatchObject({ code: 'not-found' })
    sink.onCall = undefined
    const result = await copy(source, 'v1', sink, { referrers: true, tags: ['v1'] })
    expect(result.copied.nodes).toBe(9 - 4)
    expect(await treeAt(sink, image)).toEqual(await treeAt(source, image))
  })

  test('asks for the lists of a level side by side, and for each once', async () => {
    const image = await pushArtifact(source, { tag: 'v1' })
    for (let at = 0; at < 40; at++) await pushArtifact(source, { subject: image, annotations: { at: String(at) } })
    source.mostAtOnce = 0
    forget(source)
    await copy(source, 'v1', sink, { referrers: true })
    expect(source.mostAtOnce).toBeGreaterThan(40)
    expect(source.callsOf('referrers')).toHaveLength(41)
    expect(new Set(source.callsOf('referrers')).size).toBe(41)
  })

  test('takes only the types that are asked for', async () => {
    const { signature, sbom, sbomSignature } = await pushSupplyChain()
    await copy(source, 'v1', sink, { referrers: true, artifactTypes: ['test/sbom'] })
    expect(await Promise.all([signature, sbom, sbomSignature].map((node) => sink.has(node)))).toEqual([
      false,
      true,
      false,
    ])
    await copy(source, 'v1', sink, { referrers: true, artifactTypes: ['test/sbom', 'test/signature'] })
    expect(await sink.has(sbomSignature)).toBe(true)
  })

  test('needs a source that knows referrers', async () => {
    await pushSupplyChain()
    const plain = {
      resolve: source.resolve.bind(source),
      readManifest: source.readManifest.bind(source),
      fetch: source.fetch.bind(source),
    }
    await expect(copy(plain, 'v1', sink, { referrers: true })).rejects.toMatchObject({
      code: 'unsupported',
      side: 'source',
    })
  })
})

describe('a registry that forgets referrers which arrive at once', () => {
  class ForgetfulStore extends RecordingStore {
    readonly forgotten = new Set<string>()
    isHopeless = false
    #arriving = 0

    override async push(descriptor: Descriptor, open: OpenContent, options?: PushOptions): Promise<void> {
      this.#arriving++
      const isAlone = this.#arriving === 1
      await super.push(descriptor, open, options)
      this.#arriving--
      if (isAlone && !this.isHopeless) this.forgotten.delete(descriptor.digest)
      else this.forgotten.add(descriptor.digest)
    }

    override async referrers(subject: Descriptor, options?: ReferrerOptions): Promise<readonly Descriptor[]> {
      return (await super.referrers(subject, options)).filter(({ digest }) => !this.forgotten.has(digest))
    }
  }

  async function pushMany(): Promise<Descriptor> {
    const image = await pushArtifact(source, { tag: 'v1' })
    for (let at = 0; at < 9; at++) await pushArtifact(source, { subject: image, annotations: { at: String(at) } })
    return image
  }

  test('gets them again, one after the other, before the tag', async () => {
    const image = await pushMany()
    const forgetful = new ForgetfulStore()
    const events: TransferEvent[] = []
    const result = await copy(source, 'v1', forgetful, {
      referrers: true,
      tags: ['v1'],
      onEvent: (event) => void events.push(event),
    })
    expect(result).toMatchObject({ unlisted: [], copied: { nodes: 11 } })
    expect(await treeAt(forgetful, image)).toEqual(await treeAt(source, image))
    expect(forgetful.callsOf('push').length).toBeGreaterThan(11)
    expect(forgetful.calls.at(-1)?.method).toBe('referrers')
    expect(forgetful.calls.findLast(({ method }) => method === 'push')?.what).not.toContain('v1')
    expect(events.filter(({ type }) => type === 'finished')).toHaveLength(11)
  })

  test('and does not remember them then either, is told about', async () => {
    await pushMany()
    const forgetful = new ForgetfulStore()
    forgetful.isHopeless = true
    expect((await copy(source, 'v1', forgetful, { referrers: true })).unlisted).toHaveLength(9)
  })

  test('is not looked after when only one has arrived', async () => {
    const image = await pushArtifact(source, { tag: 'v1' })
    await pushArtifact(source, { subject: image })
    await copy(source, 'v1', sink, { referrers: true })
    expect(sink.callsOf('referrers')).toEqual([])
  })
})

describe('subjects', () => {
  test('a referrer brings its subject along, and not what else refers to that', async () => {
    const { image, signature, sbom, sbomSignature } = await pushSupplyChain()
    for (const referrers of [false, true]) {
      sink = new RecordingStore()
      const result = await copy(source, sbom.digest, sink, { referrers })
      expect(await sink.has(image)).toBe(true)
      expect(await sink.has(signature)).toBe(false)
      expect(await sink.has(sbomSignature)).toBe(referrers)
      expect(result.referrers).toBe(referrers ? 1 : 0)
    }
  })

  test.each([false, true])('a subject that is gone is left out, and told about (referrers: %s)', async (referrers) => {
    const { image, sbom } = await pushSupplyChain()
    await source.delete(image)
    const result = await copy(source, sbom.digest, sink, { referrers })
    expect(result.skipped).toEqual([
      { descriptor: expect.objectContaining({ digest: image.digest }), reason: 'it is not at the source' },
    ])
    expect(await sink.has(sbom)).toBe(true)
  })

  test('a part that is gone is an error', async () => {
    const child = await pushArtifact(source, { layers: ['one'] })
    await pushIndex(source, [child], { tag: 'v1' })
    await source.delete(child)
    await expect(copy(source, 'v1', sink)).rejects.toMatchObject({ code: 'not-found', side: 'source' })
  })
})

describe('false lists of referrers', () => {
  test('what does not name its subject stays behind', async () => {
    const { image } = await pushSupplyChain()
    const unrelated = await pushArtifact(source, { layers: ['unrelated'] })
    source.claims.set(image.digest, [unrelated])
    const events: TransferEvent[] = []
    const result = await copy(source, 'v1', sink, { referrers: true, onEvent: (event) => void events.push(event) })
    expect(result).toMatchObject({ referrers: 3, skipped: [{ descriptor: unrelated }] })
    expect(await sink.has(unrelated)).toBe(false)
    expect(events).toContainEqual({
      type: 'skipped',
      descriptor: unrelated,
      reason: 'it does not name the manifest that it is listed for as its subject',
    })
  })

  test('an index that comes back as its own list of referrers is copied whole', async () => {
    const images = [await pushImage(source, linux('amd64')), await pushImage(source, linux('arm64'))]
    const index = await pushIndex(source, images, { tag: 'v1' })
    source.claims.set(index.digest, [...images, index])
    const result = await copy(source, 'v1', sink, { referrers: true, tags: ['v1'] })
    expect(result).toMatchObject({ referrers: 0, skipped: [], copied: { nodes: 7 } })
    expect((await sink.resolve('v1')).digest).toBe(index.digest)
  })

  test('what is listed falsely and named elsewhere is copied', async () => {
    const part = await pushArtifact(source, { layers: ['part'] })
    const inner = await pushIndex(source, [part])
    const middle = await pushIndex(source, [inner])
    const index = await pushIndex(source, [middle], { tag: 'v1' })
    source.claims.set(index.digest, [part])
    const result = await copy(source, 'v1', sink, { referrers: true, tags: ['v1'] })
    expect(result.skipped).toEqual([])
    expect(await sink.has(part)).toBe(true)
    expect(result.copied.nodes).toBe(6)
  })

  test('what is gone but still listed is left out, and told about', async () => {
    const { image } = await pushSupplyChain()
    const gone = await pushArtifact(new RecordingStore(), { layers: ['gone'], subject: image })
    source.claims.set(image.digest, [gone])
    const result = await copy(source, 'v1', sink, { referrers: true })
    expect(result.skipped).toEqual([{ descriptor: gone, reason: 'it is not at the source' }])
  })

  test('lists that go round in circles end', async () => {
    const { image, signature, sbom } = await pushSupplyChain()
    source.claims.set(signature.digest, [sbom, image])
    source.claims.set(sbom.digest, [signature])
    const result = await copy(source, 'v1', sink, { referrers: true, tags: ['v1'] })
    expect(result).toMatchObject({ referrers: 3, skipped: [] })
    expect(new Set(source.callsOf('referrers')).size).toBe(source.callsOf('referrers').length)
  })

  test('more referrers than the limit are refused', async () => {
    const image = await pushArtifact(source, { tag: 'v1' })
    for (let at = 0; at < 12; at++) await pushArtifact(source, { subject: image, annotations: { at: String(at) } })
    await expect(copy(source, 'v1', sink, { referrers: true, limits: { manifests: 10 } })).rejects.toMatchObject({
      code: 'limit-exceeded',
    })
    // Blobs without anything that names them do no harm.
    expect(sink.callsOf('push').filter((what) => what !== EMPTY_DESCRIPTOR.digest)).toEqual([])
  })
})

describe('tags made from digests', () => {
  async function pushSigned(): Promise<{ image: Descriptor; signature: Descriptor; tag: string }> {
    const image = await pushImage(source, linux('amd64'))
    const index = await pushIndex(source, [image], { tag: 'v1' })
    const signature = await pushArtifact(source, { layers: ['simple signing'] })
    const tag = `${image.digest.replace(':', '-')}.sig`
    await source.tag(signature, tag)
    await source.tag(await pushArtifact(source, { layers: ['sbom'] }), `${index.digest.replace(':', '-')}.sbom`)
    return { image, signature, tag }
  }

  test('are copied along with what they belong to, before its tag', async () => {
    const { signature, tag } = await pushSigned()
    const result = await copy(source, 'v1', sink, { referrers: true, tags: ['v1'] })
    expect(result.digestTags).toHaveLength(2)
    expect((await sink.resolve(tag)).digest).toBe(signature.digest)
    expect(sink.callsOf('tag').at(-1)).toBe(`${result.descriptor.digest} v1`)
    forget(sink)
    expect((await copy(source, 'v1', sink, { referrers: true, tags: ['v1'] })).copied.nodes).toBe(0)
    expect([...sink.callsOf('push'), ...sink.callsOf('tag')]).toEqual([])
  })

  test('stay behind when no referrers, or only some types, are asked for', async () => {
    const { signature } = await pushSigned()
    await copy(source, 'v1', sink)
    await copy(source, 'v1', sink, { referrers: true, artifactTypes: ['a/b'] })
    await copy(source, 'v1', sink, { referrers: true, digestTags: false })
    expect(await sink.has(signature)).toBe(false)
    await copy(source, 'v1', sink, { referrers: true, artifactTypes: [], digestTags: true })
    expect(await sink.has(signature)).toBe(true)
  })

  test.each([
    ['many', 30, 1],
    ['few', 5, 0],
  ])('of %s are listed while the graph is being read', async (_, count, lists) => {
    await pushSigned()
    const index = await source.resolve('v1')
    for (let at = 0; at < count; at++) await pushArtifact(source, { subject: index, annotations: { at: String(at) } })
    const listTags = source.tags.bind(source)
    let [listed, wasEarly] = [0, false]
    source.tags = (options) => {
      listed++
      return listTags(options)
    }
    source.onCall = async (method, what) => {
      if (method !== 'referrers' || what === index.digest || lists === 0) return
      await expect.poll(() => listed).toBe(1)
      wasEarly = true
    }
    const result = await copy(source, 'v1', sink, { referrers: true })
    expect(result.digestTags).toHaveLength(2)
    expect(listed).toBe(lists)
    expect(wasEarly).toBe(lists > 0)
  })

  test('end with the copy when the graph cannot be read', async () => {
    await pushSigned()
    const index = await source.resolve('v1')
    for (let at = 0; at < 30; at++) await pushArtifact(source, { subject: index, annotations: { at: String(at) } })
    let isGivenUp = false
    source.tags = async function* (options?: TagListOptions) {
      await delay(60_000, options?.signal).finally(() => (isGivenUp = true))
      yield 'late'
    }
    source.onCall = (method, what) => {
      if (method === 'referrers' && what !== index.digest) throw new GantryError('denied', 'no lists')
    }
    await expect(copy(source, 'v1', sink, { referrers: true })).rejects.toMatchObject({ code: 'denied' })
    expect(isGivenUp).toBe(true)
  })

  test('are looked up in one list when there are many digests, and one by one when lists are forbidden', async () => {
    const { signature, tag } = await pushSigned()
    const index = await source.resolve('v1')
    for (let at = 0; at < 30; at++) await pushArtifact(source, { subject: index, annotations: { at: String(at) } })
    forget(source)
    await copy(source, 'v1', sink, { referrers: true })
    expect((await sink.resolve(tag)).digest).toBe(signature.digest)
    const lookups = (store: RecordingStore): readonly string[] =>
      store.callsOf('readManifest').filter((what) => what.startsWith('sha256-'))
    expect(lookups(source)).toHaveLength(2)
    class NoLists extends ClaimingStore {
      // eslint-disable-next-line require-yield -- it fails instead
      override async *tags(_options?: TagListOptions): AsyncGenerator<string, void, undefined> {
        throw new GantryError('denied', 'no lists')
      }
    }
    const stubborn = new NoLists()
    await copy(source, 'v1', stubborn, { referrers: true, tags: ['v1'] })
    forget(stubborn)
    const third = new RecordingStore()
    await copy(stubborn, 'v1', third, { referrers: true })
    expect((await third.resolve(tag)).digest).toBe(signature.digest)
    expect(lookups(stubborn).length).toBeGreaterThan(90)
  })
})

test('blobs of referrers move once', async () => {
  const { image } = await pushSupplyChain()
  const blob = await pushBlob(source, 'image')
  await pushArtifact(source, { layers: ['image'], subject: image, annotations: { again: 'yes' } })
  forget(source)
  await copy(source, 'v1', sink, { referrers: true })
  expect(source.callsOf('fetch').filter((what) => what === blob.digest)).toHaveLength(1)
})
