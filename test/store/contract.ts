import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GantryError } from '../../src/errors.js'
import { digestOf } from '../../src/oci/digest.js'
import { plainDescriptor, type Descriptor } from '../../src/oci/descriptor.js'
import { MediaType } from '../../src/oci/media-types.js'
import {
  isDeleter,
  isReferrerSource,
  isTagSource,
  isUntagger,
  type Deleter,
  type ReferrerSource,
  type Sink,
  type Source,
  type TagSource,
  type Untagger,
} from '../../src/store/store.js'
import { blob, contentOf, emptyConfig, inChunks, index, listAll, manifest, readAll, type Content } from './content.js'

/** A store under test, empty. */
export interface StoreFixture {
  readonly sink: Sink
  /** Where to read what was pushed; ends the writing where a store is written once. */
  source(): Promise<Source>
  close?(): Promise<void>
}

/** What a store does not do, although most do; all true by default. */
export interface StoreFeatures {
  /** Reading and writing take turns; false where a store is written once and then read. */
  readonly interleaved?: boolean
  readonly referrers?: boolean
  readonly delete?: boolean
  readonly tags?: boolean
  readonly untag?: boolean
  /** A digest resolves whatever kind of content it names. */
  readonly resolvesBlobs?: boolean
  readonly sha512?: boolean
}

/** The cases that every store has to pass. */
export function describeStore(name: string, create: () => Promise<StoreFixture>, features: StoreFeatures = {}): void {
  describe(name, () => {
    let fixture: StoreFixture
    let sink: Sink
    beforeEach(async () => {
      fixture = await create()
      sink = fixture.sink
    })
    afterEach(async () => {
      await fixture.close?.()
    })
    const context: Context = { sink: () => sink, source: () => fixture.source() }
    describeBlobs(context)
    describeWrongContent(context)
    describeManifests(context, features)
    describeTags(context, features)
    if (features.referrers !== false) describeReferrers(context)
    if (features.delete !== false) describeDeletion(context, features)
    describeConcurrency(context)
    describeAborts(context)
  })
}

interface Context {
  readonly sink: () => Sink
  readonly source: () => Promise<Source>
}

async function push(sink: Sink, ...contents: readonly Content[]): Promise<void> {
  for (const { descriptor, open } of contents) await sink.push(descriptor, open)
}

/** A manifest together with what it needs. */
async function pushManifest(sink: Sink, content: Content, tag?: string): Promise<void> {
  await push(sink, emptyConfig)
  await sink.push(content.descriptor, content.open, tag === undefined ? {} : { tag })
}

function identityOf(descriptor: Descriptor): Descriptor {
  return plainDescriptor(descriptor)
}

function describeBlobs({ sink, source }: Context): void {
  describe('blobs', () => {
    test.each([0, 1, 511, 512, 65_537, 3 * 1024 * 1024 + 1])('of %i bytes come back as they were', async (size) => {
      const content = blob(size)
      expect(await sink().has(content.descriptor)).toBe(false)
      await push(sink(), content)
      expect(await sink().has(content.descriptor)).toBe(true)
      const bytes = await readAll((await source()).fetch(content.descriptor))
      expect(digestOf(bytes)).toBe(content.descriptor.digest)
    })

    test.each([1, 7, 1000])('arrive in chunks of %i bytes', async (size) => {
      const content = blob(size * 50 + 3)
      await sink().push(content.descriptor, inChunks(content.bytes, size))
      const bytes = await readAll((await source()).fetch(content.descriptor))
      expect(digestOf(bytes)).toBe(content.descriptor.digest)
    })

    test.each([0, 1, 99_999, 100_000])('are read from byte %i of 100 000', async (offset) => {
      const content = blob(100_000)
      await push(sink(), content)
      const bytes = await readAll((await source()).fetch(content.descriptor, { offset }))
      expect(Buffer.compare(bytes, content.bytes.subarray(offset))).toBe(0)
    })

    test('are read more than once, and at the same time', async () => {
      const content = blob(200_000)
      await push(sink(), content)
      const reader = await source()
      const copies = await Promise.all([1, 2, 3].map(() => readAll(reader.fetch(content.descriptor))))
      expect(copies.map((bytes) => digestOf(bytes))).toEqual([1, 2, 3].map(() => content.descriptor.digest))
    })

    test('can be left in the middle', async () => {
      const content = blob(3_000_000)
      await push(sink(), content)
      const reader = await source()
      for await (const chunk of reader.fetch(content.descriptor)) {
        expect(chunk.byteLength).toBeGreaterThan(0)
        break
      }
      expect((await readAll(reader.fetch(content.descriptor))).byteLength).toBe(3_000_000)
    })

    test('that are unknown fail when they are read, not when they are opened', async () => {
      await push(sink(), emptyConfig)
      const content = (await source()).fetch(blob().descriptor)
      await expect(readAll(content)).rejects.toMatchObject({ code: 'not-found' })
    })

    test('are stored once however often they are pushed', async () => {
      const content = blob()
      await push(sink(), content, content)
      expect(Buffer.compare(await readAll((await source()).fetch(content.descriptor)), content.bytes)).toBe(0)
    })

    test('report how far they are, and arrive at their size', async () => {
      const content = blob(10_000)
      const offsets: number[] = []
      await sink().push(content.descriptor, inChunks(content.bytes, 999), {
        onProgress: (offset) => offsets.push(offset),
      })
      expect(offsets.at(-1)).toBe(10_000)
      expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
    })

    test('are not there with another size', async () => {
      const content = blob(100)
      await push(sink(), content)
      expect(await sink().has({ ...content.descriptor, size: 101 })).toBe(false)
    })
  })
}

function describeWrongContent({ sink, source }: Context): void {
  const good = (): Content => blob(70_000)
  const flipped = (bytes: Uint8Array): Uint8Array =>
    Uint8Array.from(bytes, (byte, at) => (at === 69_999 ? ~byte : byte))

  describe('wrong content', () => {
    test.each([
      ['a wrong byte', flipped, 'digest-mismatch'],
      ['a byte too few', (bytes: Uint8Array) => bytes.subarray(1), 'size-mismatch'],
      ['a byte too many', (bytes: Uint8Array) => Buffer.concat([bytes, bytes.subarray(0, 1)]), 'size-mismatch'],
      ['nothing', () => new Uint8Array(), 'size-mismatch'],
    ])('with %s is refused, and leaves nothing', async (_, damage, code) => {
      const content = good()
      const before = blob()
      await push(sink(), before)
      await expect(sink().push(content.descriptor, inChunks(damage(content.bytes), 10_000))).rejects.toMatchObject({
        code,
      })
      expect(await sink().has(content.descriptor)).toBe(false)
      await push(sink(), content)
      const reader = await source()
      for (const { descriptor, bytes } of [before, content]) {
        expect(Buffer.compare(await readAll(reader.fetch(descriptor)), bytes)).toBe(0)
      }
    })

    test('of no bytes is refused when it has some', async () => {
      const content = blob(0)
      await expect(sink().push(content.descriptor, blob(1).open)).rejects.toMatchObject({ code: 'size-mismatch' })
      expect(await sink().has(content.descriptor)).toBe(false)
    })

    test('is not stored when its source fails half way', async () => {
      const content = good()
      const open = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
        yield content.bytes.subarray(0, 30_000)
        throw new GantryError('network-error', 'the source broke')
      }
      await expect(sink().push(content.descriptor, open)).rejects.toThrow('the source broke')
      expect(await sink().has(content.descriptor)).toBe(false)
    })

    test('is not stored as a manifest when it is none', async () => {
      const content = contentOf(MediaType.imageManifest, new TextEncoder().encode('{"schemaVersion":2,'))
      await expect(sink().push(content.descriptor, content.open)).rejects.toBeInstanceOf(GantryError)
      expect(await sink().has(content.descriptor)).toBe(false)
    })

    test('of a manifest is refused', async () => {
      const content = manifest()
      const other = manifest()
      await push(sink(), emptyConfig)
      await expect(sink().push(content.descriptor, other.open, { tag: 'v1' })).rejects.toMatchObject({
        code: expect.stringMatching(/^(digest|size)-mismatch$/),
      })
      expect(await sink().has(content.descriptor)).toBe(false)
    })
  })
}

function describeManifests({ sink, source }: Context, { resolvesBlobs, sha512 }: StoreFeatures): void {
  describe('manifests', () => {
    test('keep their bytes, and are found by digest', async () => {
      const content = manifest()
      expect(await sink().has(content.descriptor)).toBe(false)
      await pushManifest(sink(), content)
      expect(await sink().has(content.descriptor)).toBe(true)
      const reader = await source()
      const { digest } = content.descriptor
      expect(identityOf(await reader.resolve(digest))).toEqual(content.descriptor)
      const read = await reader.readManifest(digest)
      expect(identityOf(read.descriptor)).toEqual(content.descriptor)
      expect(Buffer.compare(read.bytes, content.bytes)).toBe(0)
      expect(Buffer.compare(await readAll(reader.fetch(content.descriptor)), content.bytes)).toBe(0)
    })

    test('keep bytes that are not as we would write them', async () => {
      const { bytes } = manifest()
      const spaced = new TextEncoder().encode(`\n ${new TextDecoder().decode(bytes)}\n`)
      const content = contentOf(MediaType.imageManifest, spaced)
      await pushManifest(sink(), content, 'v1')
      expect(Buffer.compare((await (await source()).readManifest('v1')).bytes, spaced)).toBe(0)
    })

    test('in an index are found, as is the index', async () => {
      const children = [manifest(), manifest()]
      const parent = index(children.map(({ descriptor }) => descriptor))
      await push(sink(), emptyConfig, ...children, parent)
      for (const { descriptor } of [...children, parent]) expect(await sink().has(descriptor)).toBe(true)
      const reader = await source()
      for (const { descriptor } of [...children, parent]) {
        expect(identityOf(await reader.resolve(descriptor.digest))).toEqual(descriptor)
      }
    })

    test.runIf(resolvesBlobs !== false)('are told from blobs', async () => {
      const content = blob()
      await push(sink(), content)
      const reader = await source()
      expect(await reader.resolve(content.descriptor.digest)).toEqual(content.descriptor)
      await expect(reader.readManifest(content.descriptor.digest)).rejects.toMatchObject({ code: 'not-found' })
    })

    test.runIf(sha512 !== false)('and blobs may be named by sha512', async () => {
      const layer = blob(1000)
      const descriptor = { ...layer.descriptor, digest: digestOf(layer.bytes, 'sha512') }
      const image = manifest({ layers: [descriptor] })
      const imageDescriptor = { ...image.descriptor, digest: digestOf(image.bytes, 'sha512') }
      await sink().push(descriptor, layer.open)
      await push(sink(), emptyConfig)
      await sink().push(imageDescriptor, image.open, { tag: 'v1' })
      const reader = await source()
      expect(identityOf(await reader.resolve('v1'))).toEqual(imageDescriptor)
      expect(Buffer.compare(await readAll(reader.fetch(descriptor)), layer.bytes)).toBe(0)
    })

    test.each(['v1', digestOf('nothing')])('that are unknown are not found: %s', async (reference) => {
      await pushManifest(sink(), manifest(), 'other')
      const reader = await source()
      await expect(reader.resolve(reference)).rejects.toMatchObject({ code: 'not-found' })
      await expect(reader.readManifest(reference)).rejects.toMatchObject({ code: 'not-found' })
    })
  })
}

function describeTags({ sink, source }: Context, { tags, untag, interleaved }: StoreFeatures): void {
  describe('tags', () => {
    test('come with a push', async () => {
      const content = manifest()
      await pushManifest(sink(), content, 'v1')
      expect(identityOf(await (await source()).resolve('v1'))).toEqual(content.descriptor)
    })

    test('are given afterwards, and one manifest may have many', async () => {
      const content = manifest()
      await pushManifest(sink(), content)
      await sink().tag(content.descriptor, 'v1')
      await sink().tag(content.descriptor, 'latest')
      const reader = await source()
      for (const tag of ['v1', 'latest']) {
        expect(identityOf((await reader.readManifest(tag)).descriptor)).toEqual(content.descriptor)
      }
      expect(identityOf(await reader.resolve(content.descriptor.digest))).toEqual(content.descriptor)
    })

    test('move, and what had one before stays', async () => {
      const first = manifest()
      const second = manifest()
      await pushManifest(sink(), first, 'v1')
      await pushManifest(sink(), second, 'v1')
      await sink().tag(first.descriptor, 'v2')
      await sink().tag(second.descriptor, 'v2')
      await sink().tag(second.descriptor, 'v2')
      const reader = await source()
      for (const tag of ['v1', 'v2']) expect(identityOf(await reader.resolve(tag))).toEqual(second.descriptor)
      expect(identityOf(await reader.resolve(first.descriptor.digest))).toEqual(first.descriptor)
    })

    test('are not given to what is not there', async () => {
      await expect(sink().tag(manifest().descriptor, 'v1')).rejects.toMatchObject({ code: 'not-found' })
    })

    test.runIf(tags !== false)('are listed in order', async () => {
      const [first, second] = [manifest(), manifest()]
      for (const tag of ['b', 'v1', 'a']) await pushManifest(sink(), first, tag)
      for (const tag of ['v10', 'v2', 'A']) await pushManifest(sink(), second, tag)
      const reader = tagSource(await source())
      expect(await listAll(reader.tags())).toEqual(['A', 'a', 'b', 'v1', 'v10', 'v2'])
      expect(await listAll(reader.tags({ last: 'v1' }))).toEqual(['v10', 'v2'])
      expect(await listAll(reader.tags({ last: 'zz' }))).toEqual([])
    })

    test.runIf(untag !== false && interleaved !== false)('are taken away, and the manifest stays', async () => {
      const content = manifest()
      await pushManifest(sink(), content, 'v1')
      await sink().tag(content.descriptor, 'v2')
      const store = untagger(sink())
      await store.untag('v1')
      const reader = await source()
      await expect(reader.resolve('v1')).rejects.toMatchObject({ code: 'not-found' })
      expect(identityOf(await reader.resolve('v2'))).toEqual(content.descriptor)
      await store.untag('v2')
      expect(identityOf(await reader.resolve(content.descriptor.digest))).toEqual(content.descriptor)
      expect(await sink().has(content.descriptor)).toBe(true)
      await expect(store.untag('v2')).rejects.toMatchObject({ code: 'not-found' })
    })
  })
}

function describeReferrers({ sink, source }: Context): void {
  describe('referrers', () => {
    test('are found by their subject, with type and annotations', async () => {
      const subject = manifest()
      const signature = manifest({
        subject: subject.descriptor,
        artifactType: 'test/signature',
        annotations: { key: 'a' },
      })
      const bill = index([], { subject: subject.descriptor, artifactType: 'test/bill' })
      await pushManifest(sink(), subject, 'v1')
      await push(sink(), signature, bill)
      const reader = referrerSource(await source())
      const found = await reader.referrers(subject.descriptor)
      expect(found).toHaveLength(2)
      expect(found).toContainEqual({
        ...signature.descriptor,
        artifactType: 'test/signature',
        annotations: expect.objectContaining({ key: 'a' }),
      })
      expect(found).toContainEqual(
        expect.objectContaining({ digest: bill.descriptor.digest, artifactType: 'test/bill' }),
      )
      const signatures = await reader.referrers(subject.descriptor, { artifactType: 'test/signature' })
      expect(signatures.map(({ digest }) => digest)).toEqual([signature.descriptor.digest])
      expect(await reader.referrers(subject.descriptor, { artifactType: 'test/other' })).toEqual([])
      expect(await reader.referrers(signature.descriptor)).toEqual([])
    })

    test('may be there before their subject, and refer to each other', async () => {
      const subject = manifest()
      const first = manifest({ subject: subject.descriptor })
      const second = manifest({ subject: first.descriptor })
      await push(sink(), emptyConfig, second, first, subject)
      const reader = referrerSource(await source())
      for (const [of, referrer] of [
        [subject, first],
        [first, second],
      ] as const) {
        const found = await reader.referrers(of.descriptor)
        expect(found.map(({ digest }) => digest)).toEqual([referrer.descriptor.digest])
      }
    })
  })
}

function describeDeletion({ sink, source }: Context, { tags, referrers }: StoreFeatures): void {
  describe('deletion', () => {
    test('of a manifest takes its tags along, and nothing else', async () => {
      const [gone, stays] = [manifest(), manifest()]
      await pushManifest(sink(), gone, 'v1')
      await sink().tag(gone.descriptor, 'v2')
      await pushManifest(sink(), stays, 'v3')
      await deleter(sink()).delete(gone.descriptor)
      const reader = await source()
      for (const reference of ['v1', 'v2', gone.descriptor.digest]) {
        await expect(reader.resolve(reference)).rejects.toMatchObject({ code: 'not-found' })
      }
      expect(await sink().has(gone.descriptor)).toBe(false)
      expect(identityOf(await reader.resolve('v3'))).toEqual(stays.descriptor)
      expect(await sink().has(emptyConfig.descriptor)).toBe(true)
      if (tags !== false) expect(await listAll(tagSource(reader).tags())).toEqual(['v3'])
      await pushManifest(sink(), gone, 'v1')
      expect(identityOf(await reader.resolve('v1'))).toEqual(gone.descriptor)
    })

    test('of a blob', async () => {
      const [gone, stays] = [blob(), blob()]
      await push(sink(), gone, stays)
      await deleter(sink()).delete(gone.descriptor)
      expect(await sink().has(gone.descriptor)).toBe(false)
      expect(await sink().has(stays.descriptor)).toBe(true)
      await expect(readAll((await source()).fetch(gone.descriptor))).rejects.toMatchObject({ code: 'not-found' })
    })

    test('of what is not there is an error', async () => {
      await push(sink(), blob())
      for (const { descriptor } of [manifest(), blob()]) {
        await expect(deleter(sink()).delete(descriptor)).rejects.toMatchObject({ code: 'not-found' })
      }
    })

    test.runIf(referrers !== false)('of a referrer takes it off the list', async () => {
      const subject = manifest()
      const [gone, stays] = [manifest({ subject: subject.descriptor }), manifest({ subject: subject.descriptor })]
      await pushManifest(sink(), subject)
      await push(sink(), gone, stays)
      await deleter(sink()).delete(gone.descriptor)
      const found = await referrerSource(await source()).referrers(subject.descriptor)
      expect(found.map(({ digest }) => digest)).toEqual([stays.descriptor.digest])
    })
  })
}

function describeConcurrency({ sink, source }: Context): void {
  describe('side by side', () => {
    test('the same blob is pushed', async () => {
      const content = blob(300_000)
      await Promise.all(
        Array.from({ length: 8 }, () => sink().push(content.descriptor, inChunks(content.bytes, 10_000))),
      )
      expect(Buffer.compare(await readAll((await source()).fetch(content.descriptor)), content.bytes)).toBe(0)
    })

    test('the same blob is pushed, and one push fails', async () => {
      const content = blob(300_000)
      const wrong = Uint8Array.from(content.bytes, (byte) => ~byte)
      const results = await Promise.allSettled(
        [wrong, content.bytes, content.bytes].map((bytes) => sink().push(content.descriptor, inChunks(bytes, 10_000))),
      )
      expect(results.slice(1).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
      expect(Buffer.compare(await readAll((await source()).fetch(content.descriptor)), content.bytes)).toBe(0)
    })

    test('many blobs and manifests are pushed', async () => {
      const blobs = Array.from({ length: 30 }, (_, number) => blob(1000 * number))
      const manifests = Array.from({ length: 30 }, () => manifest())
      await push(sink(), emptyConfig)
      await Promise.all([
        ...blobs.map(({ descriptor, open }) => sink().push(descriptor, open)),
        ...manifests.map(({ descriptor, open }, number) => sink().push(descriptor, open, { tag: `v${number}` })),
      ])
      const reader = await source()
      for (const { descriptor, bytes } of blobs) {
        expect(Buffer.compare(await readAll(reader.fetch(descriptor)), bytes)).toBe(0)
      }
      for (const [number, { descriptor }] of manifests.entries()) {
        expect(identityOf(await reader.resolve(`v${number}`))).toEqual(descriptor)
      }
    })
  })
}

function describeAborts({ sink, source }: Context): void {
  describe('an abort', () => {
    test('before the call stops it', async () => {
      const content = manifest()
      await pushManifest(sink(), content, 'v1')
      const signal = AbortSignal.abort()
      const other = blob()
      await expect(sink().push(other.descriptor, other.open, { signal })).rejects.toMatchObject({ code: 'aborted' })
      await expect(sink().tag(content.descriptor, 'v2', { signal })).rejects.toMatchObject({ code: 'aborted' })
      expect(await sink().has(other.descriptor)).toBe(false)
      const reader = await source()
      for (const call of [
        () => reader.resolve('v1', { signal }),
        () => reader.readManifest('v1', { signal }),
        () => readAll(reader.fetch(emptyConfig.descriptor, { signal })),
      ]) {
        await expect(call()).rejects.toMatchObject({ code: 'aborted' })
      }
      await expect(reader.resolve('v2')).rejects.toMatchObject({ code: 'not-found' })
    })

    test('in the middle of a push stops it, and leaves nothing', async () => {
      const content = blob(100_000)
      const controller = new AbortController()
      const open = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
        yield content.bytes.subarray(0, 50_000)
        controller.abort()
        yield content.bytes.subarray(50_000)
      }
      const push = sink().push(content.descriptor, open, { signal: controller.signal })
      await expect(push).rejects.toMatchObject({ code: 'aborted' })
      expect(await sink().has(content.descriptor)).toBe(false)
    })
  })
}

function referrerSource(store: object): ReferrerSource {
  if (!isReferrerSource(store)) throw new Error('the store lists no referrers')
  return store
}

function tagSource(store: object): TagSource {
  if (!isTagSource(store)) throw new Error('the store lists no tags')
  return store
}

function deleter(store: object): Deleter {
  if (!isDeleter(store)) throw new Error('the store does not delete')
  return store
}

function untagger(store: object): Untagger {
  if (!isUntagger(store)) throw new Error('the store takes no tags away')
  return store
}
