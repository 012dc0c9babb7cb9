import { describe, expect, test } from 'vitest'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { digestOf } from '../../src/oci/digest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { openBytes } from '../../src/util/bytes.js'
import { answers, collect, cut, manifestHeaders, manifestWith, NAME, startTestRegistry } from './test-registry.js'

const content = manifestWith()
const { descriptor, bytes } = content
const headers = manifestHeaders(content)
const BY_TAG = `/v2/${NAME}/manifests/v1`
const BY_DIGEST = `/v2/${NAME}/manifests/${descriptor.digest}`
const stored = { 'docker-content-digest': descriptor.digest }

describe('push of a manifest', () => {
  test('is one PUT by digest', async () => {
    const registry = await startTestRegistry({ [`PUT ${BY_DIGEST}`]: answers(201, stored) })
    const offsets: number[] = []
    await registry.repository().push(descriptor, openBytes(bytes), { onProgress: (offset) => offsets.push(offset) })
    expect(registry.requests()).toEqual([`PUT ${BY_DIGEST}`])
    expect(registry.ledger.at(-1)?.headers['content-type']).toBe(MediaType.imageManifest)
    expect(registry.ledger.at(-1)?.bodySha256).toBe(descriptor.digest.slice(7))
    expect(offsets).toEqual([bytes.length])
  })

  test('with a tag is one PUT by tag', async () => {
    const registry = await startTestRegistry({ [`PUT ${BY_TAG}`]: answers(201, stored) })
    await registry.repository().push(descriptor, openBytes(bytes), { tag: 'v1' })
    expect(registry.requests()).toEqual([`PUT ${BY_TAG}`])
  })

  test('with a tag and a digest that registries do not prefer is put under both', async () => {
    const digest = digestOf(bytes, 'sha512')
    const registry = await startTestRegistry((exchange) => exchange.answer(201, stored))
    await registry.repository().push({ ...descriptor, digest }, openBytes(bytes), { tag: 'v1' })
    expect(registry.requests()).toEqual([`PUT /v2/${NAME}/manifests/${digest}?tag=v1`, `PUT ${BY_TAG}`])
    registry.use((exchange) => exchange.answer(201, { ...stored, 'oci-tag': 'v1' }))
    await registry.repository().push({ ...descriptor, digest }, openBytes(bytes), { tag: 'v1' })
    expect(registry.requests()).toHaveLength(3)
  })

  test.each([200, 202])('is content with %i', async (status) => {
    const registry = await startTestRegistry({ [`PUT ${BY_DIGEST}`]: answers(status) })
    await registry.repository().push(descriptor, openBytes(bytes))
  })

  test('with 204 is content when the registry then has the manifest', async () => {
    const registry = await startTestRegistry({
      [`PUT ${BY_DIGEST}`]: answers(204, { 'oci-subject': 'sha256:x' }),
      [`HEAD ${BY_DIGEST}`]: answers(200, headers),
    })
    await registry.repository().push(descriptor, openBytes(bytes))
    expect(registry.requests()).toEqual([`PUT ${BY_DIGEST}`, `HEAD ${BY_DIGEST}`])
    registry.use(({ request, answer }) => answer(request.method === 'PUT' ? 204 : 404))
    await expect(registry.repository().push(descriptor, openBytes(bytes))).rejects.toMatchObject({
      code: 'registry-error',
    })
    registry.use(({ answer }) => answer(204, { 'docker-content-digest': digestOf('other') }))
    await expect(registry.repository().push(descriptor, openBytes(bytes))).rejects.toMatchObject({
      code: 'digest-mismatch',
    })
  })

  test.each([
    ['other bytes', Buffer.alloc(bytes.length, 'x'), 'digest-mismatch'],
    ['too few bytes', bytes.subarray(1), 'size-mismatch'],
    ['too many bytes', Buffer.concat([bytes, bytes]), 'size-mismatch'],
  ])('of %s asks nothing', async (_, wrong, code) => {
    const registry = await startTestRegistry({})
    await expect(registry.repository().push(descriptor, openBytes(wrong))).rejects.toMatchObject({ code })
    expect(registry.requests()).toEqual([])
  })

  test('of more than the limit asks nothing', async () => {
    const registry = await startTestRegistry({})
    await expect(registry.repository({ maxManifestSize: 10 }).push(descriptor, openBytes(bytes))).rejects.toMatchObject(
      { code: 'limit-exceeded' },
    )
    expect(registry.requests()).toEqual([])
  })

  test('that is stored as something else is an error', async () => {
    const registry = await startTestRegistry({
      [`PUT ${BY_DIGEST}`]: answers(201, { 'docker-content-digest': digestOf('other') }),
    })
    await expect(registry.repository().push(descriptor, openBytes(bytes))).rejects.toMatchObject({
      code: 'digest-mismatch',
    })
  })

  test('is repeated after a server error and a reset', async () => {
    const registry = await startTestRegistry({ [`PUT ${BY_TAG}`]: [answers(503), cut, answers(201, stored)] })
    await registry.repository().push(descriptor, openBytes(bytes), { tag: 'v1' })
    expect(registry.requests()).toHaveLength(3)
  })

  test.each<[string, ReturnType<typeof answers>]>([
    ['500', answers(500)],
    ['a reset', cut],
    ['409, as the tag must not move', answers(409, {}, { errors: [{ code: 'TAG_IMMUTABLE' }] })],
    ['412, as the tag must not move', answers(412)],
    ['400, as the tag must not move', answers(400)],
  ])('that always ends with %s although the registry has it succeeds', async (_, script) => {
    const registry = await startTestRegistry({ [`PUT ${BY_TAG}`]: script, [`HEAD ${BY_TAG}`]: answers(200, headers) })
    await registry.repository().push(descriptor, openBytes(bytes), { tag: 'v1' })
    expect(registry.requests().at(-1)).toBe(`HEAD ${BY_TAG}`)
  })

  test.each([
    [500, 'registry-error'],
    [409, 'conflict'],
    [412, 'conflict'],
    [400, 'registry-error'],
  ])('that ends with %i while the tag holds something else fails', async (status, code) => {
    const other = manifestHeaders(manifestWith({ annotations: { a: 'b' } }))
    const registry = await startTestRegistry({
      [`PUT ${BY_TAG}`]: answers(status),
      [`HEAD ${BY_TAG}`]: answers(200, other),
    })
    await expect(registry.repository().push(descriptor, openBytes(bytes), { tag: 'v1' })).rejects.toMatchObject({
      code,
      response: { status, method: 'PUT' },
    })
  })

  test('that is denied is not asked about', async () => {
    const registry = await startTestRegistry({ [`PUT ${BY_TAG}`]: answers(403) })
    await expect(registry.repository().push(descriptor, openBytes(bytes), { tag: 'v1' })).rejects.toMatchObject({
      code: 'denied',
    })
    expect(registry.requests()).toEqual([`PUT ${BY_TAG}`])
  })

  test('under what is no tag asks nothing', async () => {
    const registry = await startTestRegistry({})
    await expect(registry.repository().push(descriptor, openBytes(bytes), { tag: '../x' })).rejects.toMatchObject({
      code: 'invalid-reference',
    })
    expect(registry.requests()).toEqual([])
  })
})

describe('tag', () => {
  test('reads the manifest and puts its bytes', async () => {
    const registry = await startTestRegistry({
      [`GET ${BY_DIGEST}`]: answers(200, headers, bytes),
      [`PUT ${BY_TAG}`]: answers(201, stored),
    })
    await registry.repository().tag(descriptor, 'v1')
    expect(registry.requests()).toEqual([`GET ${BY_DIGEST}`, `PUT ${BY_TAG}`])
    expect(registry.ledger[1]?.bodySha256).toBe(descriptor.digest.slice(7))
  })

  test('of what was just pushed, read or fetched reads nothing', async () => {
    const registry = await startTestRegistry({
      [`GET ${BY_DIGEST}`]: answers(200, headers, bytes),
      [`PUT ${BY_DIGEST}`]: answers(201, stored),
      [`PUT ${BY_TAG}`]: answers(201, stored),
    })
    const pushing = registry.repository()
    await pushing.push(descriptor, openBytes(bytes))
    await pushing.tag(descriptor, 'v1')
    const reading = registry.repository()
    await reading.readManifest(descriptor.digest)
    await reading.tag(descriptor, 'v1')
    const fetching = registry.repository()
    await collect(fetching.fetch(descriptor))
    await fetching.tag(descriptor, 'v1')
    expect(registry.requests().filter((request) => request.startsWith('GET'))).toHaveLength(2)
  })

  test('of nothing is not found', async () => {
    const registry = await startTestRegistry({})
    await expect(registry.repository().tag(descriptor, 'v1')).rejects.toMatchObject({ code: 'not-found' })
  })

  test('does not look at subjects', async () => {
    const referrer = manifestWith({ subject: descriptor })
    const registry = await startTestRegistry({
      [`GET /v2/${NAME}/manifests/${referrer.descriptor.digest}`]: answers(
        200,
        manifestHeaders(referrer),
        referrer.bytes,
      ),
      [`PUT ${BY_TAG}`]: answers(201),
    })
    await registry.repository().tag(referrer.descriptor, 'v1')
    expect(registry.requests()).toHaveLength(2)
  })
})

describe('delete', () => {
  const blob = { ...descriptorOf('a/b', bytes) }
  const BLOB = `/v2/${NAME}/blobs/${blob.digest}`

  test('of a blob is one DELETE', async () => {
    const registry = await startTestRegistry({ [`DELETE ${BLOB}`]: answers(202) })
    await registry.repository().delete(blob)
    expect(registry.requests()).toEqual([`DELETE ${BLOB}`])
  })

  test.each([
    [405, 'UNSUPPORTED', 'unsupported'],
    [400, 'UNSUPPORTED', 'unsupported'],
    [404, 'BLOB_UNKNOWN', 'not-found'],
    [403, 'DENIED', 'denied'],
  ])('answered with %i %s fails with %s', async (status, entry, code) => {
    const registry = await startTestRegistry({ [`DELETE ${BLOB}`]: answers(status, {}, { errors: [{ code: entry }] }) })
    const error = await registry
      .repository()
      .delete(blob)
      .catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      code,
      ...(code === 'unsupported' ? { hint: expect.stringContaining('delete') } : {}),
    })
    if (code === 'not-found')
      expect(error).toMatchObject({ message: `${registry.host}/${NAME}@${blob.digest}: not found` })
  })

  test('answered with 404 although the content is there is no success', async () => {
    const registry = await startTestRegistry({
      [`HEAD ${BLOB}`]: answers(200, { 'content-length': String(bytes.length) }),
      [`HEAD ${BY_DIGEST}`]: answers(200, headers),
      [`HEAD ${BY_TAG}`]: answers(200, headers),
      [`GET ${BY_DIGEST}`]: answers(200, headers, bytes),
    })
    const repository = registry.repository()
    const deletions = [() => repository.delete(blob), () => repository.delete(descriptor), () => repository.untag('v1')]
    for (const deletion of deletions) {
      await expect(deletion()).rejects.toMatchObject({
        code: 'unsupported',
        message: expect.stringContaining('the registry has it, and answers "not found" to its deletion') as string,
        response: { status: 404 },
      })
    }
  })

  test.each<[string, ReturnType<typeof answers>]>([
    ['a server error', answers(500)],
    ['a reset', cut],
  ])('that is gone after %s has succeeded', async (_, script) => {
    const registry = await startTestRegistry({ [`DELETE ${BLOB}`]: [script, answers(404)] })
    await registry.repository().delete(blob)
    expect(registry.requests()).toHaveLength(2)
  })

  test('is given up after a while', async () => {
    const registry = await startTestRegistry({ [`DELETE ${BLOB}`]: answers(502) })
    await expect(registry.repository().delete(blob)).rejects.toMatchObject({ response: { status: 502 } })
    expect(registry.requests()).toHaveLength(5)
  })

  test('of a manifest looks for its subject, and for the referrers API only then', async () => {
    const registry = await startTestRegistry({
      [`GET ${BY_DIGEST}`]: answers(200, headers, bytes),
      [`DELETE ${BY_DIGEST}`]: answers(202),
    })
    await registry.repository().delete(descriptor)
    expect(registry.requests()).toEqual([`GET ${BY_DIGEST}`, `DELETE ${BY_DIGEST}`])
    await expect(registry.repository({ referrers: 'api' }).delete(descriptor)).resolves.toBeUndefined()
    expect(registry.requests().at(-2)).toBe(`DELETE ${BY_DIGEST}`)
  })

  test('of a manifest that cannot be read deletes it all the same', async () => {
    const registry = await startTestRegistry({
      [`GET ${BY_DIGEST}`]: answers(200, {}, 'garbage'),
      [`DELETE ${BY_DIGEST}`]: answers(202),
    })
    await registry.repository().delete(descriptor)
    expect(registry.requests().at(-1)).toBe(`DELETE ${BY_DIGEST}`)
  })

  test('of a manifest that is not there is not found', async () => {
    const registry = await startTestRegistry({})
    await expect(registry.repository().delete(descriptor)).rejects.toMatchObject({ code: 'not-found' })
  })

  test('forgets the manifest', async () => {
    let isThere = true
    const registry = await startTestRegistry({
      [`GET ${BY_DIGEST}`]: ({ answer }) => (isThere ? answer(200, headers, bytes) : answer(404)),
      [`DELETE ${BY_DIGEST}`]: ({ answer }) => {
        isThere = false
        answer(202)
      },
    })
    const repository = registry.repository()
    await repository.readManifest(descriptor.digest)
    await repository.delete(descriptor)
    await expect(collect(repository.fetch(descriptor))).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('untag', () => {
  test('is one DELETE by tag', async () => {
    const registry = await startTestRegistry({ [`DELETE ${BY_TAG}`]: answers(202) })
    await registry.repository().untag('v1')
    expect(registry.requests()).toEqual([`DELETE ${BY_TAG}`])
  })

  test.each([
    [400, 'DIGEST_INVALID', 'unsupported'],
    [400, 'UNSUPPORTED', 'unsupported'],
    [405, 'UNSUPPORTED', 'unsupported'],
    [404, 'MANIFEST_UNKNOWN', 'not-found'],
  ])('answered with %i %s fails with %s', async (status, entry, code) => {
    const registry = await startTestRegistry({
      [`DELETE ${BY_TAG}`]: answers(status, {}, { errors: [{ code: entry }] }),
    })
    await expect(registry.repository().untag('v1')).rejects.toMatchObject({ code })
  })

  test.each(['', '../x', descriptor.digest])('of %j asks nothing', async (tag) => {
    const registry = await startTestRegistry({})
    const repository = registry.repository()
    await expect(repository.untag(tag)).rejects.toMatchObject({ code: 'invalid-reference' })
    await expect(repository.tag(descriptor, tag)).rejects.toMatchObject({ code: 'invalid-reference' })
    await expect(repository.push(descriptor, openBytes(bytes), { tag })).rejects.toMatchObject({
      code: 'invalid-reference',
    })
    expect(registry.ledger).toEqual([])
  })
})
