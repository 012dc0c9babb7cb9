import { describe, expect, test } from 'vitest'
import { attach } from '../../src/artifact/attach.js'
import { copy } from '../../src/graph/copy.js'
import { discover } from '../../src/graph/discover.js'
import { referrersTagOf } from '../../src/oci/referrers-tag.js'
import type { TransportEvent } from '../../src/registry/http/transport-event.js'
import { MemoryStore } from '../../src/store/memory.js'
import type { Script } from './http/scripted-server.js'
import { answers, manifestHeaders, manifestWith, NAME, startTestRegistry, type TestRegistry } from './test-registry.js'

const subject = manifestWith({ layers: [] })
const MANIFESTS = `/v2/${NAME}/manifests`
const TAG = `${MANIFESTS}/${referrersTagOf(subject.descriptor.digest)}`
const denied = answers(403, {}, { errors: [{ code: 'DENIED', message: 'no' }] })

interface Place {
  readonly registry: TestRegistry
  readonly warnings: readonly string[]
  /** Manifests that were put, by their path. */
  readonly put: Map<string, { readonly type: string; readonly body: Buffer }>
}

/** A registry without the referrers API that answers 403 for every manifest that it does not have. */
async function startDenying(options: { readonly refusesList?: boolean } = {}): Promise<Place> {
  const put: Place['put'] = new Map()
  const found = answers(200, manifestHeaders(subject), subject.bytes)
  const script: Script = (exchange) => {
    const { request, answer, entry } = exchange
    const { method = '', url = '' } = request
    if (url.includes('/referrers/')) {
      answer(404, { 'content-type': 'text/plain' }, 'page not found')
      return
    }
    if (url.includes('/blobs/uploads/')) {
      answer(method === 'PUT' ? 201 : 202, { location: `${url}1` })
      return
    }
    if (url.includes('/blobs/')) {
      answer(200, {}, method === 'HEAD' ? undefined : '{}')
      return
    }
    if (method === 'PUT') {
      if (options.refusesList === true && url === TAG) return denied(exchange)
      put.set(url, { type: String(request.headers['content-type']), body: Buffer.from(entry.bodyText) })
      answer(201)
      return
    }
    const stored = put.get(url)
    if (stored !== undefined) {
      answer(200, { 'content-type': stored.type }, stored.body)
      return
    }
    const isSubject = [`${MANIFESTS}/v1`, `${MANIFESTS}/${subject.descriptor.digest}`].includes(url)
    return (isSubject ? found : denied)(exchange)
  }
  const events: TransportEvent[] = []
  const registry = await startTestRegistry(script, {
    transport: { trace: false, onEvent: (event) => events.push(event) },
  })
  return {
    registry,
    put,
    get warnings() {
      return events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))
    },
  }
}

describe('a registry that denies access to what is not there', () => {
  test('is copied from with what may refer to an image, and that is said once', async () => {
    const place = await startDenying()
    const sink = new MemoryStore()
    await copy(place.registry.repository(), 'v1', sink, { tags: ['v1'], referrers: true })
    expect((await sink.resolve('v1')).digest).toBe(subject.descriptor.digest)
    expect(place.warnings).toEqual([expect.stringContaining('they are taken to be absent')])
  })

  test('has no referrers to discover', async () => {
    const { registry } = await startDenying()
    const repository = registry.repository()
    expect((await discover(repository, await repository.resolve('v1'))).root.referrers).toEqual([])
  })

  test('takes an attached artifact, and its list', async () => {
    const { registry, put } = await startDenying()
    const { descriptor } = await attach(registry.repository(), 'v1', [], {
      artifactType: 'test/a',
      annotations: { a: 'b' },
    })
    const list = JSON.parse(String(put.get(TAG)?.body)) as { manifests: { digest: string }[] }
    expect(list.manifests.map(({ digest }) => digest)).toEqual([descriptor.digest])
  })

  test('says for which list writing was denied', async () => {
    const { registry } = await startDenying({ refusesList: true })
    const attached = attach(registry.repository(), 'v1', [], { artifactType: 'test/a', annotations: { a: 'b' } })
    await expect(attached).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining(
        `cannot update the list of referrers at ${registry.host}/${NAME}:${referrersTagOf(subject.descriptor.digest)}`,
      ),
    })
  })

  test('denies what was asked for, and everything before the repository was read', async () => {
    const { registry } = await startDenying()
    const repository = registry.repository()
    await expect(repository.referrers(subject.descriptor)).rejects.toMatchObject({ code: 'denied' })
    await repository.resolve('v1')
    await expect(repository.resolve('v2')).rejects.toMatchObject({ code: 'denied' })
  })
})

test('nothing is attached where something else stands in the place of the list', async () => {
  const { registry, put } = await startDenying()
  put.set(TAG, {
    type: subject.descriptor.mediaType,
    body: Buffer.from(manifestWith({ annotations: { x: 'y' } }).bytes),
  })
  const attached = attach(registry.repository(), 'v1', [], { artifactType: 'test/a', annotations: { a: 'b' } })
  await expect(attached).rejects.toMatchObject({ code: 'conflict' })
  expect([...put.keys()]).toEqual([TAG])
})
