import { connect } from 'node:net'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.js'
import { temporaryFolder } from '../util/temporary-folder.js'
import { STORAGES } from './storages.js'
import { startTestRegistry, type TestRegistry } from './test-registry.js'

const TEXT = 'Hello, how are you today?'
const DIGEST = digestOf(TEXT)

describe.each(STORAGES)('an upload $name', ({ options }) => {
  const start = (): Promise<TestRegistry> => startTestRegistry(options())

  test('by POST then PUT', async () => {
    const registry = await start()
    const post = await registry.send('POST', '/v2/a/b/blobs/uploads/')
    expect(post.status).toBe(202)
    expect(post.headers.location).toMatch(/^\/v2\/a\/b\/blobs\/uploads\/[0-9a-f-]{36}$/)
    expect(post.headers['docker-upload-uuid']).toBe(post.headers.location?.split('/').at(-1))
    const put = await registry.send('PUT', `${post.headers.location}?digest=${DIGEST}`, { body: TEXT })
    expect(put.status).toBe(201)
    expect(put.headers).toMatchObject({ location: `/v2/a/b/blobs/${DIGEST}`, 'docker-content-digest': DIGEST })
    expect((await registry.send('GET', put.headers.location!)).text).toBe(TEXT)
    expect((await registry.send('GET', post.headers.location!)).status).toBe(404)
  })

  test.each(['sha256', 'sha512'] as const)('by a single POST, with %s', async (algorithm) => {
    const registry = await start()
    const digest = digestOf(TEXT, algorithm)
    const answer = await registry.send('POST', `/v2/a/blobs/uploads/?digest=${digest}`, { body: TEXT })
    expect(answer.status).toBe(201)
    expect((await registry.send('GET', answer.headers.location!)).text).toBe(TEXT)
  })

  test.each(['sha256', 'sha512'] as const)('in chunks, with %s', async (algorithm) => {
    const registry = await start()
    let location = await registry.openUpload('a')
    for (const [first, last] of [
      [0, 9],
      [10, 19],
    ] as const) {
      const answer = await registry.send('PATCH', location, {
        headers: { 'Content-Range': `${first}-${last}` },
        body: TEXT.slice(first, last + 1),
      })
      expect(answer.status).toBe(202)
      expect(answer.headers.range).toBe(`0-${last}`)
      location = answer.headers.location!
    }
    const status = await registry.send('GET', location)
    expect(status.status).toBe(204)
    expect(status.headers).toMatchObject({ range: '0-19', location })
    // The algorithm is named at the end alone, when all has been hashed with the other one.
    const digest = digestOf(TEXT, algorithm)
    const put = await registry.send('PUT', `${location}?digest=${digest}`, {
      headers: { 'Content-Range': `20-${TEXT.length - 1}` },
      body: TEXT.slice(20),
    })
    expect(put.status).toBe(201)
    expect((await registry.send('GET', `/v2/a/blobs/${digest}`)).text).toBe(TEXT)
  })

  test('streamed, in as many requests as it takes', async () => {
    const registry = await start()
    const location = await registry.openUpload('a')
    await registry.send('PATCH', location, { headers: { 'Transfer-Encoding': 'chunked' }, body: TEXT.slice(0, 7) })
    await registry.send('PATCH', location, { body: TEXT.slice(7) })
    expect((await registry.send('PUT', `${location}?digest=${DIGEST}`)).status).toBe(201)
    expect((await registry.send('GET', `/v2/a/blobs/${DIGEST}`)).text).toBe(TEXT)
  })

  test('with its algorithm named at the start', async () => {
    const registry = await start()
    const location = await registry.openUpload('a', '?digest-algorithm=sha512')
    await registry.send('PATCH', location, { body: TEXT })
    const digest = digestOf(TEXT, 'sha512')
    expect((await registry.send('PUT', `${location}?digest=${digest}`)).status).toBe(201)
    const other = await registry.send('POST', '/v2/a/blobs/uploads/?digest-algorithm=md5')
    expect(other.status).toBe(400)
    expect(other.code).toBe('DIGEST_INVALID')
  })

  test('that leaves a gap is refused, and goes on from where it stands', async () => {
    const registry = await start()
    const location = await registry.openUpload('a')
    const patch = (first: number, last: number) =>
      registry.send('PATCH', location, {
        headers: { 'Content-Range': `${first}-${last}` },
        body: TEXT.slice(first, last + 1),
      })
    expect((await patch(3, 9)).status).toBe(416)
    expect((await patch(0, 9)).status).toBe(202)
    for (const [first, last] of [
      [0, 9],
      [15, 24],
    ] as const) {
      const refused = await patch(first, last)
      expect(refused.status).toBe(416)
      expect(refused.headers).toMatchObject({ range: '0-9', location })
    }
    const put = await registry.send('PUT', `${location}?digest=${DIGEST}`, {
      headers: { 'Content-Range': '15-24' },
      body: TEXT.slice(15),
    })
    expect(put.status).toBe(416)
    expect((await patch(10, 24)).status).toBe(202)
    expect((await registry.send('PUT', `${location}?digest=${DIGEST}`)).status).toBe(201)
  })

  test.each([
    [
      'a single POST',
      async (registry: TestRegistry) => {
        return registry.send('POST', `/v2/a/blobs/uploads/?digest=${DIGEST}`, { body: 'other' })
      },
    ],
    [
      'PUT',
      async (registry: TestRegistry) => {
        return registry.send('PUT', `${await registry.openUpload('a')}?digest=${DIGEST}`, { body: 'other' })
      },
    ],
    [
      'PATCH then PUT',
      async (registry: TestRegistry) => {
        const location = await registry.openUpload('a')
        await registry.send('PATCH', location, { body: 'other' })
        return registry.send('PUT', `${location}?digest=${DIGEST}`)
      },
    ],
    ['no content', (registry: TestRegistry) => registry.send('POST', `/v2/a/blobs/uploads/?digest=${DIGEST}`)],
  ])('of other content than the digest names is refused: %s', async (_, upload) => {
    const registry = await start()
    const answer = await upload(registry)
    expect(answer.status).toBe(400)
    expect(answer.code).toBe('DIGEST_INVALID')
    expect((await registry.send('GET', `/v2/a/blobs/${DIGEST}`)).status).toBe(404)
    expect((await registry.send('GET', `/v2/a/blobs/${digestOf('other')}`)).status).toBe(404)
  })

  test('can be given up', async () => {
    const registry = await start()
    const location = await registry.openUpload('a')
    await registry.send('PATCH', location, { body: TEXT })
    expect((await registry.send('DELETE', location)).status).toBe(204)
    for (const method of ['GET', 'DELETE', 'PATCH']) {
      expect((await registry.send(method, location)).status).toBe(404)
    }
    const put = await registry.send('PUT', `${location}?digest=${DIGEST}`)
    expect(put.status).toBe(404)
    expect(put.code).toBe('BLOB_UPLOAD_UNKNOWN')
  })

  test('belongs to its repository', async () => {
    const registry = await start()
    const location = await registry.openUpload('a')
    expect((await registry.send('GET', location.replace('/v2/a/', '/v2/b/'))).status).toBe(404)
  })

  test('can be resumed where a broken connection left it', async () => {
    const registry = await start()
    const location = await registry.openUpload('a')
    const content = Buffer.alloc(300_000, 'resume ')
    const socket = connect(Number(new URL(registry.url).port), '127.0.0.1')
    socket.write(
      `PATCH ${location} HTTP/1.1\r\nHost: ${new URL(registry.url).host}\r\nContent-Length: ${content.length}\r\n\r\n`,
    )
    socket.write(content.subarray(0, 200_000), () => socket.resetAndDestroy())
    let received = 0
    for (let attempt = 0; attempt < 100 && registry.log.every(({ method }) => method !== 'PATCH'); attempt++)
      await sleep(10)
    const status = await registry.send('GET', location)
    received = Number(status.headers.range?.slice(2)) + 1
    expect(received).toBeGreaterThan(0)
    const digest = digestOf(content)
    const put = await registry.send('PUT', `${location}?digest=${digest}`, {
      headers: { 'Content-Range': `${received}-${content.length - 1}` },
      body: content.subarray(received),
    })
    expect(put.status).toBe(201)
    expect((await registry.send('GET', `/v2/a/blobs/${digest}`)).bytes.equals(content)).toBe(true)
  })
})

describe('an upload', () => {
  test.each([
    ['', 'DIGEST_INVALID'],
    ['?digest=', 'DIGEST_INVALID'],
    ['?digest=sha256:abc', 'DIGEST_INVALID'],
    ['?digest=md5:d41d8cd98f00b204e9800998ecf8427e', 'DIGEST_INVALID'],
  ])('is not closed by "%s"', async (query, code) => {
    const registry = await startTestRegistry()
    const location = await registry.openUpload('a')
    const answer = await registry.send('PUT', `${location}${query}`, { body: TEXT })
    expect(answer.status).toBe(400)
    expect(answer.code).toBe(code)
    expect((await registry.send('GET', location)).status).toBe(204)
  })

  test.each([
    ['x-y', TEXT, 400, 'BLOB_UPLOAD_INVALID'],
    ['5-0', TEXT, 400, 'BLOB_UPLOAD_INVALID'],
    ['0-3', TEXT, 400, 'SIZE_INVALID'],
    ['0-99', TEXT, 400, 'SIZE_INVALID'],
  ])('refuses the Content-Range %s of another length', async (range, body, status, code) => {
    const registry = await startTestRegistry()
    const location = await registry.openUpload('a')
    const answer = await registry.send('PATCH', location, { headers: { 'Content-Range': range }, body })
    expect(answer.status).toBe(status)
    expect(answer.code).toBe(code)
  })

  test('refuses a streamed chunk that is not as long as its Content-Range says', async () => {
    const registry = await startTestRegistry()
    const location = await registry.openUpload('a')
    const answer = await registry.send('PATCH', location, {
      headers: { 'Content-Range': '0-99', 'Transfer-Encoding': 'chunked' },
      body: TEXT,
    })
    expect(answer.code).toBe('SIZE_INVALID')
  })

  test('takes one request at a time', async () => {
    const registry = await startTestRegistry()
    const location = await registry.openUpload('a')
    const socket = connect(Number(new URL(registry.url).port), '127.0.0.1')
    await new Promise<void>((resolve) => {
      socket.write(
        `PATCH ${location} HTTP/1.1\r\nHost: ${new URL(registry.url).host}\r\nContent-Length: 10\r\n\r\nabc`,
        () => resolve(),
      )
    })
    await sleep(50)
    const answer = await registry.send('PATCH', location, { body: 'x' })
    expect(answer.status).toBe(409)
    socket.end('defghij')
    await sleep(50)
    expect((await registry.send('GET', location)).headers.range).toBe('0-9')
  })

  test('leaves no file behind, however it ends', async () => {
    const folder = temporaryFolder()
    const registry = await startTestRegistry({ folder })
    const uploads = (): string[] => readdirSync(join(folder, 'uploads'))
    const blobs = (): string[] => readdirSync(join(folder, 'blobs', 'sha256'))
    await registry.send('POST', `/v2/a/blobs/uploads/?digest=${DIGEST}`, { body: 'other' })
    await registry.pushBlob('a', TEXT)
    await registry.pushBlob('b', TEXT)
    const location = await registry.openUpload('a')
    await registry.send('PATCH', location, { body: TEXT })
    expect(uploads()).toHaveLength(1)
    await registry.send('DELETE', location)
    expect(uploads()).toEqual([])
    expect(blobs()).toHaveLength(1)
    await registry.send('DELETE', `/v2/a/blobs/${DIGEST}`)
    expect(blobs()).toHaveLength(1)
    await registry.send('DELETE', `/v2/b/blobs/${DIGEST}`)
    expect(blobs()).toEqual([])
    await registry.send('PATCH', await registry.openUpload('a'), { body: TEXT })
    expect(uploads()).toHaveLength(1)
    await registry.close()
    expect(uploads()).toEqual([])
  })
})

describe('a mount', () => {
  test('makes a blob of another repository one of this one', async () => {
    const registry = await startTestRegistry()
    await registry.pushBlob('a', TEXT)
    const answer = await registry.send('POST', `/v2/b/blobs/uploads/?mount=${DIGEST}&from=a`)
    expect(answer.status).toBe(201)
    expect(answer.headers).toMatchObject({ location: `/v2/b/blobs/${DIGEST}`, 'docker-content-digest': DIGEST })
    await registry.send('DELETE', `/v2/a/blobs/${DIGEST}`)
    expect((await registry.send('GET', `/v2/b/blobs/${DIGEST}`)).text).toBe(TEXT)
  })

  test('needs no source when any repository holds the blob', async () => {
    const registry = await startTestRegistry()
    await registry.pushBlob('a', TEXT)
    expect((await registry.send('POST', `/v2/b/blobs/uploads/?mount=${DIGEST}`)).status).toBe(201)
    expect((await registry.send('GET', `/v2/b/blobs/${DIGEST}`)).text).toBe(TEXT)
  })

  test.each(['&from=c', '&from=a', '', '&from=../a', '&from=A'])(
    'of a blob that is not there opens an upload: %s',
    async (from) => {
      const registry = await startTestRegistry()
      await registry.pushBlob('a', 'other')
      const answer = await registry.send('POST', `/v2/b/blobs/uploads/?mount=${DIGEST}${from}`)
      expect(answer.status).toBe(202)
      const put = await registry.send('PUT', `${answer.headers.location}?digest=${DIGEST}`, { body: TEXT })
      expect(put.status).toBe(201)
    },
  )

  test('needs a digest', async () => {
    const registry = await startTestRegistry()
    const answer = await registry.send('POST', '/v2/b/blobs/uploads/?mount=x&from=a')
    expect(answer.status).toBe(400)
    expect(answer.code).toBe('DIGEST_INVALID')
  })
})
