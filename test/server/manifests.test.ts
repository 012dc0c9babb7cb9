import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { STORAGES } from './storages.js'
import { EMPTY_JSON, imageManifest, indexManifest, startTestRegistry } from './test-registry.js'

const ABSENT = { mediaType: MediaType.imageManifest, digest: digestOf('absent'), size: 6 }

describe.each(STORAGES)('manifests $name', ({ options }) => {
  test('come back byte for byte, by tag and by digest', async () => {
    const registry = await startTestRegistry(options())
    await registry.pushBlob('a/b', '{}')
    const body = `${JSON.stringify(imageManifest(), undefined, 3)}\n\n`
    const digest = digestOf(body)
    const put = await registry.putManifest('a/b', 'v1', body)
    expect(put.status).toBe(201)
    expect(put.headers).toMatchObject({ location: `/v2/a/b/manifests/${digest}`, 'docker-content-digest': digest })
    expect(put.headers['oci-subject']).toBeUndefined()
    for (const reference of ['v1', digest]) {
      const get = await registry.send('GET', `/v2/a/b/manifests/${reference}`)
      expect(get.status).toBe(200)
      expect(get.text).toBe(body)
      expect(get.headers).toMatchObject({
        'content-type': MediaType.imageManifest,
        'content-length': String(body.length),
        'docker-content-digest': digest,
        etag: `"${digest}"`,
      })
      const head = await registry.send('HEAD', `/v2/a/b/manifests/${reference}`)
      expect(head.status).toBe(200)
      expect(head.bytes).toHaveLength(0)
      expect(head.headers).toMatchObject({
        'content-type': MediaType.imageManifest,
        'content-length': String(body.length),
        'docker-content-digest': digest,
      })
    }
  })

  test('are known by a digest of either algorithm', async () => {
    const registry = await startTestRegistry(options())
    await registry.pushBlob('a', '{}')
    const body = JSON.stringify(imageManifest())
    const digest = digestOf(body, 'sha512')
    const put = await registry.putManifest('a', digest, body)
    expect(put.status).toBe(201)
    expect(put.headers['docker-content-digest']).toBe(digest)
    expect((await registry.send('GET', `/v2/a/manifests/${digest}`)).text).toBe(body)
    expect((await registry.send('GET', `/v2/a/manifests/${digestOf(body)}`)).status).toBe(404)
  })

  test('can be tagged while they are pushed by digest', async () => {
    const registry = await startTestRegistry(options())
    await registry.pushBlob('a', '{}')
    const body = JSON.stringify(imageManifest())
    const digest = digestOf(body, 'sha512')
    const put = await registry.putManifest('a', `${digest}?tag=v1&tag=v1.2&tag=v1`, body)
    expect(put.status).toBe(201)
    expect(put.headers['oci-tag']).toBe('v1, v1.2')
    expect((await registry.send('GET', '/v2/a/tags/list')).json.tags).toEqual(['v1', 'v1.2'])
    expect((await registry.send('GET', '/v2/a/manifests/v1.2')).headers['docker-content-digest']).toBe(digest)
  })

  test('move a tag, and stay under their digest', async () => {
    const registry = await startTestRegistry(options())
    const one = await registry.pushImage('a', 'v1', { annotations: { n: '1' } })
    const two = await registry.pushImage('a', 'v1', { annotations: { n: '2' } })
    expect((await registry.send('GET', '/v2/a/manifests/v1')).headers['docker-content-digest']).toBe(two.digest)
    expect((await registry.send('GET', `/v2/a/manifests/${one.digest}`)).status).toBe(200)
  })

  test('are deleted by digest with their tags, and by tag with the tag alone', async () => {
    const registry = await startTestRegistry(options())
    const { digest, body } = await registry.pushImage('a', 'v1')
    await registry.putManifest('a', 'v2', body)
    await registry.putManifest('a', 'v3', body)
    const other = await registry.pushImage('a', 'other', { annotations: { n: '1' } })
    expect((await registry.send('DELETE', '/v2/a/manifests/v1')).status).toBe(202)
    expect((await registry.send('GET', '/v2/a/manifests/v1')).status).toBe(404)
    expect((await registry.send('GET', '/v2/a/manifests/v2')).status).toBe(200)
    expect((await registry.send('DELETE', `/v2/a/manifests/${digest}`)).status).toBe(202)
    for (const reference of ['v2', 'v3', digest]) {
      const answer = await registry.send('GET', `/v2/a/manifests/${reference}`)
      expect(answer.status).toBe(404)
      expect(answer.code).toBe('MANIFEST_UNKNOWN')
    }
    expect((await registry.send('DELETE', `/v2/a/manifests/${digest}`)).status).toBe(404)
    expect((await registry.send('DELETE', '/v2/a/manifests/v2')).status).toBe(404)
    expect((await registry.send('GET', '/v2/a/tags/list')).json.tags).toEqual(['other'])
    expect((await registry.send('GET', `/v2/a/manifests/${other.digest}`)).status).toBe(200)
    expect((await registry.send('GET', `/v2/a/blobs/${EMPTY_JSON.digest}`)).status).toBe(200)
  })

  test('can be a blob at the same time', async () => {
    const registry = await startTestRegistry(options())
    const { digest, body } = await registry.pushImage('a', 'v1')
    await registry.pushBlob('a', body)
    await registry.send('DELETE', `/v2/a/blobs/${digest}`)
    expect((await registry.send('GET', '/v2/a/manifests/v1')).text).toBe(body)
    await registry.pushBlob('a', body)
    await registry.send('DELETE', `/v2/a/manifests/${digest}`)
    expect((await registry.send('GET', `/v2/a/blobs/${digest}`)).text).toBe(body)
  })
})

describe('a manifest', () => {
  test.each([
    ['an image', imageManifest()],
    ['an artifact', imageManifest({ artifactType: 'application/vnd.x', layers: [EMPTY_JSON] })],
    ['an empty index', indexManifest([])],
    ['a sparse index', indexManifest([ABSENT])],
    ['a Docker manifest', imageManifest({ mediaType: MediaType.dockerManifest })],
    ['a Docker manifest list', { schemaVersion: 2, mediaType: MediaType.dockerManifestList, manifests: [ABSENT] }],
    ['an artifact manifest', { mediaType: MediaType.artifactManifest, artifactType: 'a/b', blobs: [EMPTY_JSON] }],
    ['one of another type', { mediaType: 'application/vnd.example.manifest.v9+json', things: [1] }],
    ['one with fields of its own', imageManifest({ custom: { __proto__: 1 } })],
    [
      'one with layers that are to be had elsewhere',
      imageManifest({
        layers: [{ ...ABSENT, mediaType: MediaType.imageLayerNonDistributableGzip, urls: ['https://x'] }],
      }),
    ],
    ['one with content in its descriptors', imageManifest({ layers: [{ ...EMPTY_JSON, data: 'e30=' }] })],
  ])('is taken: %s', async (_, manifest) => {
    const registry = await startTestRegistry()
    await registry.pushBlob('a', '{}')
    expect((await registry.putManifest('a', 'v1', manifest)).status).toBe(201)
    const get = await registry.send('GET', '/v2/a/manifests/v1')
    expect(get.json).toEqual(manifest)
    expect(get.headers['content-type']).toBe(manifest.mediaType)
  })

  test.each([
    ['no JSON', 'blablabla'],
    ['no object', '[]'],
    ['no UTF-8', Buffer.from('{"a":"\xff"}', 'latin1')],
    ['nested without end', '{"a":'.repeat(100_000)],
    ['a key twice', '{"config":{},"config":{}}'],
    ['no config', JSON.stringify({ ...imageManifest(), config: undefined })],
    ['a broken digest', JSON.stringify(imageManifest({ layers: [{ ...EMPTY_JSON, digest: 'sha256:x' }] }))],
    ['a negative size', JSON.stringify(imageManifest({ layers: [{ ...EMPTY_JSON, size: -1 }] }))],
    ['image and index at once', JSON.stringify(imageManifest({ manifests: [] }))],
  ])('is refused: %s', async (_, body) => {
    const registry = await startTestRegistry()
    await registry.pushBlob('a', '{}')
    const answer = await registry.send('PUT', '/v2/a/manifests/v1', {
      headers: { 'Content-Type': MediaType.imageManifest },
      body,
    })
    expect(answer.status).toBe(400)
    expect(answer.code).toBe('MANIFEST_INVALID')
    expect((await registry.send('GET', '/v2/a/manifests/v1')).status).toBe(404)
  })

  test('of another media type than announced is refused', async () => {
    const registry = await startTestRegistry()
    await registry.pushBlob('a', '{}')
    const answer = await registry.putManifest('a', 'v1', imageManifest(), { 'Content-Type': MediaType.imageIndex })
    expect(answer.code).toBe('MANIFEST_INVALID')
  })

  test.each([
    ['application/vnd.oci.image.manifest.v1+json; charset=utf-8', MediaType.imageManifest],
    ['application/json', MediaType.imageManifest],
    ['', MediaType.imageManifest],
  ])('announced as "%s" is known by its own type', async (contentType, mediaType) => {
    const registry = await startTestRegistry()
    await registry.pushBlob('a', '{}')
    expect((await registry.putManifest('a', 'v1', imageManifest(), { 'Content-Type': contentType })).status).toBe(201)
    expect((await registry.send('GET', '/v2/a/manifests/v1')).headers['content-type']).toBe(mediaType)
  })

  test('with a digest of other content is refused', async () => {
    const registry = await startTestRegistry()
    await registry.pushBlob('a', '{}')
    const answer = await registry.putManifest('a', digestOf('x'), imageManifest())
    expect(answer.status).toBe(400)
    expect(answer.code).toBe('DIGEST_INVALID')
  })

  test.each([
    ['sha256:baddigeststring', 400, 'DIGEST_INVALID'],
    ['.hidden', 400, 'TAG_INVALID'],
    ['a'.repeat(129), 400, 'TAG_INVALID'],
    ['a%20b', 400, 'TAG_INVALID'],
    ['v1?tag=v2', 400, 'TAG_INVALID'],
    [`${digestOf(JSON.stringify(imageManifest()))}?tag=.x`, 400, 'TAG_INVALID'],
  ])('is not put at %s', async (reference, status, code) => {
    const registry = await startTestRegistry()
    await registry.pushBlob('a', '{}')
    const answer = await registry.putManifest('a', reference, imageManifest())
    expect(answer.status).toBe(status)
    expect(answer.code).toBe(code)
    expect((await registry.send('GET', `/v2/a/manifests/${reference}`)).status).toBe(404)
  })

  test('takes a bounded number of tags at once', async () => {
    const registry = await startTestRegistry()
    await registry.pushBlob('a', '{}')
    const body = JSON.stringify(imageManifest())
    const tags = Array.from({ length: 101 }, (_, index) => `tag=t${index}`).join('&')
    expect((await registry.putManifest('a', `${digestOf(body)}?${tags}`, body)).status).toBe(414)
  })

  test('waits for its blobs, unless the registry is told not to', async () => {
    const layer = { mediaType: MediaType.imageLayerGzip, digest: digestOf('layer'), size: 5 }
    const manifest = imageManifest({ layers: [layer] })
    const strict = await startTestRegistry()
    await strict.pushBlob('a', '{}')
    await strict.pushBlob('b', 'layer')
    const refused = await strict.putManifest('a', 'v1', manifest)
    expect(refused.status).toBe(404)
    expect(refused.code).toBe('MANIFEST_BLOB_UNKNOWN')
    expect(refused.text).toContain(layer.digest)
    await strict.pushBlob('a', 'layer')
    expect((await strict.putManifest('a', 'v1', manifest)).status).toBe(201)
    const lenient = await startTestRegistry({ requireBlobs: false })
    expect((await lenient.putManifest('a', 'v1', manifest)).status).toBe(201)
  })

  test('is not sent to those that have it', async () => {
    const registry = await startTestRegistry()
    const { digest } = await registry.pushImage('a', 'v1')
    const answer = await registry.send('GET', '/v2/a/manifests/v1', { headers: { 'If-None-Match': `"${digest}"` } })
    expect(answer.status).toBe(304)
    expect(answer.headers['docker-content-digest']).toBe(digest)
  })

  test('replaces only what the request expects', async () => {
    const registry = await startTestRegistry()
    const one = await registry.pushImage('a', 'v1')
    const next = imageManifest({ annotations: { n: '2' } })
    const put = (tag: string, headers: Record<string, string>) => registry.putManifest('a', tag, next, headers)
    const refused = await put('v1', { 'If-Match': `"${digestOf('x')}"` })
    expect(refused.status).toBe(412)
    expect(refused.headers.etag).toBe(`"${one.digest}"`)
    expect((await put('v1', { 'If-None-Match': '*' })).status).toBe(412)
    expect((await put('new', { 'If-Match': '*' })).status).toBe(412)
    expect((await put('v1', { 'If-Match': `"${one.digest}"` })).status).toBe(201)
    expect((await put('v1', { 'If-Match': `"${one.digest}"` })).status).toBe(412)
    expect((await put('new', { 'If-None-Match': '*' })).status).toBe(201)
    const remove = (digest: string) =>
      registry.send('DELETE', '/v2/a/manifests/v1', { headers: { 'If-Match': `"${digest}"` } })
    expect((await remove(one.digest)).status).toBe(412)
    expect((await remove(digestOf(JSON.stringify(next)))).status).toBe(202)
  })

  test.each(['v1', digestOf('x'), '.INVALID_MANIFEST_NAME', 'sha256:baddigeststring'])(
    'that is not there: %s',
    async (reference) => {
      const registry = await startTestRegistry()
      for (const [method, code] of [
        ['GET', 'NAME_UNKNOWN'],
        ['DELETE', 'NAME_UNKNOWN'],
      ] as const) {
        const answer = await registry.send(method, `/v2/a/manifests/${reference}`)
        expect(answer.status).toBe(404)
        expect(answer.code).toBe(code)
      }
      await registry.pushBlob('a', '{}')
      expect((await registry.send('GET', `/v2/a/manifests/${reference}`)).code).toBe('MANIFEST_UNKNOWN')
      const head = await registry.send('HEAD', `/v2/a/manifests/${reference}`)
      expect(head.status).toBe(404)
      expect(head.bytes).toHaveLength(0)
    },
  )
})

test.each([
  [
    'a layer',
    MediaType.imageManifest,
    (layer: string) => `{"config":${layer},"layers":[${layer.slice(0, -1)},"Size":5}]}`,
  ],
  ['an index', MediaType.imageIndex, (layer: string) => `{"manifests":[],"Manifests":[${layer}]}`],
  ['an unknown type', 'application/x+json', (layer: string) => `{"subject":${layer.slice(0, -1)},"\u017fize":5}}`],
])('a manifest whose keys can be understood in two ways is refused: %s', async (_, mediaType, bodyOf) => {
  const registry = await startTestRegistry()
  await registry.pushBlob('a', '{}')
  const answer = await registry.putManifest('a', 'v1', bodyOf(JSON.stringify(EMPTY_JSON)), {
    'Content-Type': mediaType,
  })
  expect(answer.status).toBe(400)
  expect(answer.code).toBe('MANIFEST_INVALID')
  expect(answer.json.errors?.[0]?.message).toContain('ambiguous')
})
