import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { STORAGES } from './storages.js'
import { imageManifest, indexManifest, startTestRegistry, type TestRegistry } from './test-registry.js'

async function pages<Entry>(registry: TestRegistry, path: string, key: string): Promise<(readonly Entry[])[]> {
  const found: (readonly Entry[])[] = []
  for (let next: string | undefined = path; next !== undefined;) {
    const answer = await registry.send('GET', next)
    expect(answer.status).toBe(200)
    found.push(answer.json[key] as readonly Entry[])
    next = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link ?? ''))?.[1]
  }
  return found
}

describe('the list of tags', () => {
  test('is sorted, and can be read in pages', async () => {
    const registry = await startTestRegistry()
    for (const tag of ['v2', 'latest', 'A', 'b', 'v10', 'v1']) await registry.pushImage('a/b', tag)
    const sorted = ['A', 'b', 'latest', 'v1', 'v10', 'v2']
    const all = await registry.send('GET', '/v2/a/b/tags/list')
    expect(all.json).toEqual({ name: 'a/b', tags: sorted })
    expect(all.headers['content-type']).toBe('application/json')
    expect(all.headers.link).toBeUndefined()
    expect(await pages(registry, '/v2/a/b/tags/list?n=4', 'tags')).toEqual([sorted.slice(0, 4), sorted.slice(4)])
    expect(await pages(registry, '/v2/a/b/tags/list?n=1', 'tags')).toEqual(sorted.map((tag) => [tag]))
    expect((await registry.send('GET', '/v2/a/b/tags/list?last=latest')).json.tags).toEqual(['v1', 'v10', 'v2'])
    const none = await registry.send('GET', '/v2/a/b/tags/list?n=0')
    expect(none.json.tags).toEqual([])
    expect(none.headers.link).toBeUndefined()
  })

  test('has at most a thousand entries a page, however many are asked for', async () => {
    const registry = await startTestRegistry()
    const { body, digest } = await registry.pushImage('a')
    for (let start = 0; start < 1050; start += 50) {
      const tags = Array.from({ length: 50 }, (_, index) => `tag=t${start + index}`).join('&')
      await registry.putManifest('a', `${digest}?${tags}`, body)
    }
    const found = await pages(registry, '/v2/a/tags/list?n=1000000000000', 'tags')
    expect(found.map((page) => page.length)).toEqual([1000, 50])
    expect(new Set(found.flat()).size).toBe(1050)
  })

  test('is empty for a repository without tags, and not there without a repository', async () => {
    const registry = await startTestRegistry()
    const missing = await registry.send('GET', '/v2/a/tags/list')
    expect(missing.status).toBe(404)
    expect(missing.code).toBe('NAME_UNKNOWN')
    await registry.pushImage('a')
    expect((await registry.send('GET', '/v2/a/tags/list')).json).toEqual({ name: 'a', tags: [] })
    expect((await registry.send('GET', '/v2/a/tags/list?n=x')).code).toBe('PAGINATION_NUMBER_INVALID')
  })
})

describe('the catalog', () => {
  test('lists the repositories that hold something', async () => {
    const registry = await startTestRegistry()
    expect((await registry.send('GET', '/v2/_catalog')).json).toEqual({ repositories: [] })
    for (const name of ['z', 'a/b', 'a/a', 'm']) await registry.pushBlob(name, '{}')
    await registry.openUpload('not-yet')
    const sorted = ['a/a', 'a/b', 'm', 'z']
    expect((await registry.send('GET', '/v2/_catalog')).json).toEqual({ repositories: sorted })
    expect(await pages(registry, '/v2/_catalog?n=3', 'repositories')).toEqual([sorted.slice(0, 3), sorted.slice(3)])
    await registry.send('DELETE', `/v2/m/blobs/${digestOf('{}')}`)
    expect((await registry.send('GET', '/v2/_catalog')).json).toEqual({ repositories: ['a/a', 'a/b', 'z'] })
  })
})

describe.each(STORAGES)('the list of referrers $name', ({ options }) => {
  const referrers = async (registry: TestRegistry, digest: string, query = ''): Promise<readonly object[]> => {
    const answer = await registry.send('GET', `/v2/a/referrers/${digest}${query}`)
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe(MediaType.imageIndex)
    expect(answer.json).toMatchObject({ schemaVersion: 2, mediaType: MediaType.imageIndex })
    return answer.json.manifests ?? []
  }

  test('names everything with this subject, with its type and annotations', async () => {
    const registry = await startTestRegistry(options())
    const image = await registry.pushImage('a', 'v1')
    const subject = { mediaType: MediaType.imageManifest, digest: image.digest, size: image.size }
    expect(await referrers(registry, image.digest)).toEqual([])
    const annotations = { 'org.example': 'x', __proto__: 'y' }
    const push = async (manifest: object): Promise<{ digest: string; size: number }> => {
      const body = JSON.stringify(manifest)
      const answer = await registry.putManifest('a', digestOf(body), body)
      expect(answer.status).toBe(201)
      expect(answer.headers['oci-subject']).toBe(image.digest)
      return { digest: digestOf(body), size: body.length }
    }
    const typed = await push(imageManifest({ subject, artifactType: 'application/vnd.a', annotations }))
    const untyped = await push(imageManifest({ subject }))
    const index = await push(indexManifest([], { subject, artifactType: 'application/vnd.b' }))
    const bare = await push(indexManifest([], { subject }))
    const mediaType = MediaType.imageManifest
    expect(await referrers(registry, image.digest)).toEqual([
      { mediaType, ...typed, artifactType: 'application/vnd.a', annotations: { 'org.example': 'x' } },
      { mediaType, ...untyped, artifactType: MediaType.empty },
      { mediaType: MediaType.imageIndex, ...index, artifactType: 'application/vnd.b' },
      { mediaType: MediaType.imageIndex, ...bare },
    ])
    const answer = await registry.send('GET', `/v2/a/referrers/${image.digest}?artifactType=application/vnd.b`)
    expect(answer.headers['oci-filters-applied']).toBe('artifactType')
    expect(answer.json.manifests?.map((entry) => entry.digest)).toEqual([index.digest])
    expect(await referrers(registry, image.digest, '?artifactType=application/vnd.none')).toEqual([])
    await registry.send('DELETE', `/v2/a/manifests/${typed.digest}`)
    expect(await referrers(registry, image.digest)).toHaveLength(3)
    expect((await registry.send('GET', `/v2/b/referrers/${image.digest}`)).json.manifests).toEqual([])
  })

  test.each([
    ['an image', imageManifest(), { artifactType: MediaType.empty }],
    ['an index', indexManifest([]), {}],
    ['a manifest of another type', { mediaType: 'application/vnd.example.manifest+json' }, {}],
  ])('takes an empty type for none: %s', async (_, manifest, type) => {
    const registry = await startTestRegistry(options())
    await registry.pushBlob('a', '{}')
    const subject = { mediaType: MediaType.imageManifest, digest: digestOf('absent'), size: 6 }
    const body = JSON.stringify({ ...manifest, subject, artifactType: '' })
    expect((await registry.putManifest('a', 'v1', body)).status).toBe(201)
    expect(await referrers(registry, subject.digest)).toEqual([
      { mediaType: manifest.mediaType, digest: digestOf(body), size: body.length, ...type },
    ])
  })

  test('is kept for a subject that is not there yet, or not any more', async () => {
    const registry = await startTestRegistry(options())
    const body = JSON.stringify(imageManifest({ annotations: { n: '1' } }))
    const subject = { mediaType: MediaType.imageManifest, digest: digestOf(body), size: body.length }
    const referrer = await registry.pushImage('a', 'sig', { subject })
    expect(await referrers(registry, subject.digest)).toMatchObject([{ digest: referrer.digest }])
    await registry.putManifest('a', 'v1', body)
    expect(await referrers(registry, subject.digest)).toHaveLength(1)
    await registry.send('DELETE', `/v2/a/manifests/${subject.digest}`)
    expect(await referrers(registry, subject.digest)).toHaveLength(1)
  })

  test('is read in pages when it is long', async () => {
    const registry = await startTestRegistry(options())
    const subject = { mediaType: MediaType.imageManifest, digest: digestOf('absent'), size: 6 }
    await registry.pushBlob('a', '{}')
    const long = 'x'.repeat(700_000)
    const pushed: string[] = []
    for (let index = 0; index < 7; index++) {
      const artifactType = `application/vnd.${index % 2 === 0 ? 'even' : 'odd'}`
      const body = JSON.stringify(imageManifest({ subject, artifactType, annotations: { n: `${index}${long}` } }))
      expect((await registry.putManifest('a', digestOf(body), body)).status).toBe(201)
      pushed.push(digestOf(body))
    }
    const all = await pages<{ digest: string }>(registry, `/v2/a/referrers/${subject.digest}`, 'manifests')
    expect(all.map((page) => page.length)).toEqual([2, 2, 2, 1])
    expect(
      all
        .flat()
        .map((entry) => entry.digest)
        .sort(),
    ).toEqual([...pushed].sort())
    const even = await pages(
      registry,
      `/v2/a/referrers/${subject.digest}?artifactType=application/vnd.even`,
      'manifests',
    )
    expect(even.map((page) => page.length)).toEqual([2, 2])
  })
})
