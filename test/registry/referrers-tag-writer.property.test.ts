import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { isGantryError } from '../../src/errors.js'
import { plainDescriptor } from '../../src/oci/descriptor.js'
import { digestOf } from '../../src/oci/digest.js'
import type { ManifestContent } from '../../src/oci/manifest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { referrersTagOf } from '../../src/oci/referrers-tag.js'
import { Answer } from '../../src/registry/http/answer.js'
import type { RegistryRequest, RegistryTransport } from '../../src/registry/http/transport.js'
import { Repository } from '../../src/registry/repository.js'
import { collectBytes, openBytes } from '../../src/util/bytes.js'
import { fc, runs } from '../properties.js'
import { manifestWith, NAME } from './test-registry.js'

const ORIGIN = 'http://registry.example'
const subject = plainDescriptor(manifestWith().descriptor)
const TAG = referrersTagOf(subject.digest)
const referrer = (number: number): ManifestContent => manifestWith({ subject, annotations: { number: String(number) } })
/** The entry of a program that knows fields that we do not. */
const foreign = { ...plainDescriptor(referrer(-1).descriptor), artifactType: 'application/foreign', 'x-unknown': [1] }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Manifests without the referrers API; every request is answered when the scheduler says so, and not before. */
class SlowRegistry {
  readonly manifests = new Map<string, { readonly bytes: Uint8Array; readonly type: string }>()
  readonly tags = new Map<string, string>()
  readonly #scheduler: fc.Scheduler
  readonly #hasEtags: boolean

  constructor(scheduler: fc.Scheduler, hasEtags: boolean) {
    this.#scheduler = scheduler
    this.#hasEtags = hasEtags
    this.#store(
      TAG,
      Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.imageIndex, manifests: [foreign] })),
      MediaType.imageIndex,
    )
  }

  /** A way in of its own for each of them, as programs on several machines have. */
  transport(program: number): RegistryTransport {
    return {
      registry: 'registry.example',
      origin: ORIGIN,
      request: async (request) => {
        const { content } = request.body ?? {}
        // The body leaves before the registry does anything, as it would on a connection.
        const bytes =
          typeof content === 'function' ? await collectBytes(content(), 1e6, 'body') : (content ?? new Uint8Array())
        await this.#scheduler.schedule(Promise.resolve(), `${program}: ${request.method} ${request.url}`)
        return this.#answer(request, bytes)
      },
    }
  }

  listed(): string[] {
    const bytes = this.manifests.get(this.tags.get(TAG) ?? '')?.bytes ?? new Uint8Array()
    return (JSON.parse(Buffer.from(bytes).toString()) as { manifests: { digest: string }[] }).manifests.map(
      ({ digest }) => digest,
    )
  }

  list(): string {
    return Buffer.from(this.manifests.get(this.tags.get(TAG) ?? '')?.bytes ?? new Uint8Array()).toString()
  }

  #store(reference: string, bytes: Uint8Array, type: string): string {
    const digest = digestOf(bytes)
    this.manifests.set(digest, { bytes, type })
    if (!reference.includes(':')) this.tags.set(reference, digest)
    return digest
  }

  #answer({ method, url, headers = {}, body }: RegistryRequest, bytes: Uint8Array): Answer {
    const answer = (
      status: number,
      more: Record<string, string> = {},
      content: Uint8Array = new Uint8Array(),
    ): Answer =>
      new Answer(status, method, `${ORIGIN}${url}`, {
        headers: more,
        body: Readable.from(content.byteLength === 0 ? [] : [content]),
      })
    const reference = decodeURIComponent(/\/manifests\/([^?]+)/.exec(url)?.[1] ?? '')
    const digest = this.tags.get(reference) ?? reference
    if (method === 'PUT') {
      const wanted = headers['if-match']
      if (wanted !== undefined && wanted !== `"${digest}"`) return answer(412)
      return answer(201, { 'docker-content-digest': this.#store(reference, bytes, body?.contentType ?? '') })
    }
    const found = this.manifests.get(digest)
    if (found === undefined) return answer(404)
    const described = {
      'content-type': found.type,
      'docker-content-digest': digest,
      'content-length': String(found.bytes.byteLength),
      ...(this.#hasEtags ? { etag: `"${digest}"` } : {}),
    }
    return answer(200, described, method === 'HEAD' ? new Uint8Array() : found.bytes)
  }
}

/** Lets everything go on that waits for neither the registry nor the clock. */
async function settle(): Promise<void> {
  for (let round = 0; round < 5; round++) await new Promise<void>((resolve) => setImmediate(resolve))
}

/** Answers requests in the order of the scheduler, a few milliseconds apart; the clock moves on where nobody asks. */
async function runToTheEnd(scheduler: fc.Scheduler, work: Promise<unknown>, pace: number): Promise<void> {
  let isDone = false
  const done = work.finally(() => (isDone = true))
  await settle()
  while (!isDone) {
    if (scheduler.count() > 0) {
      await vi.advanceTimersByTimeAsync(pace)
      await scheduler.waitNext(1)
    } else await vi.advanceTimersToNextTimerAsync()
    await settle()
  }
  await done
}

test.each([
  ['with ETags', true],
  ['without ETags', false],
])('of programs that write at once, in any order of requests, none loses an entry (%s)', async (_, hasEtags) => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 2, maxLength: 3 }),
      fc.integer({ min: 0, max: 4 }),
      async (scheduler, programs, pace) => {
        const registry = new SlowRegistry(scheduler, hasEtags)
        let count = 0
        const writers = programs.flatMap((writersOfOne, program) => {
          const repository = new Repository(registry.transport(program), NAME, { referrers: 'tag' })
          return Array.from({ length: writersOfOne }, async () => {
            const { descriptor, bytes } = referrer(count++)
            try {
              await repository.push(descriptor, openBytes(bytes))
              return descriptor.digest
            } catch (error) {
              // Whoever is overwritten again and again is told so; nobody else fails.
              expect(isGantryError(error, 'conflict'), String(error)).toBe(true)
              return undefined
            }
          })
        })
        const finished = Promise.all(writers)
        await runToTheEnd(scheduler, finished, pace)
        const written = (await finished).filter((digest) => digest !== undefined)
        expect(written.length).toBeGreaterThan(0)
        expect(registry.listed()).toEqual(expect.arrayContaining([foreign.digest, ...written]))
        expect(new Set(registry.listed()).size).toBe(registry.listed().length)
        expect(registry.list()).toContain(JSON.stringify(foreign))
      },
    ),
    runs(0.25),
  )
})
