import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.js'
import { startTestRegistry } from './test-registry.js'
import { STORAGES } from './storages.js'

describe.each(STORAGES)('blobs $name', ({ options }) => {
  test('come back as they were', async () => {
    const registry = await startTestRegistry(options())
    const content = Buffer.alloc(3_000_000, 'gantry ')
    const digest = await registry.pushBlob('a/b', content)
    const answer = await registry.send('GET', `/v2/a/b/blobs/${digest}`)
    expect(answer.status).toBe(200)
    expect(answer.bytes.equals(content)).toBe(true)
    expect(answer.headers).toMatchObject({
      'content-length': '3000000',
      'content-type': 'application/octet-stream',
      'docker-content-digest': digest,
      etag: `"${digest}"`,
      'accept-ranges': 'bytes',
      'docker-distribution-api-version': 'registry/2.0',
    })
    const head = await registry.send('HEAD', `/v2/a/b/blobs/${digest}`)
    expect(head.status).toBe(200)
    expect(head.bytes).toHaveLength(0)
    expect(head.headers['content-length']).toBe('3000000')
    expect(head.headers['docker-content-digest']).toBe(digest)
  })

  test.each(['sha256', 'sha512'] as const)('may be empty, with %s', async (algorithm) => {
    const registry = await startTestRegistry(options())
    const digest = await registry.pushBlob('a', '', algorithm)
    for (const method of ['GET', 'HEAD']) {
      const answer = await registry.send(method, `/v2/a/blobs/${digest}`)
      expect(answer.status).toBe(200)
      expect(answer.headers['content-length']).toBe('0')
    }
  })

  test.each([
    ['bytes=500-1499', 500, 1500],
    ['bytes=500-', 500, 200_000],
    ['bytes=-500', 199_500, 200_000],
    ['bytes=199000-300000', 199_000, 200_000],
    ['bytes=65530-65600', 65_530, 65_601],
    ['bytes=0-0', 0, 1],
  ])('are sent in part for %s', async (range, start, end) => {
    const registry = await startTestRegistry(options())
    const content = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 251))
    // In many small chunks, as memory keeps them.
    const location = await registry.openUpload('a')
    for (let offset = 0; offset < content.length; offset += 50_000) {
      await registry.send('PATCH', location, { body: content.subarray(offset, offset + 50_000) })
    }
    const digest = digestOf(content)
    await registry.send('PUT', `${location}?digest=${digest}`)
    const answer = await registry.send('GET', `/v2/a/blobs/${digest}`, { headers: { Range: range } })
    expect(answer.status).toBe(206)
    expect(answer.headers['content-range']).toBe(`bytes ${start}-${end - 1}/200000`)
    expect(answer.headers['content-length']).toBe(String(end - start))
    expect(answer.bytes.equals(content.subarray(start, end))).toBe(true)
  })

  test('are isolated: a repository serves only what was pushed to it or mounted', async () => {
    const registry = await startTestRegistry(options())
    const digest = await registry.pushBlob('a', 'secret')
    for (const method of ['GET', 'HEAD', 'DELETE']) {
      const answer = await registry.send(method, `/v2/b/blobs/${digest}`)
      expect(answer.status).toBe(404)
      if (method !== 'HEAD') expect(answer.code).toBe('BLOB_UNKNOWN')
    }
    const { digest: manifest } = await registry.pushImage('a', 'v1')
    expect((await registry.send('GET', `/v2/a/blobs/${manifest}`)).status).toBe(404)
    expect((await registry.send('GET', `/v2/a/manifests/${digest}`)).status).toBe(404)
  })

  test('are deleted in one repository and stay in the other', async () => {
    const registry = await startTestRegistry(options())
    const digest = await registry.pushBlob('a', 'shared')
    await registry.pushBlob('b', 'shared')
    expect((await registry.send('DELETE', `/v2/a/blobs/${digest}`)).status).toBe(202)
    expect((await registry.send('GET', `/v2/a/blobs/${digest}`)).status).toBe(404)
    expect((await registry.send('DELETE', `/v2/a/blobs/${digest}`)).status).toBe(404)
    expect((await registry.send('GET', `/v2/b/blobs/${digest}`)).text).toBe('shared')
    await registry.send('DELETE', `/v2/b/blobs/${digest}`)
    expect((await registry.send('GET', `/v2/b/blobs/${digest}`)).status).toBe(404)
    await registry.pushBlob('a', 'shared')
    expect((await registry.send('GET', `/v2/a/blobs/${digest}`)).text).toBe('shared')
  })
})

describe('a request for a blob', () => {
  test('for a range outside of it is refused with its size', async () => {
    const registry = await startTestRegistry()
    const digest = await registry.pushBlob('a', '0123456789')
    for (const range of ['bytes=10-', 'bytes=5-0']) {
      const answer = await registry.send('GET', `/v2/a/blobs/${digest}`, { headers: { Range: range } })
      expect(answer.status).toBe(416)
      expect(answer.headers['content-range']).toBe('bytes */10')
    }
  })

  test('for several ranges gets the whole', async () => {
    const registry = await startTestRegistry()
    const digest = await registry.pushBlob('a', '0123456789')
    const answer = await registry.send('GET', `/v2/a/blobs/${digest}`, { headers: { Range: 'bytes=0-1,4-5' } })
    expect(answer.status).toBe(200)
    expect(answer.text).toBe('0123456789')
  })

  test.each(['bytes=2-3', 'bytes=10-'])('for its headers alone has no range: %s', async (range) => {
    const registry = await startTestRegistry()
    const digest = await registry.pushBlob('a', '0123456789')
    const answer = await registry.send('HEAD', `/v2/a/blobs/${digest}`, { headers: { Range: range } })
    expect(answer.status).toBe(200)
    expect(answer.headers['content-length']).toBe('10')
    expect(answer.headers['content-range']).toBeUndefined()
  })

  test('with a range that depends on another version gets the whole', async () => {
    const registry = await startTestRegistry()
    const digest = await registry.pushBlob('a', '0123456789')
    const ask = (ifRange: string) =>
      registry.send('GET', `/v2/a/blobs/${digest}`, { headers: { Range: 'bytes=2-3', 'If-Range': ifRange } })
    expect((await ask('"other"')).status).toBe(200)
    expect((await ask(`"${digest}"`)).text).toBe('23')
  })

  test('that has it already is told so', async () => {
    const registry = await startTestRegistry()
    const digest = await registry.pushBlob('a', '0123456789')
    for (const tag of [`"${digest}"`, `W/"${digest}"`, `"x", "${digest}"`, '*']) {
      const answer = await registry.send('GET', `/v2/a/blobs/${digest}`, { headers: { 'If-None-Match': tag } })
      expect(answer.status).toBe(304)
      expect(answer.bytes).toHaveLength(0)
    }
    const other = await registry.send('GET', `/v2/a/blobs/${digest}`, { headers: { 'If-None-Match': '"x"' } })
    expect(other.status).toBe(200)
  })

  test('by a method that is not known names those that are', async () => {
    const registry = await startTestRegistry()
    const answer = await registry.send('PUT', `/v2/a/blobs/${digestOf('x')}`, { body: 'x' })
    expect(answer.status).toBe(405)
    expect(answer.code).toBe('UNSUPPORTED')
    expect(answer.headers.allow).toBe('GET, HEAD, DELETE')
  })
})
