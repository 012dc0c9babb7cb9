import { createHash } from 'node:crypto'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { plainDescriptor } from '../../src/oci/descriptor.js'
import { digestOf } from '../../src/oci/digest.js'
import type { ManifestContent } from '../../src/oci/manifest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { referrersTagOf } from '../../src/oci/referrers-tag.js'
import { createTransport } from '../../src/registry/http/create-transport.js'
import type { RegistryTransport } from '../../src/registry/http/transport.js'
import { Repository, type RepositoryOptions } from '../../src/registry/repository.js'
import { openBytes } from '../../src/util/bytes.js'
import type { ScriptedExchange } from './http/scripted-server.js'
import { manifestWith, NAME, startTestRegistry, type TestRegistry } from './test-registry.js'

const subjectContent = manifestWith()
const subject = plainDescriptor(subjectContent.descriptor)
const TAG = referrersTagOf(subject.digest)

function referrer(number: number | string): ManifestContent {
  return manifestWith({ subject, annotations: { number: String(number) } })
}

interface Entry {
  readonly digest: string
  readonly [key: string]: unknown
}

interface ManifestQuirks {
  readonly api?: boolean
  readonly etag?: boolean
  readonly ociSubject?: boolean
  /** Looks at each request first; true when it has answered. */
  readonly intercept?: (exchange: ScriptedExchange, registry: ManifestRegistry) => boolean
}

interface ManifestRegistry extends TestRegistry {
  readonly contents: Map<string, { body: string; type: string }>
  readonly tags: Map<string, string>
  /** What the list of referrers holds. */
  listed(): Entry[]
}

/** A registry of manifests without the referrers API, with what matters for lists under a tag. */
async function startManifestRegistry(quirks: ManifestQuirks = {}): Promise<ManifestRegistry> {
  const contents: ManifestRegistry['contents'] = new Map()
  const tags: ManifestRegistry['tags'] = new Map()
  const server = await startTestRegistry((exchange) => {
    const { request, entry, answer } = exchange
    const [, kind = '', reference = ''] = /\/(manifests|referrers)\/([^?]+)/.exec(request.url ?? '') ?? []
    if (quirks.intercept?.(exchange, registry) === true) return
    if (kind === 'referrers') {
      if (quirks.api !== true) {
        answer(404, { 'content-type': 'text/plain' }, '404 page not found')
        return
      }
      answer(200, { 'content-type': MediaType.imageIndex }, { schemaVersion: 2, manifests: [] })
      return
    }
    const current = tags.get(reference) ?? reference
    const content = contents.get(current)
    if (request.method === 'PUT') {
      if (request.headers['if-match'] !== undefined && request.headers['if-match'] !== `"${current}"`) {
        answer(412)
        return
      }
      const digest = `sha256:${createHash('sha256').update(entry.bodyText).digest('hex')}`
      contents.set(digest, { body: entry.bodyText, type: request.headers['content-type'] ?? '' })
      if (!reference.includes(':')) tags.set(reference, digest)
      const indexed = quirks.ociSubject === true ? { 'oci-subject': subject.digest } : {}
      answer(201, { 'docker-content-digest': digest, ...indexed })
      return
    }
    if (content === undefined) {
      answer(404, {}, { errors: [{ code: 'MANIFEST_UNKNOWN' }] })
      return
    }
    if (request.method === 'DELETE') {
      contents.delete(current)
      answer(202)
      return
    }
    const etag = quirks.etag === true ? { etag: `"${current}"` } : {}
    answer(200, { 'content-type': content.type, 'docker-content-digest': current, ...etag }, content.body)
  })
  const registry: ManifestRegistry = {
    ...server,
    contents,
    tags,
    listed: () =>
      (JSON.parse(contents.get(tags.get(TAG) ?? '')?.body ?? '{"manifests":[]}') as { manifests: Entry[] }).manifests,
  }
  return registry
}

async function push(registry: TestRegistry, content: ManifestContent, options?: RepositoryOptions): Promise<void> {
  await registry.repository(options).push(content.descriptor, openBytes(content.bytes))
}

function digests(registry: ManifestRegistry): string[] {
  return registry.listed().map(({ digest }) => digest)
}

describe('a manifest with a subject', () => {
  test('is entered in the list with its type and annotations', async () => {
    const registry = await startManifestRegistry()
    const content = referrer(1)
    await push(registry, content)
    expect(JSON.parse(registry.contents.get(registry.tags.get(TAG)!)!.body)).toEqual({
      schemaVersion: 2,
      mediaType: MediaType.imageIndex,
      manifests: [{ ...content.descriptor, annotations: { number: '1' }, artifactType: 'application/vnd.example' }],
    })
    expect(await registry.repository().referrers(subject)).toHaveLength(1)
  })

  test('is not entered where the registry has the API', async () => {
    const registry = await startManifestRegistry({ api: true })
    await push(registry, referrer(1))
    await push(registry, referrer(2))
    expect(registry.tags.size).toBe(0)
    expect(registry.requests().filter((request) => request.includes('/referrers/'))).toHaveLength(1)
  })

  test('is entered where the registry says that it has it, and has no API', async () => {
    const registry = await startManifestRegistry({ ociSubject: true })
    await push(registry, referrer(1))
    expect(registry.listed()).toHaveLength(1)
  })

  test('is left to the registry where it says so, and the API cannot be asked', async () => {
    const registry = await startManifestRegistry({
      ociSubject: true,
      intercept: ({ request, answer }) => {
        if (!request.url!.includes('/referrers/')) return false
        answer(403)
        return true
      },
    })
    await push(registry, referrer(1))
    expect(registry.tags.size).toBe(0)
  })

  test.each([
    ['api', 0],
    ['tag', 1],
  ] as const)('in mode "%s" is entered %i times, without a question', async (referrers, count) => {
    const registry = await startManifestRegistry({ api: referrers === 'tag' })
    await push(registry, referrer(1), { referrers })
    expect(registry.listed()).toHaveLength(count)
    expect(registry.requests().some((request) => request.includes('/referrers/'))).toBe(false)
  })

  test('is entered once, however often it is pushed', async () => {
    const registry = await startManifestRegistry()
    await push(registry, referrer(1))
    await push(registry, referrer(1))
    expect(registry.listed()).toHaveLength(1)
    expect(registry.requests().filter((request) => request === `PUT /v2/${NAME}/manifests/${TAG}`)).toHaveLength(1)
  })

  test('leaves everything else in the list as it was', async () => {
    const registry = await startManifestRegistry()
    const foreign = {
      mediaType: 'x/y',
      digest: digestOf('foreign'),
      size: 1,
      annotations: { a: '<&>' },
      extra: { deep: [1] },
    }
    const before = {
      schemaVersion: 2,
      mediaType: MediaType.imageIndex,
      annotations: { own: 'er' },
      manifests: [foreign],
      more: 'kept',
    }
    registry.contents.set(digestOf(JSON.stringify(before)), {
      body: JSON.stringify(before),
      type: MediaType.imageIndex,
    })
    registry.tags.set(TAG, digestOf(JSON.stringify(before)))
    await push(registry, referrer(1))
    const after = JSON.parse(registry.contents.get(registry.tags.get(TAG)!)!.body)
    expect(after).toEqual({
      ...before,
      manifests: [foreign, expect.objectContaining({ digest: referrer(1).descriptor.digest })],
    })
  })
})

describe('a registry that fails once', () => {
  test.each([429, 500, 502, 503, 504])('with %i gets the list in the next attempt', async (status) => {
    let failures = 0
    const registry = await startManifestRegistry({
      intercept: ({ request, answer }) => {
        if (request.method !== 'PUT' || request.url?.includes(TAG) !== true || failures > 0) return false
        failures++
        answer(status)
        return true
      },
    })
    // Longer than what was read may be kept.
    const transport = createTransport({ registry: registry.host, plainHttp: true, retry: { firstDelay: 200 } })
    onTestFinished(() => transport.close())
    const content = referrer(1)
    await new Repository(transport, NAME).push(content.descriptor, openBytes(content.bytes))
    expect(failures).toBe(1)
    expect(registry.listed().map(({ digest }) => digest)).toEqual([content.descriptor.digest])
  })

  test('and goes on failing is given up, with what it said', async () => {
    const registry = await startManifestRegistry({
      intercept: ({ request, answer }) => {
        if (request.method !== 'PUT' || request.url?.includes(TAG) !== true) return false
        answer(503)
        return true
      },
    })
    const retry = { attempts: 3, firstDelay: 120, maxDelay: 120 }
    const transport = createTransport({ registry: registry.host, plainHttp: true, retry })
    onTestFinished(() => transport.close())
    const content = referrer(1)
    const pushed = new Repository(transport, NAME).push(content.descriptor, openBytes(content.bytes))
    await expect(pushed).rejects.toMatchObject({ code: 'registry-error', response: { status: 503 } })
  })
})

describe('a tag that holds something else', () => {
  test.each([
    ['an image', () => manifestWith({ annotations: { an: 'image' } }).bytes, MediaType.imageManifest, 'conflict'],
    ['garbage', () => Buffer.from('garbage'), MediaType.imageIndex, 'invalid-content'],
    ['too much', () => Buffer.alloc(4000, ' '), MediaType.imageIndex, 'limit-exceeded'],
  ])('such as %s is left alone', async (_, bytesOf, type, code) => {
    const registry = await startManifestRegistry()
    const body = Buffer.from(bytesOf()).toString()
    registry.contents.set(digestOf(body), { body, type })
    registry.tags.set(TAG, digestOf(body))
    await expect(push(registry, referrer(1), { maxManifestSize: 3000 })).rejects.toMatchObject({ code })
    expect(registry.tags.get(TAG)).toBe(digestOf(body))
  })

  test('or would hold too much is left alone', async () => {
    const registry = await startManifestRegistry()
    const pushes = Array.from(
      { length: 8 },
      (_, number) => () => push(registry, referrer(number), { maxManifestSize: 1200 }),
    )
    const results: unknown[] = []
    for (const attempt of pushes) results.push(await attempt().catch((error: unknown) => error))
    expect(results[0]).toBeUndefined()
    expect(results.at(-1)).toMatchObject({ code: 'limit-exceeded' })
    expect(registry.listed()).toHaveLength(results.filter((result) => result === undefined).length)
  })

  test('such as the subject, as the registry resolves it so, is written once a tag can be', async () => {
    const registry = await startManifestRegistry()
    registry.contents.set(subject.digest, {
      body: Buffer.from(subjectContent.bytes).toString(),
      type: subject.mediaType,
    })
    registry.tags.set(TAG, subject.digest)
    await push(registry, referrer(1))
    expect(registry.listed()).toHaveLength(1)
  })

  test('such as the subject, and goes on doing so, is an error', async () => {
    const registry = await startManifestRegistry({
      intercept: ({ request, answer }) => {
        if (request.method !== 'GET' || !request.url!.endsWith(TAG)) return false
        answer(200, { 'content-type': subject.mediaType }, subjectContent.bytes)
        return true
      },
    })
    await expect(push(registry, referrer(1))).rejects.toMatchObject({ code: 'unsupported' })
  })
})

describe('writers at the same time', () => {
  test('in one process share their writes', async () => {
    const registry = await startManifestRegistry()
    await Promise.all(Array.from({ length: 30 }, (_, number) => push(registry, referrer(number))))
    expect(new Set(digests(registry)).size).toBe(30)
    expect(registry.requests().filter((request) => request === `PUT /v2/${NAME}/manifests/${TAG}`).length).toBeLessThan(
      15,
    )
  })

  test.each([
    ['with', true],
    ['without', false],
  ])('in 32 processes, %s ETag, lose nothing', async (_, etag) => {
    const registry = await startManifestRegistry({ etag })
    const clients = Array.from({ length: 32 }, () => createTransport({ registry: registry.host, plainHttp: true }))
    await Promise.all(
      clients.map(async (transport, number) => {
        const { descriptor, bytes } = referrer(number)
        await new Repository(transport, NAME).push(descriptor, openBytes(bytes))
        await transport.close()
      }),
    )
    expect(new Set(digests(registry)).size).toBe(32)
  })

  test.each([
    ['with', true],
    ['without', false],
  ])('may be faster many times, %s ETag, as long as they get ahead', async (_, etag) => {
    vi.spyOn(Math, 'random').mockReturnValue(0.01)
    onTestFinished(() => void vi.restoreAllMocks())
    let others = 0
    const registry = await startManifestRegistry({
      etag,
      intercept: ({ request, answer }, { tags, contents }) => {
        if (request.method !== 'PUT' || !request.url!.endsWith(TAG) || others === 12) return false
        others++
        const manifests = Array.from({ length: others }, (_, number) => referrer(`other ${number}`).descriptor)
        const body = JSON.stringify({ schemaVersion: 2, mediaType: MediaType.imageIndex, manifests })
        contents.set(digestOf(body), { body, type: MediaType.imageIndex })
        tags.set(TAG, digestOf(body))
        answer(etag && request.headers['if-match'] !== undefined ? 412 : 201)
        return true
      },
    })
    const content = referrer(1)
    await push(registry, content)
    expect(digests(registry)).toHaveLength(13)
    expect(digests(registry)).toContain(content.descriptor.digest)
  })

  test.each([
    ['refuses each write as if others were faster', 412],
    ['takes each write and changes nothing', 201],
  ])('are no excuse where the registry %s', async (_, status) => {
    vi.spyOn(Math, 'random').mockReturnValue(0.01)
    onTestFinished(() => void vi.restoreAllMocks())
    let writes = 0
    const registry = await startManifestRegistry({
      etag: true,
      intercept: ({ request, answer }) => {
        if (request.method !== 'PUT' || !request.url!.endsWith(TAG)) return false
        writes++
        answer(status)
        return true
      },
    })
    const body = JSON.stringify({ schemaVersion: 2, mediaType: MediaType.imageIndex, manifests: [] })
    registry.contents.set(digestOf(body), { body, type: MediaType.imageIndex })
    registry.tags.set(TAG, digestOf(body))
    await expect(push(registry, referrer(1))).rejects.toMatchObject({
      code: 'conflict',
      message: `${registry.host}/${NAME}:${TAG} stays as it is, although it was written 5 times`,
    })
    expect(writes).toBe(5)
  })

  test('who get ahead for two minutes are too many', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.01)
    const now = performance.now.bind(performance)
    let ahead = 0
    vi.spyOn(performance, 'now').mockImplementation(() => now() + ahead)
    onTestFinished(() => void vi.restoreAllMocks())
    let writes = 0
    const registry = await startManifestRegistry({
      intercept: ({ request, answer }, { tags, contents }) => {
        if (request.method !== 'PUT' || !request.url!.endsWith(TAG)) return false
        const body = JSON.stringify({
          schemaVersion: 2,
          mediaType: MediaType.imageIndex,
          manifests: [],
          writes: writes++,
        })
        contents.set(digestOf(body), { body, type: MediaType.imageIndex })
        tags.set(TAG, digestOf(body))
        answer(201)
        if (writes > 1) ahead += 50_000
        return true
      },
    })
    await expect(push(registry, referrer(1))).rejects.toMatchObject({
      code: 'conflict',
      message: `${registry.host}/${NAME}:${TAG} was overwritten by others again and again for 120 s`,
    })
    expect(writes).toBe(4)
  })

  test('are noticed when they overwrite, and mended', async () => {
    let stolen = 0
    const other = referrer('other').descriptor
    const registry = await startManifestRegistry({
      intercept: ({ request, answer }, { tags, contents }) => {
        if (request.method !== 'PUT' || !request.url!.endsWith(TAG) || stolen > 0) return false
        // Another writer, who had read before, writes right after.
        stolen++
        const body = JSON.stringify({ schemaVersion: 2, mediaType: MediaType.imageIndex, manifests: [other] })
        contents.set(digestOf(body), { body, type: MediaType.imageIndex })
        tags.set(TAG, digestOf(body))
        answer(201)
        return true
      },
    })
    const content = referrer(1)
    await push(registry, content)
    expect(digests(registry)).toEqual([other.digest, content.descriptor.digest])
  })

  test('are noticed even when they overwrite a little later', async () => {
    const other = referrer('other').descriptor
    let overwritten = false
    const registry = await startManifestRegistry({
      intercept: ({ request }, { tags, contents }) => {
        if (request.method !== 'PUT' || !request.url!.endsWith(TAG) || overwritten) return false
        overwritten = true
        setTimeout(() => {
          const body = JSON.stringify({ schemaVersion: 2, mediaType: MediaType.imageIndex, manifests: [other] })
          contents.set(digestOf(body), { body, type: MediaType.imageIndex })
          tags.set(TAG, digestOf(body))
        }, 40)
        return false
      },
    })
    const content = referrer(1)
    await push(registry, content)
    expect(digests(registry)).toEqual([other.digest, content.descriptor.digest])
  })

  test('are not overwritten by a writer that was held up after reading', async () => {
    const registry = await startManifestRegistry()
    const other = referrer('other').descriptor
    let isHeldUp = true
    const transport: RegistryTransport = {
      ...registry.transport,
      registry: registry.host,
      origin: registry.url,
      request: async (request) => {
        if (isHeldUp && request.method === 'PUT' && request.url.endsWith(TAG)) {
          isHeldUp = false
          await new Promise((resolve) => setTimeout(resolve, 100))
          const body = JSON.stringify({ schemaVersion: 2, mediaType: MediaType.imageIndex, manifests: [other] })
          registry.contents.set(digestOf(body), { body, type: MediaType.imageIndex })
          registry.tags.set(TAG, digestOf(body))
        }
        return registry.transport.request(request)
      },
    }
    const content = referrer(1)
    await new Repository(transport, NAME).push(content.descriptor, openBytes(content.bytes))
    expect(digests(registry)).toEqual([other.digest, content.descriptor.digest])
    const writes = registry.ledger.filter(({ method, url }) => method === 'PUT' && url.endsWith(TAG))
    expect(writes.filter(({ complete }) => complete)).toHaveLength(1)
  })

  test('who abort do not take the others with them', async () => {
    const registry = await startManifestRegistry()
    const controller = new AbortController()
    const repository = registry.repository()
    const contents = [referrer(1), referrer(2)] as const
    const aborted = repository.push(contents[0].descriptor, openBytes(contents[0].bytes), { signal: controller.signal })
    const other = repository.push(contents[1].descriptor, openBytes(contents[1].bytes))
    setTimeout(() => controller.abort(), 60)
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' })
    await other
    expect(digests(registry)).toContain(contents[1].descriptor.digest)
  })
})

test('entries of manifests that are gone do not keep others out', async () => {
  const registry = await startManifestRegistry({
    intercept: ({ request, entry, answer }, { contents }) => {
      if (request.method !== 'PUT' || !request.url!.endsWith(TAG)) return false
      const { manifests } = JSON.parse(entry.bodyText) as { manifests: Entry[] }
      const missing = manifests.filter(({ digest }) => !contents.has(digest))
      if (missing.length === 0) return false
      answer(400, {}, { errors: missing.map(({ digest }) => ({ code: 'MANIFEST_BLOB_UNKNOWN', detail: digest })) })
      return true
    },
  })
  await push(registry, referrer(1))
  await push(registry, referrer(2))
  registry.contents.delete(referrer(1).descriptor.digest)
  await push(registry, referrer(3))
  expect(digests(registry)).toEqual([referrer(2).descriptor.digest, referrer(3).descriptor.digest])
})

describe('delete of a manifest with a subject', () => {
  test('takes it off the list, after it is gone', async () => {
    const registry = await startManifestRegistry()
    await push(registry, referrer(1))
    await push(registry, referrer(2))
    const before = registry.requests().length
    await registry.repository().delete(referrer(1).descriptor)
    expect(digests(registry)).toEqual([referrer(2).descriptor.digest])
    const after = registry.requests().slice(before)
    expect(after.findIndex((request) => request.startsWith('DELETE'))).toBeLessThan(
      after.findIndex((request) => request.startsWith('PUT')),
    )
  })

  test('leaves an empty list behind', async () => {
    const registry = await startManifestRegistry()
    await push(registry, referrer(1))
    await registry.repository().delete(referrer(1).descriptor)
    expect(registry.listed()).toEqual([])
    expect(await registry.repository().referrers(subject)).toEqual([])
  })

  test('that was never listed writes nothing', async () => {
    const registry = await startManifestRegistry()
    const content = referrer(1)
    await push(registry, content, { referrers: 'api' })
    await registry.repository().delete(content.descriptor)
    expect(registry.tags.size).toBe(0)
  })

  test('is one DELETE where the registry is known to have the API', async () => {
    const registry = await startManifestRegistry({ api: true })
    await push(registry, referrer(1))
    const before = registry.requests().length
    await registry.repository().delete(referrer(1).descriptor)
    expect(registry.requests().slice(before)).toHaveLength(1)
  })
})
