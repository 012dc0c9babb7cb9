import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { pushManifest } from '../../src/artifact/push-manifest.js'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { digestOf } from '../../src/oci/digest.js'
import { ACCEPTED_MANIFEST_TYPES, MediaType } from '../../src/oci/media-types.js'
import type { Script } from './http/scripted-server.js'
import { answers, collect, cut, manifestHeaders, manifestWith, NAME, startTestRegistry } from './test-registry.js'

const content = manifestWith()
const { descriptor, bytes } = content
const headers = manifestHeaders(content)
const BY_TAG = `/v2/${NAME}/manifests/v1`
const BY_DIGEST = `/v2/${NAME}/manifests/${descriptor.digest}`
const other = digestOf('other')

function without(...names: string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)))
}

describe('resolve', () => {
  test('needs one HEAD that asks for all types', async () => {
    const registry = await startTestRegistry({ [`HEAD ${BY_TAG}`]: answers(200, headers) })
    expect(await registry.repository().resolve('v1')).toEqual(descriptor)
    expect(registry.requests()).toEqual([`HEAD ${BY_TAG}`])
    expect(registry.ledger[0]?.headers.accept).toBe(ACCEPTED_MANIFEST_TYPES.join(', '))
  })

  test('by digest needs no digest header', async () => {
    const registry = await startTestRegistry({ [`HEAD ${BY_DIGEST}`]: answers(200, without('docker-content-digest')) })
    expect(await registry.repository().resolve(descriptor.digest)).toEqual(descriptor)
  })

  test.each<[string, number, Record<string, string>]>([
    ['no digest', 200, without('docker-content-digest')],
    ['no type', 200, without('content-type')],
    ['a generic type', 200, { ...headers, 'content-type': 'application/json;charset=ISO-8859-1' }],
    ['no length', 200, { ...without('content-length'), 'transfer-encoding': 'chunked' }],
    ['the length of an encoding', 200, { ...headers, 'content-encoding': 'gzip', 'content-length': '7' }],
    ['405', 405, {}],
    ['403', 403, {}],
    ['404', 404, {}],
    ['500', 500, {}],
    ['400', 400, {}],
  ])('asks for the manifest itself after a HEAD with %s', async (_, status, head) => {
    const registry = await startTestRegistry(
      {
        [`HEAD ${BY_TAG}`]: ({ response }) => {
          response.writeHead(status, head)
          response.end()
        },
        [`GET ${BY_TAG}`]: answers(200, headers, bytes),
      },
      { transport: { retry: { attempts: 1 } } },
    )
    expect(await registry.repository().resolve('v1')).toEqual(descriptor)
    expect(registry.requests()).toEqual([`HEAD ${BY_TAG}`, `GET ${BY_TAG}`])
  })

  test('of nothing is not found', async () => {
    const registry = await startTestRegistry({})
    await expect(registry.repository().resolve('v1')).rejects.toMatchObject({
      code: 'not-found',
      message: `${registry.host}/${NAME}:v1: not found`,
      response: { status: 404 },
    })
  })

  test('of nothing takes one HEAD for a caller who trusts it', async () => {
    const registry = await startTestRegistry({ [`GET ${BY_TAG}`]: answers(200, headers, bytes) })
    const repository = registry.repository()
    await expect(repository.resolve('v1', { trustMissing: true })).rejects.toMatchObject({ code: 'not-found' })
    expect(registry.requests()).toEqual([`HEAD ${BY_TAG}`])
  })

  test.each([401, 429])('does not ask twice after %i', async (status) => {
    const registry = await startTestRegistry(
      { [`HEAD ${BY_TAG}`]: answers(status) },
      { transport: { retry: { attempts: 1 } } },
    )
    await expect(registry.repository().resolve('v1')).rejects.toMatchObject({ response: { status } })
    expect(registry.requests()).not.toContain(`GET ${BY_TAG}`)
  })

  test('by digest refuses another digest', async () => {
    const registry = await startTestRegistry({
      [`HEAD ${BY_DIGEST}`]: answers(200, { ...headers, 'docker-content-digest': other }),
    })
    await expect(registry.repository().resolve(descriptor.digest)).rejects.toMatchObject({ code: 'digest-mismatch' })
  })

  test('by digest checks the bytes against a digest of another algorithm', async () => {
    const sha512 = { ...headers, 'docker-content-digest': digestOf(bytes, 'sha512') }
    const registry = await startTestRegistry({
      [`HEAD ${BY_DIGEST}`]: answers(200, sha512),
      [`GET ${BY_DIGEST}`]: answers(200, sha512, bytes),
    })
    expect(await registry.repository().resolve(descriptor.digest)).toEqual(descriptor)
  })
})

describe('readManifest', () => {
  test('needs one GET', async () => {
    const registry = await startTestRegistry({ [`GET ${BY_TAG}`]: answers(200, headers, bytes) })
    const found = await registry.repository().readManifest('v1')
    expect(found.descriptor).toEqual(descriptor)
    expect(Buffer.from(found.bytes)).toEqual(Buffer.from(bytes))
    expect(registry.requests()).toEqual([`GET ${BY_TAG}`])
  })

  test.each<[string, Record<string, string>]>([
    ['no digest', without('docker-content-digest')],
    ['a type with parameters', { ...headers, 'content-type': `${MediaType.imageManifest}; charset=utf-8` }],
    ['a generic type', { ...headers, 'content-type': 'text/plain' }],
    ['no type', without('content-type')],
  ])('is content with %s', async (_, some) => {
    const registry = await startTestRegistry({ [`GET ${BY_TAG}`]: answers(200, some, bytes) })
    expect((await registry.repository().readManifest('v1')).descriptor).toEqual(descriptor)
  })

  test('refuses another digest than the pinned one, after one fresh look', async () => {
    const swapped = manifestWith({ annotations: { evil: 'yes' } })
    const registry = await startTestRegistry({
      [`GET ${BY_DIGEST}`]: answers(200, manifestHeaders(swapped), swapped.bytes),
    })
    await expect(registry.repository().readManifest(descriptor.digest)).rejects.toMatchObject({
      code: 'digest-mismatch',
      message: expect.stringContaining(`wanted ${descriptor.digest}, got ${swapped.descriptor.digest}`),
    })
    expect(registry.ledger.map((entry) => entry.headers['cache-control'])).toEqual([undefined, 'no-cache'])
  })

  test('refuses a tag whose bytes are not those of the header', async () => {
    const registry = await startTestRegistry({
      [`GET ${BY_TAG}`]: answers(200, { ...headers, 'docker-content-digest': other }, bytes),
    })
    await expect(registry.repository().readManifest('v1')).rejects.toMatchObject({ code: 'digest-mismatch' })
  })

  test('accepts the second answer after one broken one', async () => {
    const broken = Buffer.from(bytes)
    broken[5]! ^= 1
    const registry = await startTestRegistry({
      [`GET ${BY_TAG}`]: [answers(200, headers, broken), answers(200, headers, bytes)],
    })
    expect((await registry.repository().readManifest('v1')).descriptor).toEqual(descriptor)
  })

  test('refuses a digest header that is none', async () => {
    const registry = await startTestRegistry({
      [`GET ${BY_TAG}`]: answers(200, { ...headers, 'docker-content-digest': 'sha256:../../x' }, bytes),
    })
    await expect(registry.repository().readManifest('v1')).rejects.toMatchObject({ code: 'invalid-digest' })
  })

  test('refuses a document of another type than announced', async () => {
    const registry = await startTestRegistry({
      [`GET ${BY_TAG}`]: answers(200, { ...headers, 'content-type': MediaType.imageIndex }, bytes),
    })
    await expect(registry.repository().readManifest('v1')).rejects.toMatchObject({ code: 'ambiguous-manifest' })
  })

  test("checks Docker's signed schema 1 by the digest that leaves out its signatures", async () => {
    const { signed, digest } = signedSchema1()
    const type = { 'content-type': MediaType.dockerSignedSchema1, 'docker-content-digest': digest }
    const registry = await startTestRegistry({ [`GET ${BY_TAG}`]: answers(200, type, signed) })
    const { descriptor: found, bytes: received } = await registry.repository().readManifest('v1')
    expect(found).toMatchObject({ mediaType: MediaType.dockerSignedSchema1, digest, size: signed.byteLength })
    expect(Buffer.from(received).equals(signed)).toBe(true)
  })

  test.each<[string, unknown, string]>([
    ['an image', { schemaVersion: 2, config: {}, layers: [] }, MediaType.imageManifest],
    ['an index', { schemaVersion: 2, manifests: [] }, MediaType.imageIndex],
    ['something else', { schemaVersion: 2 }, 'application/json'],
  ])('finds out by its fields that application/json is %s', async (_, document, mediaType) => {
    const registry = await startTestRegistry({
      [`GET ${BY_TAG}`]: answers(200, { 'content-type': 'application/json' }, Buffer.from(JSON.stringify(document))),
    })
    expect((await registry.repository().readManifest('v1')).descriptor).toMatchObject({ mediaType })
  })

  test.each(['aws-chunked', 'UTF-8', 'gzip', 'x-gzip', 'identity, identity'])(
    'takes bytes as they came that are labelled %s and are right',
    async (encoding) => {
      const labelled = answers(200, { ...headers, 'content-encoding': encoding }, bytes)
      const registry = await startTestRegistry({ [`GET ${BY_TAG}`]: labelled })
      expect((await registry.repository().readManifest('v1')).descriptor).toEqual(descriptor)
    },
  )

  test.each(['gzip', 'x-gzip'])('decodes a document that is %s indeed', async (encoding) => {
    const labelled = { ...without('content-length'), 'content-encoding': encoding }
    const registry = await startTestRegistry({ [`GET ${BY_TAG}`]: answers(200, labelled, gzipSync(bytes)) })
    const received = await registry.repository().readManifest('v1')
    expect(received.descriptor).toEqual(descriptor)
    expect(Buffer.from(received.bytes).equals(Buffer.from(bytes))).toBe(true)
  })

  test('decodes no more than the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(5 * 1024 * 1024, ' '))
    const registry = await startTestRegistry({ [`GET ${BY_TAG}`]: answers(200, { 'content-encoding': 'gzip' }, bomb) })
    await expect(registry.repository().readManifest('v1')).rejects.toMatchObject({ code: 'limit-exceeded' })
  })

  test('mentions the label of bytes that are wrong', async () => {
    const registry = await startTestRegistry({
      [`GET ${BY_TAG}`]: answers(200, { ...headers, 'content-encoding': 'br' }, 'x'.repeat(bytes.byteLength)),
    })
    await expect(registry.repository().readManifest('v1')).rejects.toMatchObject({
      code: 'digest-mismatch',
      hint: expect.stringContaining('"Content-Encoding: br"'),
    })
  })

  test.each([
    ['announced', (size: number) => ({ 'content-length': String(size) })],
    ['streamed', () => ({})],
  ])('refuses more than the limit, %s', async (_, lengthOf) => {
    const large = Buffer.alloc(3000, ' ')
    const registry = await startTestRegistry({
      [`GET ${BY_TAG}`]: ({ response }) => {
        response.writeHead(200, { 'content-type': MediaType.imageManifest, ...lengthOf(large.length) })
        response.write(large.subarray(0, 1500))
        setTimeout(() => response.end(large.subarray(1500)), 10)
      },
    })
    await expect(registry.repository({ maxManifestSize: 2000 }).readManifest('v1')).rejects.toThrow(
      'exceeds the limit of 2000 bytes',
    )
    expect(registry.requests()).toHaveLength(1)
  })

  test('reads again when the body breaks off', async () => {
    const registry = await startTestRegistry({
      [`GET ${BY_TAG}`]: [
        ({ response, socket }) => {
          response.writeHead(200, headers)
          response.write(bytes.subarray(0, 10))
          setTimeout(() => socket.resetAndDestroy(), 20)
        },
        answers(200, headers, bytes),
      ],
    })
    expect((await registry.repository().readManifest('v1')).descriptor).toEqual(descriptor)
  })

  test('gives up on a registry that always breaks off', async () => {
    const registry = await startTestRegistry({ [`GET ${BY_TAG}`]: cut })
    await expect(registry.repository().readManifest('v1')).rejects.toMatchObject({ code: 'network-error' })
  })

  test.each(['', '..', 'a/b', 'sha256:x'])('asks nothing for %j', async (reference) => {
    const registry = await startTestRegistry({})
    await expect(registry.repository().readManifest(reference)).rejects.toMatchObject({ code: 'invalid-reference' })
    expect(registry.requests()).toEqual([])
  })
})

describe('fetch of a manifest', () => {
  test('asks at the manifests endpoint, when it is read', async () => {
    const registry = await startTestRegistry({ [`GET ${BY_DIGEST}`]: answers(200, headers, bytes) })
    const opened = registry.repository().fetch(descriptor)
    expect(registry.requests()).toEqual([])
    expect(await collect(opened)).toEqual(Buffer.from(bytes))
    expect(registry.requests()).toEqual([`GET ${BY_DIGEST}`])
  })

  test('that was just read asks nothing, unless past all caches', async () => {
    const registry = await startTestRegistry({
      [`GET ${BY_TAG}`]: answers(200, headers, bytes),
      [`GET ${BY_DIGEST}`]: answers(200, headers, bytes),
    })
    const repository = registry.repository()
    await repository.readManifest('v1')
    expect(await collect(repository.fetch(descriptor, { offset: 5 }))).toEqual(Buffer.from(bytes.subarray(5)))
    expect(registry.requests()).toHaveLength(1)
    await collect(repository.fetch(descriptor, { noCache: true }))
    expect(registry.ledger[1]?.headers['cache-control']).toBe('no-cache')
  })

  test('refuses another type or size than the descriptor names', async () => {
    const registry = await startTestRegistry({ [`GET ${BY_DIGEST}`]: answers(200, headers, bytes) })
    const repository = registry.repository()
    await expect(
      collect(repository.fetch({ ...descriptor, mediaType: MediaType.dockerManifest })),
    ).rejects.toMatchObject({
      code: 'ambiguous-manifest',
    })
    await expect(collect(repository.fetch({ ...descriptor, size: 1 }))).rejects.toMatchObject({ code: 'size-mismatch' })
  })

  test('uses data in the descriptor that is right', async () => {
    const registry = await startTestRegistry({})
    const data = Buffer.from('hello')
    const blob = { mediaType: 'text/plain', digest: digestOf(data), size: 5, data: data.toString('base64') }
    expect(await collect(registry.repository().fetch(blob, { offset: 2 }))).toEqual(Buffer.from('llo'))
    expect(registry.requests()).toEqual([])
  })
})

test.each([
  ['other bytes', Buffer.from('hullo').toString('base64')],
  ['another length', Buffer.from('hello!').toString('base64')],
  ['no base64', '%%%%%%%%'],
  ['too much', 'a'.repeat(1_000_000)],
])('data in a descriptor that is %s is not used', async (_, data) => {
  const bytes = Buffer.from('hello')
  const blob = { mediaType: 'text/plain', digest: digestOf(bytes), size: 5, data }
  const registry = await startTestRegistry({ [`GET /v2/${NAME}/blobs/${blob.digest}`]: answers(200, {}, bytes) })
  expect(await collect(registry.repository().fetch(blob))).toEqual(bytes)
  expect(registry.requests()).toHaveLength(1)
})

describe('has', () => {
  test.each([
    [200, true],
    [404, false],
    // Some registries know no better word for a manifest that is not there.
    [403, false],
  ])('a manifest answered with %i: %s', async (status, expected) => {
    const registry = await startTestRegistry({ [`HEAD ${BY_DIGEST}`]: answers(status, status === 200 ? headers : {}) })
    expect(await registry.repository().has(descriptor)).toBe(expected)
  })

  test.each([
    [200, true],
    [404, false],
  ])('a manifest where HEAD is not offered, GET answered with %i: %s', async (status, expected) => {
    const registry = await startTestRegistry({
      [`HEAD ${BY_DIGEST}`]: answers(405),
      [`GET ${BY_DIGEST}`]: answers(status, status === 200 ? headers : {}, status === 200 ? bytes : undefined),
    })
    expect(await registry.repository().has(descriptor)).toBe(expected)
  })

  test.each([401, 500])('throws for %i', async (status) => {
    const registry = await startTestRegistry(() => undefined, { transport: { retry: { attempts: 1 } } })
    registry.use(answers(status))
    await expect(registry.repository().has(descriptor)).rejects.toMatchObject({ response: { status } })
    const blob = { ...descriptor, mediaType: 'a/b' }
    // An upload of the blob shows what is wrong.
    if (status === 500) expect(await registry.repository().has(blob)).toBe(false)
    else await expect(registry.repository().has(blob)).rejects.toMatchObject({ response: { status } })
  })

  test.each([
    ['100', true],
    ['101', false],
    ['0', true],
  ])('a blob of 100 bytes that is answered with a length of %s: %s', async (length, expected) => {
    const registry = await startTestRegistry(({ response }) => {
      response.writeHead(200, { 'content-length': length })
      response.end()
    })
    expect(await registry.repository().has({ ...descriptor, size: 100, mediaType: 'a/b' })).toBe(expected)
  })

  test.each([
    [200, true],
    [404, false],
    [405, false],
    [403, false],
  ])('a blob answered with %i: %s', async (status, expected) => {
    const registry = await startTestRegistry({ [`HEAD /v2/${NAME}/blobs/${descriptor.digest}`]: answers(status) })
    expect(await registry.repository().has({ ...descriptor, mediaType: 'a/b' })).toBe(expected)
  })
})

describe('resolveBlob', () => {
  const BLOB = `HEAD /v2/${NAME}/blobs/${descriptor.digest}`

  test('finds a blob by its digest', async () => {
    const registry = await startTestRegistry({ [BLOB]: answers(200, { 'content-length': '5' }) })
    expect(await registry.repository().resolveBlob(descriptor.digest)).toEqual({
      mediaType: 'application/octet-stream',
      digest: descriptor.digest,
      size: 5,
    })
  })

  test('of nothing is not found', async () => {
    const registry = await startTestRegistry({})
    await expect(registry.repository().resolveBlob(descriptor.digest)).rejects.toMatchObject({
      code: 'not-found',
      message: `${registry.host}/${NAME}@${descriptor.digest}: not found`,
    })
  })

  const withoutLength: Script = ({ response }) => {
    response.writeHead(200, { 'transfer-encoding': 'chunked' })
    response.end(bytes)
  }

  test.each<[string, Script, Script]>([
    ['no length', withoutLength, answers(200, {}, bytes)],
    ['404', answers(404), answers(200, {}, bytes)],
    ['405', answers(405), answers(200, {}, bytes)],
    ['500', answers(500), answers(200, {}, bytes)],
    ['no length, and a GET without one either', withoutLength, withoutLength],
  ])('takes the size from a GET after a HEAD with %s', async (_, head, get) => {
    const routes = { [BLOB]: head, [BLOB.replace('HEAD', 'GET')]: get }
    const registry = await startTestRegistry(routes, { transport: { retry: { attempts: 1 } } })
    expect(await registry.repository().resolveBlob(descriptor.digest)).toMatchObject({ size: bytes.byteLength })
  })

  test('checks a blob that had to be read', async () => {
    const wrong: Script = ({ response }) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' })
      response.end('wrong')
    }
    const registry = await startTestRegistry({ [BLOB.replace('HEAD', 'GET')]: wrong })
    await expect(registry.repository().resolveBlob(descriptor.digest)).rejects.toMatchObject({
      code: 'digest-mismatch',
    })
  })
})

describe('a manifest of an unknown type', () => {
  const unknown = descriptorOf('application/vnd.test.manifest.v1+jsn', Buffer.from('{"schemaVersion":2}'))
  const unknownBytes = Buffer.from('{"schemaVersion":2}')
  const path = `/v2/${NAME}/manifests/${unknown.digest}`

  test('is pushed to the manifests, under its tag', async () => {
    const registry = await startTestRegistry({ [`PUT ${BY_TAG}`]: answers(201, {}, '') })
    const content = { descriptor: unknown, bytes: unknownBytes }
    expect(await pushManifest(registry.repository(), content, { tags: ['v1'] })).toBe(false)
    expect(registry.requests()).toEqual([`HEAD ${BY_TAG}`, `PUT ${BY_TAG}`])
    expect(registry.ledger.at(-1)?.headers['content-type']).toBe(unknown.mediaType)
  })

  test('is deleted from the manifests once it was resolved', async () => {
    const found = manifestHeaders({ descriptor: unknown, bytes: unknownBytes })
    const registry = await startTestRegistry({
      [`HEAD ${BY_TAG}`]: answers(200, found),
      [`GET /v2/${NAME}/referrers/${unknown.digest}`]: answers(404, {}, ''),
      [`GET ${path}`]: answers(200, found, unknownBytes),
      [`DELETE ${path}`]: answers(202, {}, ''),
    })
    const repository = registry.repository()
    await repository.delete(await repository.resolve('v1'))
    expect(registry.requests()).toContain(`DELETE ${path}`)
  })
})

/** A manifest as Docker signed it: the signature names the end of what it covers, and what comes after that there. */
function signedSchema1(): { signed: Buffer; digest: string } {
  const start = '{\n   "schemaVersion": 1,\n   "fsLayers": []'
  const tail = '\n}'
  const header = { formatLength: Buffer.byteLength(start), formatTail: Buffer.from(tail).toString('base64url') }
  const signature = { protected: Buffer.from(JSON.stringify(header)).toString('base64url') }
  const signed = Buffer.from(`${start},\n   "signatures": [${JSON.stringify(signature)}]\n}`)
  return { signed, digest: digestOf(Buffer.from(start + tail)) }
}
