import { describe, expect, test } from 'vitest'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { discover } from '../../src/graph/discover.js'
import { encodeJson } from '../../src/oci/encode-json.js'
import { MediaType } from '../../src/oci/media-types.js'
import { referrersTagOf } from '../../src/oci/referrers-tag.js'
import { answers, manifestWith, NAME, startTestRegistry } from './test-registry.js'

const subject = manifestWith().descriptor
const API = `/v2/${NAME}/referrers/${subject.digest}`
const TAG = `/v2/${NAME}/manifests/${referrersTagOf(subject.digest)}`

function referrer(number: number, artifactType = 'application/vnd.example'): Descriptor {
  const { descriptor } = manifestWith({ subject, annotations: { number: String(number) } })
  return { ...descriptor, artifactType }
}

function indexOf(manifests: readonly unknown[] | null, more: object = {}): object {
  return { schemaVersion: 2, mediaType: MediaType.imageIndex, manifests, ...more }
}

const INDEX = { 'content-type': MediaType.imageIndex }

function lists(
  manifests: readonly unknown[] | null,
  headers: Record<string, string> = {},
  more = {},
): ReturnType<typeof answers> {
  return answers(200, { ...INDEX, ...headers }, indexOf(manifests, more))
}

const [first, second, third] = [referrer(1), referrer(2, 'application/vnd.other'), referrer(3)]

describe('the referrers API', () => {
  test('is read page by page, each referrer once', async () => {
    const registry = await startTestRegistry({
      [`GET ${API}`]: lists([first, second], { link: `<${API}?page=2>; rel="next"` }),
      [`GET ${API}?page=2`]: lists([second, third]),
    })
    expect(await registry.repository().referrers(subject)).toEqual([first, second, third])
    expect(registry.ledger[0]?.headers.accept).toBe(MediaType.imageIndex)
  })

  test('is read up to a limit that can be raised', async () => {
    const registry = await startTestRegistry({ [`GET ${API}`]: lists([first, second]) })
    const repository = registry.repository()
    await expect(discover(repository, subject, { depth: 1, maxListLength: 1 })).rejects.toMatchObject({
      code: 'limit-exceeded',
      details: { reason: 'list-length' },
    })
    expect((await discover(repository, subject, { depth: 1, maxListLength: 2 })).root.referrers).toHaveLength(2)
  })

  test.each([[null], [[]]])('can answer with %j', async (manifests) => {
    const registry = await startTestRegistry({ [`GET ${API}`]: lists(manifests) })
    expect(await registry.repository().referrers(subject)).toEqual([])
    expect(registry.requests()).toHaveLength(1)
  })

  test.each([
    ['does not filter', {}, {}, 2],
    ['filters and says so in a header', { 'oci-filters-applied': 'other, artifactType' }, {}, 3],
    [
      'filters and says so in an annotation',
      {},
      { annotations: { 'org.opencontainers.referrers.filtersApplied': 'artifactType' } },
      3,
    ],
    ['says that it filters by something else', { 'oci-filters-applied': 'annotation' }, {}, 2],
  ])('that %s is filtered here as needed', async (_, headers, more, count) => {
    // The registry's word counts: with the header even what looks wrong is taken.
    const registry = await startTestRegistry({ [`GET ${API}`]: lists([first, second, third], headers, more) })
    const found = await registry.repository().referrers(subject, { artifactType: 'application/vnd.example' })
    expect(found).toHaveLength(count)
    expect(registry.requests()[0]).toContain('?artifactType=application%2Fvnd.example')
  })

  test.each([[[{ digest: 'sha256:../x', size: 1, mediaType: 'a/b' }]], ['x'], [[5]]])(
    'with %j is an error',
    async (manifests) => {
      const registry = await startTestRegistry({ [`GET ${API}`]: lists(manifests as unknown[]) })
      await expect(registry.repository().referrers(subject)).rejects.toThrow()
    },
  )

  test('of a missing repository is not found', async () => {
    const registry = await startTestRegistry({})
    await expect(registry.repository().referrers(subject)).rejects.toMatchObject({ code: 'not-found' })
    expect(registry.requests()).toEqual([`GET ${API}`])
  })

  test.each([401, 403, 500])('answered with %i is an error', async (status) => {
    const registry = await startTestRegistry({ [`GET ${API}`]: answers(status) })
    await expect(registry.repository().referrers(subject)).rejects.toMatchObject({ response: { status } })
    expect(registry.requests()).not.toContain(`GET ${TAG}`)
  })

  test('that fails on a later page is an error', async () => {
    const registry = await startTestRegistry({
      [`GET ${API}`]: lists([first], { link: `<${API}?page=2>; rel="next"` }),
      [`GET ${API}?page=2`]: answers(404),
    })
    await expect(registry.repository().referrers(subject)).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('without the referrers API', () => {
  const missing = answers(404, { 'content-type': 'text/plain' }, '404 page not found')
  const kept = encodeJson(indexOf([first, second, first]))
  const tagged = answers(
    200,
    { ...INDEX, 'docker-content-digest': descriptorOf(MediaType.imageIndex, kept).digest },
    kept,
  )

  test.each<[string, ReturnType<typeof answers>]>([
    ['404', missing],
    ['404 with an error', answers(404, {}, { errors: [{ code: 'UNSUPPORTED' }] })],
    ['400', answers(400)],
    ['405', answers(405)],
    ['406', answers(406)],
    ['200 and a web page', answers(200, { 'content-type': 'text/html' }, '<html></html>')],
    ['200 and some JSON', answers(200, { 'content-type': 'application/json' }, '{}')],
  ])('shown by %s, the tag is read', async (_, script) => {
    const registry = await startTestRegistry({ [`GET ${API}`]: script, [`GET ${TAG}`]: tagged })
    expect(await registry.repository().referrers(subject)).toEqual([first, second])
    expect(await registry.repository().referrers(subject, { artifactType: 'application/vnd.other' })).toEqual([second])
  })

  test('the API is asked for once for all repositories of the registry', async () => {
    const registry = await startTestRegistry({ [`GET ${API}`]: missing, [`GET ${TAG}`]: tagged })
    await registry.repository().referrers(subject)
    await registry.repository().referrers(subject)
    expect(registry.requests()).toEqual([`GET ${API}`, `GET ${TAG}`, `GET ${TAG}`])
  })

  test('400 says nothing about other subjects', async () => {
    const registry = await startTestRegistry({ [`GET ${API}`]: [answers(400), lists([first])] })
    expect(await registry.repository().referrers(subject)).toEqual([])
    expect(await registry.repository().referrers(subject)).toEqual([first])
  })

  test('no tag means no referrers', async () => {
    const registry = await startTestRegistry({ [`GET ${API}`]: missing })
    expect(await registry.repository().referrers(subject)).toEqual([])
  })

  test('a tag that holds no list means no referrers', async () => {
    const { descriptor, bytes } = manifestWith({ annotations: { some: 'image' } })
    const registry = await startTestRegistry({
      [`GET ${API}`]: missing,
      [`GET ${TAG}`]: answers(200, { 'content-type': descriptor.mediaType }, bytes),
    })
    expect(await registry.repository().referrers(subject)).toEqual([])
  })

  test('a registry that takes the tag for the subject means no referrers', async () => {
    const bytes = encodeJson(indexOf([first]))
    const index = descriptorOf(MediaType.imageIndex, bytes)
    const registry = await startTestRegistry({
      [`GET /v2/${NAME}/referrers/${index.digest}`]: missing,
      [`GET /v2/${NAME}/manifests/${referrersTagOf(index.digest)}`]: answers(200, INDEX, bytes),
    })
    expect(await registry.repository().referrers(index)).toEqual([])
  })

  test('a list that is too large or malformed is an error', async () => {
    const registry = await startTestRegistry({
      [`GET ${API}`]: missing,
      [`GET ${TAG}`]: [answers(200, INDEX, Buffer.alloc(5000, ' ')), answers(200, INDEX, '{"manifests":[{}]}')],
    })
    const repository = registry.repository({ maxManifestSize: 4000 })
    await expect(repository.referrers(subject)).rejects.toMatchObject({ code: 'limit-exceeded' })
    await expect(repository.referrers(subject)).rejects.toMatchObject({ code: 'invalid-content' })
  })
})

describe('the mode', () => {
  test('"api" never reads the tag', async () => {
    const registry = await startTestRegistry({ [`GET ${API}`]: answers(404) })
    await expect(registry.repository({ referrers: 'api' }).referrers(subject)).rejects.toMatchObject({
      code: 'unsupported',
      message: `${registry.host} has no referrers API`,
    })
    expect(registry.requests()).toEqual([`GET ${API}`])
  })

  test('"tag" never asks the API', async () => {
    const registry = await startTestRegistry({ [`GET ${TAG}`]: answers(200, INDEX, indexOf([first])) })
    expect(await registry.repository({ referrers: 'tag' }).referrers(subject)).toEqual([first])
    expect(registry.requests()).toEqual([`GET ${TAG}`])
  })
})
