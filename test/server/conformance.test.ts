import { describe, expect, test } from 'vitest'
import { digestOf, type Digest, type DigestAlgorithm } from '../../src/oci/digest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { STORAGES } from './storages.js'
import { imageManifest, indexManifest, startTestRegistry, type Answer, type TestRegistry } from './test-registry.js'

const ALGORITHMS: readonly DigestAlgorithm[] = ['sha256', 'sha512']
const REPOSITORY = 'conformance/one'

/** Every way to push a blob that the specification knows. */
const WAYS: Readonly<Record<string, (registry: TestRegistry, content: Buffer, digest: string) => Promise<Answer>>> = {
  'a single POST': (registry, content, digest) =>
    registry.send('POST', `/v2/${REPOSITORY}/blobs/uploads/?digest=${digest}`, { body: content }),
  'POST then PUT': async (registry, content, digest) =>
    registry.send('PUT', `${await registry.openUpload(REPOSITORY)}?digest=${digest}`, { body: content }),
  'one chunk': async (registry, content, digest) => {
    const location = await sendChunks(registry, content, content.length)
    return registry.send('PUT', `${location}?digest=${digest}`)
  },
  'three chunks': async (registry, content, digest) => {
    const location = await sendChunks(registry, content, Math.ceil(content.length / 3))
    return registry.send('PUT', `${location}?digest=${digest}`)
  },
  'chunks, the last with PUT': async (registry, content, digest) => {
    const start = Math.floor(content.length / 2)
    const location = await sendChunks(registry, content.subarray(0, start), 1024)
    return registry.send('PUT', `${location}?digest=${digest}`, {
      headers: { 'Content-Range': `${start}-${content.length - 1}` },
      body: content.subarray(start),
    })
  },
  'a stream': async (registry, content, digest) => {
    const location = await registry.openUpload(REPOSITORY)
    const headers = { 'Transfer-Encoding': 'chunked' }
    const patch = await registry.send('PATCH', location, { headers, body: content })
    expect(patch.status).toBe(202)
    return registry.send('PUT', `${patch.headers.location}?digest=${digest}`)
  },
  'a mount': async (registry, content, digest) => {
    await registry.pushBlob('conformance/two', content, digest.startsWith('sha512') ? 'sha512' : 'sha256')
    return registry.send('POST', `/v2/${REPOSITORY}/blobs/uploads/?mount=${digest}&from=conformance/two`)
  },
}

async function sendChunks(registry: TestRegistry, content: Buffer, size: number): Promise<string> {
  let location = await registry.openUpload(REPOSITORY)
  for (let start = 0; start < content.length; start += size) {
    const end = Math.min(start + size, content.length)
    const patch = await registry.send('PATCH', location, {
      headers: { 'Content-Range': `${start}-${end - 1}` },
      body: content.subarray(start, end),
    })
    expect(patch.status).toBe(202)
    expect(patch.headers.range).toBe(`0-${end - 1}`)
    location = patch.headers.location ?? ''
  }
  return location
}

describe.each(STORAGES)('the specification $name', ({ options }) => {
  const cases = ALGORITHMS.flatMap((algorithm) => Object.keys(WAYS).map((way) => [way, algorithm] as const))

  test.each(cases)('blob by %s with %s: push, head, pull, delete, gone', async (way, algorithm) => {
    const registry = await startTestRegistry(options())
    const content = Buffer.from(`${way} `.repeat(300))
    const digest = digestOf(content, algorithm)
    const path = `/v2/${REPOSITORY}/blobs/${digest}`
    expect((await registry.send('GET', path)).status).toBe(404)
    const pushed = await WAYS[way]!(registry, content, digest)
    expect(pushed.status).toBe(201)
    expect(pushed.headers['docker-content-digest']).toBe(digest)
    expect((await registry.send('GET', pushed.headers.location ?? '')).bytes.equals(content)).toBe(true)
    const head = await registry.send('HEAD', path)
    expect(head.headers['content-length']).toBe(String(content.length))
    expect(head.headers['docker-content-digest']).toBe(digest)
    expect((await registry.send('DELETE', path)).status).toBe(202)
    expect((await registry.send('HEAD', path)).status).toBe(404)
  })

  const withContent = cases.filter(([way]) => way !== 'a mount')
  test.each(withContent)('a wrong blob by %s with %s is refused', async (way, algorithm) => {
    const registry = await startTestRegistry(options())
    const content = Buffer.alloc(3000, 'right')
    const digest = digestOf(content, algorithm)
    const refused = await WAYS[way]!(registry, Buffer.concat([content, Buffer.from('oh no')]), digest)
    expect(refused.status).toBe(400)
    expect(refused.code).toBe('DIGEST_INVALID')
    expect((await registry.send('HEAD', `/v2/${REPOSITORY}/blobs/${digest}`)).status).toBe(404)
  })

  test.each(ALGORITHMS)(
    'a graph of every kind of manifest with %s, from the leaves to the root and back',
    async (algorithm) => {
      const registry = await startTestRegistry({ ...options(), requireBlobs: false })
      const blob = async (content: string, mediaType: string) => {
        const digest = await registry.pushBlob(REPOSITORY, content, algorithm)
        return { mediaType, digest, size: content.length }
      }
      const pushed: { digest: Digest; body: string; mediaType: string }[] = []
      const push = async (manifest: Record<string, unknown>) => {
        const body = JSON.stringify(manifest)
        const digest = digestOf(body, algorithm)
        const mediaType = String(manifest.mediaType)
        const answer = await registry.putManifest(REPOSITORY, digest, body)
        expect(answer.status).toBe(201)
        expect(answer.headers['docker-content-digest']).toBe(digest)
        pushed.push({ digest, body, mediaType })
        return { mediaType, digest, size: body.length }
      }
      const config = await blob('{"architecture":"amd64","os":"linux"}', MediaType.imageConfig)
      const empty = await blob('{}', MediaType.empty)
      const layer = await blob('a layer', MediaType.imageLayer)
      const elsewhere = {
        mediaType: MediaType.imageLayerNonDistributableGzip,
        digest: digestOf('elsewhere', algorithm),
        size: 123_456,
        urls: ['https://store.example.com/x'],
      }
      const absent = { ...layer, digest: digestOf('absent', algorithm) }
      const image = await push(imageManifest({ config, layers: [layer] }))
      const child = await push(imageManifest({ config, layers: [layer, layer] }))
      const platform = { os: 'linux', architecture: 'amd64' }
      const index = await push(indexManifest([{ ...image, platform }, child]))
      await push(indexManifest([index, index]))
      await push(indexManifest([]))
      await push(imageManifest({ config, layers: [] }))
      await push(imageManifest({ config, layers: [elsewhere, layer] }))
      await push(imageManifest({ config, layers: [absent] }))
      await push(indexManifest([image, { ...image, digest: absent.digest }]))
      await push(imageManifest({ config, layers: [{ ...layer, data: Buffer.from('a layer').toString('base64') }] }))
      await push({ ...imageManifest({ config, layers: [layer] }), 'org.example.field': ['anything'] })
      await push(imageManifest({ config: empty, layers: [empty], artifactType: 'application/vnd.example' }))
      await push(imageManifest({ config, layers: [], annotations: { large: 'A'.repeat(3_900_000) } }))
      const artifact = { config: empty, layers: [layer], subject: image, artifactType: 'application/vnd.example' }
      const signature = await push(imageManifest(artifact))
      await push(indexManifest([image], { subject: image, artifactType: 'application/vnd.list' }))
      await push(imageManifest({ ...artifact, subject: signature }))
      await push(imageManifest({ ...artifact, subject: absent }))

      for (const { digest, body, mediaType } of pushed) {
        const answer = await registry.send('GET', `/v2/${REPOSITORY}/manifests/${digest}`)
        expect(answer.text === body).toBe(true)
        expect(answer.headers['content-type']).toBe(mediaType)
        const head = await registry.send('HEAD', `/v2/${REPOSITORY}/manifests/${digest}`)
        expect(head.headers['content-length']).toBe(String(body.length))
      }
      const referrers = async (digest: string): Promise<number> => {
        const answer = await registry.send('GET', `/v2/${REPOSITORY}/referrers/${digest}`)
        return answer.json.manifests?.length ?? -1
      }
      expect(await referrers(image.digest)).toBe(2)
      expect(await referrers(signature.digest)).toBe(1)
      expect(await referrers(absent.digest)).toBe(1)

      for (const { digest } of pushed.reverse()) {
        expect((await registry.send('DELETE', `/v2/${REPOSITORY}/manifests/${digest}`)).status).toBe(202)
        expect((await registry.send('HEAD', `/v2/${REPOSITORY}/manifests/${digest}`)).status).toBe(404)
      }
      expect(await referrers(image.digest)).toBe(0)
      for (const { digest } of [config, empty, layer]) {
        expect((await registry.send('DELETE', `/v2/${REPOSITORY}/blobs/${digest}`)).status).toBe(202)
      }
      expect((await registry.send('GET', `/v2/${REPOSITORY}/tags/list`)).status).toBe(404)
    },
  )
})
