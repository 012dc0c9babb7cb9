import { describe, expect, test } from 'vitest'
import { createIndex, updateIndex, type IndexEvent } from '../../src/artifact/edit-index.js'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { MemoryStore } from '../../src/store/memory.js'
import { openBytes } from '../../src/util/bytes.js'
import { pushSeeds } from '../cli/transcripts/seeds.js'

const INDEX = 'application/vnd.oci.image.index.v1+json'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

async function openStore(): Promise<{ store: MemoryStore; seeds: ReadonlyMap<string, Descriptor> }> {
  const store = new MemoryStore()
  return { store, seeds: await pushSeeds(store) }
}

async function pushDocument(store: MemoryStore, mediaType: string, document: object, tag: string): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(document))
  const descriptor = descriptorOf(mediaType, bytes)
  await store.push(descriptor, openBytes(bytes), { tag })
  return descriptor
}

function read(bytes: Uint8Array): Record<string, unknown> & { manifests: Record<string, unknown>[] } {
  return JSON.parse(Buffer.from(bytes).toString()) as never
}

describe('createIndex', () => {
  test('makes the bytes that oras makes', async () => {
    const { store } = await openStore()
    expect((await createIndex(store, ['a', 'b'])).descriptor.digest).toBe(
      'sha256:5dcfb7bcf1dc2498ae10a7be0bd880e03a289f80c93f6f7908fc5073bde6300c',
    )
    // The type of an artifact of before image-spec 1.1 is in its config.
    expect((await createIndex(store, ['a', 'b', 'c'])).descriptor.digest).toBe(
      'sha256:dd725cf4e65022b32af6691e54e6d926274fcb0b11f9c9803d1f7d4dba747a0a',
    )
    const typed = await createIndex(store, ['a', 'b'], { annotations: { a: 'b' }, artifactType: 't/x' })
    expect(typed.descriptor).toMatchObject({
      digest: 'sha256:6a8ab56af0bc10a1a46fb90d7532e2c860f83a0a4e132f4870e19c0d7f0dbbaa',
      annotations: { a: 'b' },
      artifactType: 't/x',
    })
    expect((await createIndex(store, [])).descriptor.digest).toBe(
      'sha256:dff9de10919148711140d349bf03f1a99eb06f94b03e51715ccebfa7cdc518e2',
    )
  })

  test('takes platforms from the configs of OCI and Docker images, and no artifact type', async () => {
    const { store } = await openStore()
    const config = Buffer.from('{"os":"windows","architecture":"amd64","os.version":"10.0","os.features":["win32k"]}')
    const described = descriptorOf('application/vnd.docker.container.image.v1+json', config)
    await store.push(described, openBytes(config))
    const docker = 'application/vnd.docker.distribution.manifest.v2+json'
    const image = { schemaVersion: 2, mediaType: docker, config: described, layers: [] }
    const { mediaType, digest, size } = await pushDocument(store, docker, image, 'docker')
    expect(read((await createIndex(store, ['docker'])).bytes).manifests).toEqual([
      {
        mediaType,
        digest,
        size,
        platform: { architecture: 'amd64', os: 'windows', 'os.version': '10.0', 'os.features': ['win32k'] },
      },
    ])
  })

  test('takes a config that is no JSON for one without a platform', async () => {
    const { store } = await openStore()
    const config = Buffer.from('no JSON')
    const described = descriptorOf('application/vnd.oci.image.config.v1+json', config)
    await store.push(described, openBytes(config))
    const image = { schemaVersion: 2, mediaType: MANIFEST, config: described, layers: [] }
    await pushDocument(store, MANIFEST, image, 'odd')
    expect(read((await createIndex(store, ['odd'])).bytes).manifests[0]).not.toHaveProperty('platform')
  })

  test('names what it does not find, and refuses a type that is none', async () => {
    const { store } = await openStore()
    await expect(createIndex(store, ['a', 'nosuch'])).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/^could not find the manifest nosuch: /),
    })
    await expect(createIndex(store, [], { artifactType: 'bad' })).rejects.toMatchObject({ code: 'invalid-argument' })
  })
})

describe('updateIndex', () => {
  test('removes, adds and merges in this order, and tells each step', async () => {
    const { store, seeds } = await openStore()
    const [a, b, c] = ['a', 'b', 'c'].map((tag) => seeds.get(tag)!.digest)
    const one = await createIndex(store, ['a'])
    const other = await createIndex(store, ['b'])
    await store.push(one.descriptor, openBytes(one.bytes), { tag: 'one' })
    await store.push(other.descriptor, openBytes(other.bytes), { tag: 'other' })
    const events: IndexEvent[] = []
    const changes = { merge: ['other'], add: ['c', 'c'], remove: [a!] }
    const { bytes } = await updateIndex(store, 'one', changes, { onEvent: (event) => events.push(event) })
    expect(read(bytes).manifests.map(({ digest }) => digest)).toEqual([c, c, b])
    expect(events.map(({ type }) => type)).toEqual([
      ...['fetching', 'fetched', 'removed'],
      ...['fetching', 'fetched', 'added', 'fetching', 'fetched', 'added'],
      ...['fetching', 'fetched', 'merged'],
    ])
  })

  test('keeps what it does not know, and the subject', async () => {
    const { store, seeds } = await openStore()
    const { mediaType, digest, size } = seeds.get('a')!
    const entry = {
      note: 1,
      annotations: { z: '1', a: '2' },
      size,
      digest,
      mediaType,
      platform: { features: ['f'], os: 'o', architecture: 'a' },
    }
    const document = {
      later: { field: true },
      subject: { size, digest, mediaType },
      manifests: [entry],
      mediaType: INDEX,
      schemaVersion: 2,
    }
    await pushDocument(store, INDEX, document, 'odd')
    const { bytes } = await updateIndex(store, 'odd', { artifactType: 'test/new' })
    expect(Buffer.from(bytes).toString()).toBe(
      `{"schemaVersion":2,"mediaType":"${INDEX}","artifactType":"test/new","manifests":[{"mediaType":"${mediaType}",` +
        `"digest":"${digest}","size":${size},"annotations":{"a":"2","z":"1"},"platform":{"architecture":"a","os":"o","features":["f"]},"note":1}],` +
        `"subject":{"mediaType":"${mediaType}","digest":"${digest}","size":${size}},"later":{"field":true}}`,
    )
  })

  test('removes an artifact type, and reads a list that is null', async () => {
    const { store } = await openStore()
    await pushDocument(store, INDEX, { schemaVersion: 2, mediaType: INDEX, artifactType: 't/x', manifests: null }, 'i')
    const { bytes } = await updateIndex(store, 'i', { artifactType: '' })
    expect(Buffer.from(bytes).toString()).toBe(`{"schemaVersion":2,"mediaType":"${INDEX}","manifests":[]}`)
  })

  test('refuses what is no index, and a digest that is not in it', async () => {
    const { store, seeds } = await openStore()
    const index = await createIndex(store, ['a'])
    await store.push(index.descriptor, openBytes(index.bytes), { tag: 'i' })
    await expect(updateIndex(store, 'a', { add: ['b'] })).rejects.toThrow('a is not an index')
    await expect(updateIndex(store, 'i', { merge: ['a'] })).rejects.toThrow('a is not an index')
    const { digest } = seeds.get('b')!
    await expect(updateIndex(store, 'i', { remove: [digest] })).rejects.toThrow(
      `${digest} does not exist in the index i`,
    )
  })
})
