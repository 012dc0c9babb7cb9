import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { validate, type ValidateOptions } from '../../src/image/validate.js'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { digestOf } from '../../src/oci/digest.js'
import { encodeJson } from '../../src/oci/encode-json.js'
import { MediaType } from '../../src/oci/media-types.js'
import { MemoryStore } from '../../src/store/memory.js'
import { openBytes } from '../../src/util/bytes.js'
import { pushArtifact, pushBlob, pushIndex } from '../graph/sample-graph.js'
import { pushLayeredImage, tarOf, type SampleEntry } from './layered-image.js'

async function problemsOf(store: MemoryStore, { digest }: Descriptor, options: ValidateOptions = {}) {
  return (await validate({ source: store, reference: digest }, options)).map(({ message }) => message)
}

/** Pushes an image whose documents say what they are told to. */
async function pushClaim(store: MemoryStore, layers: readonly Descriptor[], diffIds: readonly string[]) {
  const config = await pushBlob(
    store,
    JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } }),
    MediaType.imageConfig,
  )
  const bytes = encodeJson({ schemaVersion: 2, mediaType: MediaType.imageManifest, config, layers })
  const descriptor = descriptorOf(MediaType.imageManifest, bytes)
  await store.push(descriptor, openBytes(bytes))
  return descriptor
}

const A: readonly SampleEntry[] = [['a', '1']]

test('a good image has no problem, alone, in an index, and as an artifact', async () => {
  const store = new MemoryStore()
  const image = await pushLayeredImage(store, [A, [['b', '2']]])
  expect(await problemsOf(store, image)).toEqual([])
  expect(await problemsOf(store, image, { fast: true })).toEqual([])
  const platform = { architecture: 'amd64', os: 'linux' }
  expect(await problemsOf(store, await pushIndex(store, [{ ...image, platform }]))).toEqual([])
  expect(await problemsOf(store, await pushArtifact(store, { layers: ['x'] }))).toEqual([])
})

test('a layer that is missing is a problem, also when nothing else is read', async () => {
  const store = new MemoryStore()
  const lost = descriptorOf(MediaType.imageLayerGzip, Buffer.from('lost'))
  const image = await pushClaim(store, [lost], [digestOf('lost')])
  for (const fast of [true, false]) {
    expect(await problemsOf(store, image, { fast })).toEqual([expect.stringContaining(`layer ${lost.digest}: `)])
  }
})

test('a config that names another uncompressed digest, or another number of layers, is a problem', async () => {
  const store = new MemoryStore()
  const tar = await tarOf(A)
  const layer = await pushBlob(store, gzipSync(tar), MediaType.imageLayerGzip)
  expect(await problemsOf(store, await pushClaim(store, [layer], [digestOf('other')]))).toEqual([
    `layer ${layer.digest}: it is ${digestOf(tar)} inside, and the config says ${digestOf('other')}`,
  ])
  expect(await problemsOf(store, await pushClaim(store, [layer], []))).toEqual([
    'the manifest has 1 layers, and the config 0',
  ])
})

test('a layer that has a name twice, or is no tar, is a problem', async () => {
  const store = new MemoryStore()
  expect(await problemsOf(store, await pushLayeredImage(store, [[...A, ...A]]))).toEqual([
    expect.stringContaining('it has "a" twice'),
  ])
  const layer = await pushBlob(store, Buffer.alloc(512, 'x'), MediaType.imageLayer)
  expect(await problemsOf(store, await pushClaim(store, [layer], [layer.digest]))).toEqual([
    expect.stringContaining('entry 1 of the layer'),
  ])
})

test('a platform in an index that is not that of the config is a problem', async () => {
  const store = new MemoryStore()
  const image = await pushLayeredImage(store, [A])
  const index = await pushIndex(store, [{ ...image, platform: { architecture: 'arm64', os: 'linux' } }])
  expect(await problemsOf(store, index)).toEqual(['the index says linux/arm64, and the config linux/amd64'])
})

test('what does not exist is an error', async () => {
  await expect(validate({ source: new MemoryStore(), reference: 'v1' })).rejects.toMatchObject({ code: 'not-found' })
})
