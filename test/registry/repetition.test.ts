import { describe, expect, test } from 'vitest'
import { descriptorOf } from '../../src/oci/descriptor.js'
import type { TransportEvent } from '../../src/registry/http/transport-event.js'
import { Registry } from '../../src/registry/registry.js'
import type { Script } from './http/scripted-server.js'
import {
  collect,
  cut,
  listOf,
  manifestWith,
  NAME,
  openPieces,
  someBytes,
  startTestRegistry,
  type TestRegistry,
} from './test-registry.js'
import { receive, startUploadRegistry } from './upload-registry.js'

const bytes = someBytes(10_000)
const blob = descriptorOf('application/octet-stream', bytes)
const manifest = manifestWith()

/** Begins to answer, and cuts the connection. */
const breaks: Script = ({ response, socket }) => {
  response.writeHead(200, { 'content-length': bytes.length, 'content-type': manifest.descriptor.mediaType })
  response.write(bytes.subarray(0, 10), () => setTimeout(() => socket.resetAndDestroy(), 5))
}

interface Case {
  readonly method: string
  readonly path: string
  readonly script: Script
  readonly run: (registry: TestRegistry) => Promise<unknown>
}

const cases: Readonly<Record<string, Case>> = {
  'a download': {
    method: 'GET',
    path: `/v2/${NAME}/blobs/${blob.digest}`,
    script: breaks,
    run: (registry) => collect(registry.repository().fetch(blob)),
  },
  'a manifest': {
    method: 'GET',
    path: `/v2/${NAME}/manifests/v1`,
    script: breaks,
    run: (registry) => registry.repository().readManifest('v1'),
  },
  'a list of tags': {
    method: 'GET',
    path: `/v2/${NAME}/tags/list?n=1000`,
    script: breaks,
    run: (registry) => listOf(registry.repository().tags()),
  },
  'a list of repositories': {
    method: 'GET',
    path: '/v2/_catalog?n=1000',
    script: breaks,
    run: (registry) => listOf(new Registry(registry.transport).catalog()),
  },
  'a deletion': {
    method: 'DELETE',
    path: `/v2/${NAME}/blobs/${blob.digest}`,
    script: cut,
    run: (registry) => registry.repository().delete(blob),
  },
}

describe.each(Object.entries(cases))('%s that breaks off', (_what, { method, path, script, run }) => {
  test.each([1, 2, 4])('is tried %i times where that is asked for, and tells of it', async (attempts) => {
    const events: TransportEvent[] = []
    const retry = { attempts, firstDelay: 1 }
    const registry = await startTestRegistry(
      { [`${method} ${path}`]: script },
      {
        transport: { retry, trace: false, onEvent: (event) => events.push(event) },
      },
    )
    await expect(run(registry)).rejects.toMatchObject({ code: 'network-error' })
    expect(registry.requests()).toEqual(Array.from({ length: attempts }, () => `${method} ${path}`))
    const said = {
      method,
      url: `${registry.url}${path}`,
      attempts,
      reason: expect.stringContaining(registry.host) as string,
    }
    expect(events).toEqual([
      ...Array.from({ length: attempts - 1 }, (_, index) => ({
        ...said,
        type: 'retry',
        attempt: index + 1,
        delay: expect.any(Number) as number,
      })),
      { ...said, type: 'gave-up' },
    ])
  })
})

describe('an upload that breaks off', () => {
  test.each([1, 3])('is tried %i times where that is asked for, and tells of it', async (attempts) => {
    const events: TransportEvent[] = []
    const registry = await startUploadRegistry(
      {
        intercept: async ({ exchange, session }) => {
          await receive(exchange, session, 100)
          exchange.socket.resetAndDestroy()
          return true
        },
      },
      { transport: { retry: { attempts, firstDelay: 1 }, trace: false, onEvent: (event) => events.push(event) } },
    )
    await expect(registry.repository().push(blob, openPieces(bytes))).rejects.toMatchObject({ code: 'network-error' })
    expect(registry.steps.filter((step) => step.startsWith('PUT'))).toHaveLength(attempts)
    expect(registry.sessions.size).toBe(0)
    const url = `${registry.url}/v2/${NAME}/blobs/uploads/?digest=${blob.digest}`
    expect(events).toMatchObject([
      ...Array.from({ length: attempts - 1 }, (_, index) => ({
        type: 'retry',
        method: 'PUT',
        url,
        attempt: index + 1,
        attempts,
      })),
      { type: 'gave-up', method: 'PUT', url, attempts },
    ])
  })

  test('is done where the registry has the blob all the same, also in the only attempt', async () => {
    const registry = await startUploadRegistry(
      {
        intercept: async ({ exchange, session }) => {
          await receive(exchange, session)
          registry.blobs.set(blob.digest, Buffer.from(bytes))
          exchange.socket.resetAndDestroy()
          return true
        },
      },
      { transport: { retry: { attempts: 1 } } },
    )
    await registry.repository().push(blob, openPieces(bytes))
    expect(registry.steps).toEqual(['POST', `PUT 1 ${bytes.length}`, 'HEAD'])
  })

  test('by a registry that takes no pieces is sent as a whole, also in the only attempt', async () => {
    const events: TransportEvent[] = []
    const registry = await startUploadRegistry(
      {
        intercept: ({ exchange, method }) => {
          if (method !== 'PATCH') return false
          exchange.request.resume()
          exchange.answer(405)
          return true
        },
      },
      { transport: { retry: { attempts: 1 }, trace: false, onEvent: (event) => events.push(event) } },
    )
    await registry.repository({ uploadChunkSize: 4000 }).push(blob, openPieces(bytes))
    expect(registry.blobs.get(blob.digest)).toEqual(Buffer.from(bytes))
    expect(events).toEqual([])
  })
})
