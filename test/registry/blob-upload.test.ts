import { describe, expect, test } from 'vitest'
import { GantryError } from '../../src/errors.js'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { digestOf } from '../../src/oci/digest.js'
import { Repository } from '../../src/registry/repository.js'
import type { RegistryRequest } from '../../src/registry/http/transport.js'
import { cut, NAME, openPieces, someBytes, startTestRegistry } from './test-registry.js'
import { receive, startUploadRegistry, type UploadStep } from './upload-registry.js'

const MIB = 1024 * 1024
const bytes = someBytes(3 * MIB)
const size = bytes.length
const descriptor = descriptorOf('application/octet-stream', bytes)
const small = someBytes(100)
const smallDescriptor = descriptorOf('application/octet-stream', small)

/** Cuts the connection after some bytes of the first request with content. */
function breaksOnce(after: number): (step: UploadStep) => Promise<boolean> {
  return async ({ exchange, session, index }) => {
    if (index > 0) return false
    await receive(exchange, session, after)
    exchange.socket.resetAndDestroy()
    return true
  }
}

describe('an upload', () => {
  test('is one POST and one PUT', async () => {
    const registry = await startUploadRegistry()
    const offsets: number[] = []
    await registry.repository().push(descriptor, openPieces(bytes), { onProgress: (offset) => offsets.push(offset) })
    expect(registry.steps).toEqual(['POST', `PUT 1 ${size}`])
    expect(registry.blobs.get(descriptor.digest)?.equals(bytes)).toBe(true)
    const put = registry.ledger[1]!
    expect(put.url).toBe(`/v2/${NAME}/blobs/uploads/1?_state=0&digest=${encodeURIComponent(descriptor.digest)}`)
    expect(put.headers['content-type']).toBe('application/octet-stream')
    expect(put.headers['transfer-encoding']).toBeUndefined()
    expect(offsets.at(-1)).toBe(size)
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
  })

  test.each([0, 1])('of %i bytes works', async (count) => {
    const registry = await startUploadRegistry()
    const content = someBytes(count)
    await registry.repository().push(descriptorOf('a/b', content), openPieces(content))
    expect(registry.steps).toEqual(['POST', `PUT 1 ${count}`])
    expect(registry.blobs.size).toBe(1)
  })

  test.each([
    ['relative', () => 'x?y=1', '/x?y=1&digest='],
    [
      'outside of /v2/',
      () => '/artifacts-uploads/uploads/1/long%2Bone',
      '/artifacts-uploads/uploads/1/long%2Bone?digest=',
    ],
    ['without a query', () => `/v2/${NAME}/blobs/uploads/1`, '/uploads/1?digest='],
    ['of several kilobytes', () => `/uploads/1?t=${'x'.repeat(8000)}`, 'xx&digest='],
  ])('goes to a location %s', async (_, location, expected) => {
    const registry = await startUploadRegistry({
      location,
      intercept: ({ exchange }) => {
        exchange.request.resume()
        exchange.answer(201)
        return true
      },
    })
    // The first location has no number that the registry could read: answer whatever comes.
    registry.sessions.set(Number.NaN, { id: 1, received: Buffer.alloc(0), step: 0 })
    await registry.repository().push(smallDescriptor, openPieces(small))
    expect(registry.ledger[1]?.url).toContain(expected)
  })

  test('goes to an absolute location on the registry', async () => {
    const registry = await startTestRegistry({})
    registry.use(({ request, answer }) => {
      if (request.method === 'POST') answer(202, { location: `${registry.url}/u/1` })
      else answer(request.method === 'PUT' ? 201 : 404)
    })
    await registry.repository().push(smallDescriptor, openPieces(small))
    expect(registry.requests()[1]).toMatch(/^PUT \/u\/1\?digest=/)
  })

  test.each([
    ['on another port', 'http://127.0.0.1:9/u/1'],
    ['on another host', '//evil.example/u/1'],
    ['of a file', 'file:///tmp/x'],
    ['with user information', 'http://user@127.0.0.1/u'],
    ['that is missing', ''],
  ])('to a location %s is refused before any byte', async (_, location) => {
    const registry = await startUploadRegistry({ location: () => location })
    await expect(registry.repository().push(smallDescriptor, openPieces(small))).rejects.toMatchObject({
      code: location === '' ? 'registry-error' : 'untrusted-destination',
    })
    expect(registry.steps).toEqual(['POST'])
    expect(registry.ledger.some(({ bodySize }) => bodySize > 0)).toBe(false)
  })

  test('reads a small source while it is opened, and once for all attempts', async () => {
    const open = openPieces(small)
    const registry = await startUploadRegistry({
      intercept: ({ exchange, index }) => {
        if (index > 0) return false
        expect(open.offsets).toEqual([0])
        exchange.socket.destroy()
        return true
      },
    })
    await registry.repository().push(smallDescriptor, open)
    expect(open.offsets).toEqual([0])
    expect(registry.blobs.size).toBe(1)
  })

  test('to a repository that has to be created first says so', async () => {
    const registry = await startTestRegistry({})
    await expect(registry.repository().push(smallDescriptor, openPieces(small))).rejects.toMatchObject({
      code: 'not-found',
      hint: 'the registry may want the repository to be created first',
    })
  })

  test.each([
    [201, { 'docker-content-digest': digestOf('other') }, 'digest-mismatch'],
    [202, {}, 'registry-error'],
    [413, {}, 'limit-exceeded'],
    [403, {}, 'denied'],
    [401, {}, 'unauthorized'],
    [400, {}, 'registry-error'],
  ])('answered with %i %j fails with %s, and only once', async (status, headers, code) => {
    const registry = await startUploadRegistry({
      intercept: ({ exchange }) => {
        exchange.request.resume()
        exchange.answer(status, headers)
        return true
      },
    })
    await expect(registry.repository().push(smallDescriptor, openPieces(small))).rejects.toMatchObject({ code })
    expect(registry.steps.filter((step) => step.startsWith('PUT'))).toHaveLength(1)
  })

  test.each([
    [204, {}],
    [201, {}],
    [201, { 'docker-content-digest': digestOf(small, 'sha512') }],
  ])('answered with %i %j succeeds', async (status, headers) => {
    const registry = await startUploadRegistry({
      intercept: ({ exchange }) => {
        exchange.request.resume()
        exchange.answer(status, headers)
        return true
      },
    })
    await registry.repository().push(smallDescriptor, openPieces(small))
    expect(registry.steps).toEqual(['POST', 'PUT 1 100'])
  })
})

describe.each([200, 202])('an upload that is answered with %i', (status) => {
  const answering = (headers: Record<string, string>, isKept: boolean) =>
    startUploadRegistry({
      intercept: async ({ exchange, session, registry }) => {
        await receive(exchange, session)
        if (isKept) registry.blobs.set(smallDescriptor.digest, session.received)
        exchange.answer(status, headers)
        return true
      },
    })

  test('has succeeded when the registry then has the blob', async () => {
    const registry = await answering({ 'docker-content-digest': smallDescriptor.digest }, true)
    await registry.repository().push(smallDescriptor, openPieces(small))
    expect(registry.steps).toEqual(['POST', 'PUT 1 100', 'HEAD'])
  })

  test('has failed when it does not', async () => {
    const registry = await answering({}, false)
    await expect(registry.repository().push(smallDescriptor, openPieces(small))).rejects.toMatchObject({
      code: 'registry-error',
    })
  })

  test('has failed when it names other content', async () => {
    const registry = await answering({ 'docker-content-digest': digestOf('other') }, true)
    await expect(registry.repository().push(smallDescriptor, openPieces(small))).rejects.toMatchObject({
      code: 'digest-mismatch',
    })
  })
})

describe('a source that is not what its descriptor says', () => {
  const wrong = Buffer.from(bytes)
  wrong[size - 1]! ^= 1

  test.each([
    ['has other bytes', wrong, 'digest-mismatch'],
    ['is too short', bytes.subarray(0, size - 1), 'size-mismatch'],
    ['is too long', Buffer.concat([bytes, Buffer.from('x')]), 'size-mismatch'],
  ])('because it %s never reaches the registry whole', async (_, content, code) => {
    const registry = await startUploadRegistry()
    await expect(registry.repository().push(descriptor, openPieces(content))).rejects.toMatchObject({ code })
    expect(registry.blobs.size).toBe(0)
    expect(registry.ledger.some((entry) => entry.bodySize >= size)).toBe(false)
    expect(registry.steps).toEqual(['POST', `PUT 1 ${size}`, 'DELETE 1'])
    expect(registry.sessions.size).toBe(0)
  })

  test('because it is not empty is not even announced', async () => {
    const registry = await startUploadRegistry()
    const empty = descriptorOf('a/b', new Uint8Array())
    await expect(registry.repository().push(empty, openPieces(small))).rejects.toMatchObject({ code: 'size-mismatch' })
    expect(registry.steps).toEqual([])
  })

  test('in chunks never reaches the registry whole', async () => {
    const registry = await startUploadRegistry()
    const repository = registry.repository({ uploadChunkSize: MIB })
    await expect(repository.push(descriptor, openPieces(wrong))).rejects.toMatchObject({ code: 'digest-mismatch' })
    expect(registry.steps).toEqual([
      'POST',
      'PATCH 1 0-1048575',
      'PATCH 1 1048576-2097151',
      'PATCH 1 2097152-3145727',
      'DELETE 1',
    ])
  })

  test('because it fails is the reason that is given', async () => {
    const registry = await startUploadRegistry()
    const open = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, MIB)
      throw new GantryError('file-error', 'the disk is gone')
    }
    await expect(registry.repository().push(descriptor, open)).rejects.toMatchObject({
      code: 'file-error',
      message: 'the disk is gone',
    })
    expect(registry.steps.at(-1)).toBe('DELETE 1')
  })
})

test('a source that fails is the reason, whatever the transport makes of it', async () => {
  const registry = await startUploadRegistry()
  const transport = {
    registry: registry.host,
    origin: registry.transport.origin,
    request: (request: RegistryRequest) =>
      registry.transport.request(request).catch((error: unknown) => {
        throw new GantryError('network-error', 'the connection broke', { cause: error })
      }),
  }
  const open = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, MIB)
    throw new Error('the disk is gone')
  }
  await expect(new Repository(transport, NAME).push(descriptor, open)).rejects.toThrow('the disk is gone')
})

describe('an upload that breaks off', () => {
  test('early is begun anew', async () => {
    const registry = await startUploadRegistry({ intercept: breaksOnce(1000) })
    await registry.repository().push(smallDescriptor, openPieces(small))
    expect(registry.steps).toEqual(['POST', 'PUT 1 100', 'HEAD', 'DELETE 1', 'POST', 'PUT 2 100'])
  })

  test('goes on where the registry says that it stands', async () => {
    const registry = await startUploadRegistry({ intercept: breaksOnce(2 * MIB) })
    const offsets: number[] = []
    await registry.repository().push(descriptor, openPieces(bytes), { onProgress: (offset) => offsets.push(offset) })
    expect(registry.steps).toEqual(['POST', `PUT 1 ${size}`, 'HEAD', 'GET 1', `PATCH 1 2097152-${size - 1}`, 'PUT 1 0'])
    expect(registry.blobs.get(descriptor.digest)?.equals(bytes)).toBe(true)
    expect(registry.ledger.at(-1)?.url).toContain('_state=2&digest=')
    expect(offsets.at(-1)).toBe(size)
  })

  test('at the very end only needs to be finished', async () => {
    const registry = await startUploadRegistry({ intercept: breaksOnce(size) })
    await registry.repository().push(descriptor, openPieces(bytes))
    expect(registry.steps).toEqual(['POST', `PUT 1 ${size}`, 'HEAD', 'GET 1', 'PUT 1 0'])
  })

  test.each<[string, (received: number) => string | undefined]>([
    ['nothing', () => undefined],
    ['none or one byte', () => '0-0'],
    ['less than none', () => 'bytes=0--1'],
    ['more than was sent', () => `0-${2 * size}`],
    ['nonsense', () => 'x'],
  ])('is begun anew where the registry says that it has %s', async (_, range) => {
    const registry = await startUploadRegistry({ intercept: breaksOnce(2 * MIB), range })
    await registry.repository().push(descriptor, openPieces(bytes))
    expect(registry.steps).toEqual(['POST', `PUT 1 ${size}`, 'HEAD', 'GET 1', 'DELETE 1', 'POST', `PUT 2 ${size}`])
  })

  test.each([
    ['one too many', 1],
    ['too few', -1000],
  ])('is begun anew, in one request, after the registry said %s', async (_, error) => {
    const registry = await startUploadRegistry({
      intercept: breaksOnce(2 * MIB),
      range: (received) => `0-${received - 1 + error}`,
    })
    await registry.repository().push(descriptor, openPieces(bytes))
    expect(registry.steps.slice(-3)).toEqual(['DELETE 1', 'POST', `PUT 2 ${size}`])
    expect(registry.blobs.has(descriptor.digest)).toBe(true)
  })

  test('is begun anew where the answer names no place and the upload is gone', async () => {
    const registry = await startUploadRegistry({
      intercept: async (step) => {
        if (!(await breaksOnce(2 * MIB)(step))) return false
        step.registry.sessions.delete(1)
        return true
      },
    })
    await registry.repository().push(descriptor, openPieces(bytes))
    expect(registry.steps.slice(-2)).toEqual(['POST', `PUT 2 ${size}`])
  })

  test('goes on at the last location where the status names none', async () => {
    const registry = await startUploadRegistry({ intercept: breaksOnce(2 * MIB), statusLocation: false })
    await registry.repository().push(descriptor, openPieces(bytes))
    expect(registry.steps.at(-2)).toBe(`PATCH 1 2097152-${size - 1}`)
    expect(registry.blobs.has(descriptor.digest)).toBe(true)
  })

  test('is begun anew in one request where PATCH is not offered', async () => {
    const registry = await startUploadRegistry({
      intercept: async (step) => {
        if (await breaksOnce(2 * MIB)(step)) return true
        if (step.method !== 'PATCH') return false
        step.exchange.request.resume()
        step.exchange.answer(405, {}, { errors: [{ code: 'UNSUPPORTED' }] })
        return true
      },
    })
    await registry.repository().push(descriptor, openPieces(bytes))
    expect(registry.steps.slice(-3)).toEqual(['DELETE 1', 'POST', `PUT 2 ${size}`])
  })

  test('reads a source again from where it has to', async () => {
    const registry = await startUploadRegistry({ intercept: breaksOnce(2 * MIB) })
    const open = openPieces(bytes)
    await registry.repository().push(descriptor, open)
    expect(open.offsets).toEqual([0, 0])
  })

  test('but was finished all the same is not sent twice', async () => {
    const registry = await startUploadRegistry({
      intercept: async ({ exchange, session, registry: { blobs } }) => {
        await receive(exchange, session)
        blobs.set(descriptor.digest, session.received)
        exchange.socket.resetAndDestroy()
        return true
      },
    })
    await registry.repository().push(descriptor, openPieces(bytes))
    expect(registry.steps).toEqual(['POST', `PUT 1 ${size}`, 'HEAD'])
  })

  test.each([500, 502, 503, 429, 408])('with %i is asked about and repeated', async (status) => {
    const registry = await startUploadRegistry({
      intercept: ({ exchange, index }) => {
        if (index > 0) return false
        exchange.request.resume()
        exchange.request.on('end', () => exchange.answer(status))
        return true
      },
    })
    await registry.repository().push(smallDescriptor, openPieces(small))
    expect(registry.steps).toEqual(['POST', 'PUT 1 100', 'HEAD', 'DELETE 1', 'POST', 'PUT 2 100'])
  })

  test('every time is given up, and tidied up', async () => {
    const registry = await startUploadRegistry({
      intercept: ({ exchange }) => {
        exchange.socket.resetAndDestroy()
        return true
      },
    })
    await expect(registry.repository().push(smallDescriptor, openPieces(small))).rejects.toMatchObject({
      code: 'network-error',
    })
    expect(registry.steps.filter((step) => step.startsWith('PUT'))).toHaveLength(5)
    expect(registry.sessions.size).toBe(0)
  })

  test('because the registry lost it is begun anew', async () => {
    const registry = await startUploadRegistry({
      intercept: ({ exchange, index }) => {
        if (index > 0) return false
        exchange.request.resume()
        exchange.answer(404, {}, { errors: [{ code: 'BLOB_UPLOAD_INVALID' }] })
        return true
      },
    })
    await registry.repository().push(smallDescriptor, openPieces(small))
    expect(registry.steps).toEqual(['POST', 'PUT 1 100', 'DELETE 1', 'POST', 'PUT 2 100'])
  })

  test('because the signal fired is tidied up at once', async () => {
    const controller = new AbortController()
    const registry = await startUploadRegistry({
      intercept: async ({ exchange, session }) => {
        await receive(exchange, session, 1000)
        controller.abort()
        return true
      },
    })
    await expect(
      registry.repository().push(descriptor, openPieces(bytes), { signal: controller.signal }),
    ).rejects.toMatchObject({ code: 'aborted' })
    expect(registry.steps).toEqual(['POST', `PUT 1 ${size}`, 'DELETE 1'])
  })

  test('without any answer from the registry fails', async () => {
    const registry = await startTestRegistry(cut)
    await expect(registry.repository().push(smallDescriptor, openPieces(small))).rejects.toMatchObject({
      code: 'network-error',
    })
  })
})

describe('an upload in chunks', () => {
  test('is several PATCH and one PUT', async () => {
    const registry = await startUploadRegistry()
    const open = openPieces(bytes, 300_000)
    await registry.repository({ uploadChunkSize: 2 * MIB }).push(descriptor, open)
    expect(registry.steps).toEqual(['POST', 'PATCH 1 0-2097151', `PATCH 1 2097152-${size - 1}`, 'PUT 1 0'])
    expect(registry.blobs.get(descriptor.digest)?.equals(bytes)).toBe(true)
    expect(open.offsets).toEqual([0])
    expect(registry.ledger.at(-1)?.url).toContain('_state=2&digest=')
  })

  test('is one PUT for a blob that is no larger', async () => {
    const registry = await startUploadRegistry()
    await registry.repository({ uploadChunkSize: size }).push(descriptor, openPieces(bytes))
    expect(registry.steps).toEqual(['POST', `PUT 1 ${size}`])
  })

  test.each([
    [{ 'oci-chunk-min-length': String(2 * MIB) }, ['PATCH 1 0-2097151', 'PATCH 1 2097152-3145727']],
    [{ 'oci-chunk-max-length': String(2 * MIB) }, ['PATCH 1 0-2097151', 'PATCH 1 2097152-3145727']],
    [{ 'oci-chunk-min-length': '9'.repeat(15) }, ['PATCH 1 0-3145727']],
  ])('honours %j', async (headers, patches) => {
    const registry = await startUploadRegistry({ headers })
    const uploadChunkSize = 'oci-chunk-max-length' in headers ? 2.5 * MIB : MIB
    await registry.repository({ uploadChunkSize }).push(descriptor, openPieces(bytes))
    expect(registry.steps.slice(1, -1)).toEqual(patches)
  })

  test('goes on where the registry stands after a break', async () => {
    const registry = await startUploadRegistry({
      intercept: async ({ exchange, session, index }) => {
        if (index !== 1) return false
        await receive(exchange, session, 1000)
        exchange.socket.resetAndDestroy()
        return true
      },
    })
    await registry.repository({ uploadChunkSize: MIB }).push(descriptor, openPieces(bytes))
    expect(registry.steps).toEqual([
      'POST',
      'PATCH 1 0-1048575',
      'PATCH 1 1048576-2097151',
      'HEAD',
      'GET 1',
      `PATCH 1 ${MIB + 1000}-${2 * MIB + 999}`,
      `PATCH 1 ${2 * MIB + 1000}-${size - 1}`,
      'PUT 1 0',
    ])
    expect(registry.blobs.get(descriptor.digest)?.equals(bytes)).toBe(true)
  })

  test.each([416, 400, 405, 500])('is sent in one piece where chunks are refused with %i', async (status) => {
    const registry = await startUploadRegistry({
      intercept: ({ exchange, method }) => {
        if (method !== 'PATCH') return false
        exchange.request.resume()
        exchange.answer(status)
        return true
      },
    })
    const pushed = registry.repository({ uploadChunkSize: MIB }).push(descriptor, openPieces(bytes))
    // A server error says nothing about chunks.
    if (status === 500) await expect(pushed).rejects.toMatchObject({ response: { status } })
    else {
      await pushed
      expect(registry.steps.at(-1)).toBe(`PUT 2 ${size}`)
    }
  })

  test('that the registry finishes with the last chunk is finished', async () => {
    const registry = await startUploadRegistry({
      intercept: async ({ exchange, session, method, registry: { blobs } }) => {
        if (method === 'PUT') {
          exchange.request.resume()
          exchange.answer(400)
          return true
        }
        await receive(exchange, session)
        if (session.received.length < size) exchange.answer(202)
        else {
          blobs.set(descriptor.digest, session.received)
          exchange.answer(201)
        }
        return true
      },
    })
    await registry.repository({ uploadChunkSize: 2 * MIB }).push(descriptor, openPieces(bytes))
    expect(registry.steps.at(-1)).toBe('HEAD')
  })

  test('whose Range answers lie works as long as nothing breaks', async () => {
    const registry = await startUploadRegistry({
      intercept: async ({ exchange, session, method }) => {
        if (method === 'PUT') return false
        await receive(exchange, session)
        exchange.answer(202, { range: '0-1048575' })
        return true
      },
    })
    await registry.repository({ uploadChunkSize: MIB }).push(descriptor, openPieces(bytes))
    expect(registry.blobs.has(descriptor.digest)).toBe(true)
  })
})

describe('a registry behind a proxy that limits the body of a request', () => {
  /** Refuses larger bodies, after reading them. */
  const refusing =
    (limit: number, status = 413) =>
    async ({ exchange }: UploadStep): Promise<boolean> => {
      if (Number(exchange.request.headers['content-length']) <= limit) return false
      exchange.request.resume()
      exchange.answer(status, { 'content-type': 'text/html' }, '<html>too large</html>')
      return true
    }
  const large = someBytes(5 * MIB)
  const largeDescriptor = descriptorOf('application/octet-stream', large)

  test('gets chunks that are halved until they are small enough, and the next blob at once', async () => {
    const registry = await startUploadRegistry({ intercept: refusing(MIB) })
    await registry.repository().push(largeDescriptor, openPieces(large))
    const patches = Array.from({ length: 5 }, (_, at) => `PATCH 4 ${at * MIB}-${(at + 1) * MIB - 1}`)
    expect(registry.steps).toEqual([
      'POST',
      `PUT 1 ${5 * MIB}`,
      'DELETE 1',
      'POST',
      `PATCH 2 0-${4 * MIB - 1}`,
      'DELETE 2',
      'POST',
      `PATCH 3 0-${2 * MIB - 1}`,
      'DELETE 3',
      'POST',
      ...patches,
      'PUT 4 0',
    ])
    expect(registry.blobs.get(largeDescriptor.digest)?.equals(large)).toBe(true)
    registry.steps.length = 0
    await new Repository(registry.transport, NAME).push(descriptor, openPieces(bytes))
    expect(registry.steps).toEqual([
      'POST',
      ...patches.slice(0, 3).map((step) => step.replace(' 4 ', ' 5 ')),
      'PUT 5 0',
    ])
  })

  test('that takes nothing at all is an error that names the limit', async () => {
    const registry = await startUploadRegistry({ intercept: refusing(0) })
    await expect(registry.repository().push(descriptor, openPieces(bytes))).rejects.toMatchObject({
      code: 'limit-exceeded',
      hint: expect.stringContaining('limit the size of requests') as string,
    })
    // Down to 64 KiB, and each size once.
    const sizes = registry.steps.filter((step) => step.startsWith('PATCH')).map((step) => step.split('-')[1])
    expect(sizes).toEqual([2 * MIB, MIB, MIB / 2, MIB / 4, MIB / 8, MIB / 16].map((end) => String(end - 1)))
    expect(registry.sessions.size).toBe(0)
  })

  test('with 416 gets chunks as well', async () => {
    const registry = await startUploadRegistry({ intercept: refusing(2 * MIB, 416) })
    await registry.repository().push(descriptor, openPieces(bytes))
    expect(registry.steps).toEqual([
      'POST',
      `PUT 1 ${size}`,
      'DELETE 1',
      'POST',
      'PATCH 2 0-2097151',
      `PATCH 2 2097152-${size - 1}`,
      'PUT 2 0',
    ])
  })

  test('and a registry that refuses everything with 416 sees the whole blob once', async () => {
    const registry = await startUploadRegistry({ intercept: refusing(-1, 416) })
    await expect(registry.repository().push(smallDescriptor, openPieces(small))).rejects.toMatchObject({
      response: { status: 416 },
    })
    expect(registry.steps).toEqual(['POST', 'PUT 1 100', 'DELETE 1'])
  })

  test('whose limit is known beforehand never refuses', async () => {
    const registry = await startUploadRegistry({ intercept: refusing(MIB) }, { transport: { chunkSize: MIB } })
    await registry.repository().push(descriptor, openPieces(bytes))
    expect(registry.steps.filter((step) => !step.startsWith('PATCH'))).toEqual(['POST', 'PUT 1 0'])
  })

  test('and hangs up at once is told from a broken connection', async () => {
    const registry = await startUploadRegistry({
      intercept: async ({ exchange }) => {
        if (Number(exchange.request.headers['content-length']) <= 2 * MIB) return false
        // What has arrived is not read, so that the system resets the connection.
        exchange.request.removeAllListeners('data').pause()
        exchange.socket.end('HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n', () =>
          exchange.socket.resetAndDestroy(),
        )
        return true
      },
    })
    await registry.repository().push(largeDescriptor, openPieces(large))
    expect(registry.blobs.get(largeDescriptor.digest)?.equals(large)).toBe(true)
    expect(registry.steps.filter((step) => step.startsWith('PATCH')).at(-1)).toMatch(/PATCH \d 4194304-5242879/)
  })

  test.each([0, -1, 1.5, Number.NaN])('cannot have a limit of %s', async (chunkSize) => {
    await expect(startUploadRegistry({}, { transport: { chunkSize } })).rejects.toMatchObject({
      code: 'invalid-argument',
    })
  })
})

describe('a mount', () => {
  const mountUrl = `/v2/${NAME}/blobs/uploads/?mount=${encodeURIComponent(smallDescriptor.digest)}&from=other%2Fapp`

  test('that is granted moves nothing', async () => {
    const registry = await startTestRegistry(({ answer }) => answer(201))
    const open = openPieces(small)
    expect(await registry.repository().mount(smallDescriptor, 'other/app', open)).toBe(true)
    expect(registry.requests()).toEqual([`POST ${mountUrl}`])
    expect(open.offsets).toEqual([])
  })

  test('that is not granted goes on with the upload that was opened', async () => {
    const registry = await startUploadRegistry()
    expect(await registry.repository().mount(smallDescriptor, 'other/app', openPieces(small))).toBe(false)
    expect(registry.steps).toEqual(['POST', 'PUT 1 100'])
    expect(registry.blobs.has(smallDescriptor.digest)).toBe(true)
  })

  test.each([400, 401, 403, 404, 405, 500])('answered with %i becomes a plain push', async (status) => {
    const refusing = await startTestRegistry(
      ({ request, answer }) => {
        if (request.url?.includes('mount=') === true) answer(status)
        else if (request.method === 'POST') answer(202, { location: '/u/1' })
        else answer(request.method === 'PUT' ? 201 : 404)
      },
      { transport: { retry: { attempts: 1 } } },
    )
    expect(await refusing.repository().mount(smallDescriptor, 'other/app', openPieces(small))).toBe(false)
    const methods = refusing.requests().map((request) => request.split(' ')[0])
    expect(methods.filter((method) => method !== 'GET')).toEqual(['POST', 'POST', 'PUT'])
  })

  test('that gets no answer becomes a plain push', async () => {
    const registry = await startTestRegistry(
      (exchange) => {
        const { request, answer } = exchange
        if (request.url?.includes('mount=') === true) return cut(exchange)
        answer(request.method === 'POST' ? 202 : 201, { location: '/u/1' })
      },
      { transport: { retry: { attempts: 1 } } },
    )
    expect(await registry.repository().mount(smallDescriptor, 'other/app', openPieces(small))).toBe(false)
    expect(registry.requests().at(-1)).toMatch(/^PUT/)
  })

  test('that was aborted does not', async () => {
    const controller = new AbortController()
    const registry = await startTestRegistry(({ request, answer }) => {
      if (request.url === '/v2/') answer(200)
      else controller.abort()
    })
    const open = openPieces(small)
    await expect(
      registry.repository().mount(smallDescriptor, 'other/app', open, { signal: controller.signal }),
    ).rejects.toMatchObject({ code: 'aborted' })
    expect(open.offsets).toEqual([])
  })

  test('is for neighbours only', async () => {
    const registry = await startTestRegistry({})
    const elsewhere = await startTestRegistry({})
    const repository = registry.repository()
    const neighbour = new Repository(registry.transport, 'other/app')
    expect(repository.mountSourceOf(neighbour)).toBe('other/app')
    expect(repository.mountSourceOf(repository)).toBeUndefined()
    expect(repository.mountSourceOf(elsewhere.repository())).toBeUndefined()
    const insecure = { ...registry.transport, registry: registry.host, origin: `https://${registry.host}` }
    const spoof = new Repository(
      { ...insecure, request: (request) => registry.transport.request(request) },
      'other/app',
    )
    expect(repository.mountSourceOf(spoof)).toBeUndefined()
  })
})
