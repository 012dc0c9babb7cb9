import { beforeEach, describe, expect, test } from 'vitest'
import { readPlatformManifest, resolvePlatform } from '../../src/graph/select-platform.js'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { encodeJson } from '../../src/oci/encode-json.js'
import { MediaType } from '../../src/oci/media-types.js'
import { parsePlatform } from '../../src/oci/platform.js'
import { MemoryStore } from '../../src/store/memory.js'
import { openBytes } from '../../src/util/bytes.js'
import { pushArtifact, pushBlob, pushImage, pushIndex } from './sample-graph.js'

let store: MemoryStore
let images: Record<string, Descriptor>

const PLATFORMS = ['linux/amd64', 'linux/arm/v6', 'linux/arm/v7', 'windows/amd64:10.0.1', 'windows/amd64:10.0.2']

beforeEach(async () => {
  store = new MemoryStore()
  images = {}
  for (const text of PLATFORMS) images[text] = await pushImage(store, parsePlatform(text, ''), text)
  await pushIndex(store, Object.values(images), { tag: 'index' })
})

describe('selecting the child of an index', () => {
  test.each([
    ['linux/amd64', 'linux/amd64'],
    ['linux/arm/v7', 'linux/arm/v7'],
    ['linux/arm', 'linux/arm/v6'],
    ['windows/amd64', 'windows/amd64:10.0.1'],
    ['windows/amd64:10.0.2', 'windows/amd64:10.0.2'],
  ])('%s gives %s', async (wanted, expected) => {
    const platform = parsePlatform(wanted, '')
    const { digest } = await resolvePlatform(store, 'index', { platform })
    expect(digest).toBe(images[expected]?.digest)
    const content = await readPlatformManifest(store, 'index', { platform })
    expect(content.descriptor.digest).toBe(digest)
    expect(descriptorOf('', content.bytes).digest).toBe(digest)
  })

  test.each(['linux/arm64', 'linux/arm/v8', 'windows/amd64:10.0.3', 'darwin/amd64'])(
    'nothing is for %s',
    async (text) => {
      const { digest } = await store.resolve('index')
      await expect(resolvePlatform(store, 'index', { platform: parsePlatform(text, '') })).rejects.toMatchObject({
        code: 'not-found',
        message: `${digest}: not found: no matching manifest was found in the manifest list`,
      })
    },
  )

  test('without a platform, the index itself is meant', async () => {
    expect((await resolvePlatform(store, 'index')).mediaType).toBe(MediaType.imageIndex)
    expect((await readPlatformManifest(store, 'index')).descriptor.mediaType).toBe(MediaType.imageIndex)
  })

  test('a child without a platform is for none', async () => {
    await pushIndex(store, [await pushArtifact(store)], { tag: 'bare' })
    await expect(resolvePlatform(store, 'bare', { platform: parsePlatform('linux/amd64', '') })).rejects.toMatchObject({
      code: 'not-found',
    })
  })
})

describe('a manifest that is no index', () => {
  test('is selected when its config names the platform', async () => {
    const { digest = '' } = images['linux/arm/v7'] ?? {}
    for (const wanted of ['linux/arm/v7', 'linux/arm']) {
      expect((await resolvePlatform(store, digest, { platform: parsePlatform(wanted, '') })).digest).toBe(digest)
    }
    for (const wanted of ['linux/arm/v6', 'linux/amd64']) {
      await expect(resolvePlatform(store, digest, { platform: parsePlatform(wanted, '') })).rejects.toMatchObject({
        code: 'not-found',
        message: `${digest}: not found: platform in manifest does not match target platform`,
      })
    }
  })

  test('a Docker image is selected by its config too', async () => {
    const config = await pushBlob(store, JSON.stringify({ architecture: 'amd64', os: 'linux' }), MediaType.dockerConfig)
    const bytes = encodeJson({ schemaVersion: 2, mediaType: MediaType.dockerManifest, config, layers: [] })
    const docker = descriptorOf(MediaType.dockerManifest, bytes)
    await store.push(docker, openBytes(bytes))
    const platform = parsePlatform('linux/amd64', '')
    expect((await resolvePlatform(store, docker.digest, { platform })).digest).toBe(docker.digest)
  })

  test('an artifact has no platform', async () => {
    const { digest } = await pushArtifact(store)
    await expect(resolvePlatform(store, digest, { platform: parsePlatform('linux/amd64', '') })).rejects.toMatchObject({
      code: 'unsupported',
      message: `fail to recognize platform from unknown config ${MediaType.empty}: expect ${MediaType.imageConfig}`,
    })
  })

  test('a config that names no platform matches none', async () => {
    const config = await pushBlob(store, '{"os":"","architecture":5}', MediaType.imageConfig)
    const bytes = encodeJson({ schemaVersion: 2, mediaType: MediaType.imageManifest, config, layers: [] })
    const image = descriptorOf(MediaType.imageManifest, bytes)
    await store.push(image, openBytes(bytes))
    await expect(
      resolvePlatform(store, image.digest, { platform: parsePlatform('linux/amd64', '') }),
    ).rejects.toMatchObject({ code: 'not-found', hint: 'linux/amd64 was asked for, the manifest is for none' })
  })
})
