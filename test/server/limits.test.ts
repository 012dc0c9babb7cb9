import { readdirSync, readFileSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { digestOf } from '../../src/oci/digest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { temporaryFolder } from '../util/temporary-folder.js'
import { STORAGES } from './storages.js'
import { imageManifest, startTestRegistry, type TestRegistry } from './test-registry.js'

function open(registry: TestRegistry): Promise<Socket> {
  const { port } = new URL(registry.url)
  return new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1', () => resolve(socket))
    socket.on('error', () => undefined)
  })
}

/** Sends raw text, and returns everything that comes back until `until` is seen or the connection ends. */
async function exchange(socket: Socket, text: string, until: RegExp): Promise<string> {
  let received = ''
  socket.write(text)
  return new Promise((resolve) => {
    const onData = (chunk: Buffer): void => {
      received += chunk.toString('latin1')
      if (!until.test(received)) return
      socket.off('data', onData)
      resolve(received)
    }
    socket.on('data', onData)
    socket.once('close', () => resolve(received))
  })
}

describe.each(STORAGES)('a limit $name', ({ options }) => {
  test.each([{}, { 'Transfer-Encoding': 'chunked' }])('on manifests holds: %j', async (headers) => {
    const registry = await startTestRegistry(options())
    await registry.pushBlob('a', '{}')
    const ofSize = (size: number): string => {
      const empty = JSON.stringify(imageManifest({ annotations: { n: '' } })).length
      return JSON.stringify(imageManifest({ annotations: { n: 'x'.repeat(size - empty) } }))
    }
    const put = (body: string) =>
      registry.send('PUT', '/v2/a/manifests/v1', {
        headers: { ...headers, 'Content-Type': MediaType.imageManifest },
        body,
      })
    expect((await put(ofSize(4 * 1024 * 1024))).status).toBe(201)
    const refused = await put(ofSize(4 * 1024 * 1024 + 1))
    expect(refused.status).toBe(413)
    expect(refused.code).toBe('MANIFEST_INVALID')
  })

  test.each([{}, { 'Transfer-Encoding': 'chunked' }])('on blobs holds: %j', async (headers) => {
    const registry = await startTestRegistry({ ...options(), maxBlobSize: 100_000 })
    const content = Buffer.alloc(100_001)
    const post = (body: Uint8Array) =>
      registry.send('POST', `/v2/a/blobs/uploads/?digest=${digestOf(body)}`, { headers, body })
    expect((await post(content.subarray(1))).status).toBe(201)
    const refused = await post(content)
    expect(refused.status).toBe(413)
    expect(refused.code).toBe('SIZE_INVALID')
    // Chunk by chunk it is no more.
    const location = await registry.openUpload('a')
    expect((await registry.send('PATCH', location, { headers, body: content.subarray(0, 60_000) })).status).toBe(202)
    expect((await registry.send('PATCH', location, { headers, body: content.subarray(0, 60_000) })).status).toBe(413)
    expect((await registry.send('GET', location)).status).toBe(404)
  })
})

describe('open uploads', () => {
  test('are bounded in number', async () => {
    const registry = await startTestRegistry({ maxUploads: 2 })
    const location = await registry.openUpload('a')
    expect((await registry.send('PATCH', location, { body: 'x' })).status).toBe(202)
    const second = await registry.openUpload('b')
    expect((await registry.send('PATCH', second, { body: 'x' })).status).toBe(202)
    const refused = await registry.send('POST', '/v2/a/blobs/uploads/')
    expect(refused.status).toBe(429)
    expect(refused.code).toBe('TOOMANYREQUESTS')
    expect(refused.headers['retry-after']).toBe('5')
    await registry.send('DELETE', location)
    await registry.openUpload('a')
  })

  test('do not stay when a single request fails', async () => {
    const registry = await startTestRegistry({ maxUploads: 1 })
    for (let attempt = 0; attempt < 3; attempt++) {
      const answer = await registry.send('POST', `/v2/a/blobs/uploads/?digest=${digestOf('a')}`, { body: 'b' })
      expect(answer.code).toBe('DIGEST_INVALID')
    }
    const socket = await open(registry)
    socket.write(
      `POST /v2/a/blobs/uploads/?digest=${digestOf('a')} HTTP/1.1\r\nHost: ${new URL(registry.url).host}\r\nContent-Length: 9\r\n\r\nabc`,
    )
    await sleep(50)
    socket.resetAndDestroy()
    await sleep(50)
    await registry.openUpload('a')
  })

  test('are given up after a time without a request', async () => {
    const folder = temporaryFolder()
    const registry = await startTestRegistry({ folder, uploadTimeToLive: 1_000, maxUploads: 1 })
    const location = await registry.openUpload('a')
    await registry.send('PATCH', location, { body: 'x' })
    expect(readdirSync(join(folder, 'uploads'))).toHaveLength(1)
    await sleep(600)
    expect((await registry.send('GET', location)).status).toBe(204)
    await sleep(600)
    expect((await registry.send('GET', location)).status).toBe(204)
    await sleep(3_000)
    expect(readdirSync(join(folder, 'uploads'))).toEqual([])
    expect((await registry.send('GET', location)).status).toBe(404)
  })
})

describe('a connection', () => {
  test('goes on after errors', async () => {
    const registry = await startTestRegistry()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<number | undefined>()
    const ask = (method: string, path: string, body?: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const request = httpRequest(registry.url + path, { method, agent }, (response) => {
          ports.add(response.socket.localPort)
          response.resume().on('end', () => resolve(response.statusCode))
        })
        request.on('error', reject)
        request.end(body)
      })
    for (let round = 0; round < 3; round++) {
      expect(await ask('GET', '/v2/a/manifests/v1')).toBe(404)
      expect(await ask('HEAD', '/v2/a/manifests/v1')).toBe(404)
      expect(await ask('PUT', '/v2/a/manifests/v1', 'x'.repeat(10_000))).toBe(400)
      expect(await ask('PUT', '/v2/A/manifests/v1', 'x'.repeat(10_000))).toBe(400)
      expect(await ask('PATCH', '/v2/a/blobs/uploads/x', 'x'.repeat(300_000))).toBe(404)
      expect(await ask('POST', '/v2/a/blobs/uploads/', 'x'.repeat(10_000))).toBe(202)
      expect(await ask('GET', '/nothing')).toBe(404)
      expect(await ask('PURGE', '/v2/')).toBe(405)
    }
    expect(ports.size).toBe(1)
    agent.destroy()
  })

  test.each([
    ['of known length', 'Content-Length: 100000000', (body: string) => body],
    ['in chunks', 'Transfer-Encoding: chunked', (body: string) => `${body.length.toString(16)}\r\n${body}\r\n`],
  ])('gets its answer while it still sends a body that is too large, %s', async (_, header, encode) => {
    const registry = await startTestRegistry({ maxManifestSize: 200_000 })
    const socket = await open(registry)
    const head = `PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: ${new URL(registry.url).host}\r\n${header}\r\n\r\n`
    const received = await exchange(socket, head + encode('x'.repeat(300_000)), /\r\n\r\n.*\}$/s)
    expect(received).toMatch(/^HTTP\/1\.1 413 /)
    socket.destroy()
  })

  test('that goes on sending long after its answer is ended', async () => {
    const registry = await startTestRegistry({ maxManifestSize: 1000 })
    const socket = await open(registry)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const head = `PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: ${new URL(registry.url).host}\r\nTransfer-Encoding: chunked\r\n\r\n`
    const chunk = `7d0\r\n${'x'.repeat(2000)}\r\n`
    expect(await exchange(socket, head + chunk, /\r\n\r\n.*\}$/s)).toMatch(/^HTTP\/1\.1 413 /)
    await new Promise<void>((resolve) => {
      socket.write(chunk, () => resolve())
    })
    expect(socket.closed).toBe(false)
    await vi.advanceTimersByTimeAsync(6_000)
    socket.write(chunk)
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve())
      if (socket.closed) resolve()
    })
  })

  test('that sends no valid HTTP is refused', async () => {
    const registry = await startTestRegistry()
    const received = await exchange(await open(registry), 'HELLO\r\n\r\n', /\r\n\r\n/)
    expect(received).toMatch(/^HTTP\/1\.1 400 /)
    expect((await registry.send('GET', '/v2/')).status).toBe(200)
  })

  test('that goes away in the middle of a download disturbs nobody', async () => {
    const registry = await startTestRegistry({ folder: temporaryFolder() })
    const digest = await registry.pushBlob('a', Buffer.alloc(5_000_000))
    const socket = await open(registry)
    await exchange(
      socket,
      `GET /v2/a/blobs/${digest} HTTP/1.1\r\nHost: ${new URL(registry.url).host}\r\n\r\n`,
      /200 OK/,
    )
    socket.resetAndDestroy()
    await sleep(50)
    expect((await registry.send('GET', `/v2/a/blobs/${digest}`)).bytes).toHaveLength(5_000_000)
    expect((await registry.send('DELETE', `/v2/a/blobs/${digest}`)).status).toBe(202)
  })
})

describe('no request leaves the folder', () => {
  const parent = (folder: string): string[] =>
    readdirSync(dirname(folder)).filter((name) => name.startsWith('gantry-escape'))

  test.each([
    ['PUT', '/v2/../../gantry-escape/manifests/a'],
    ['PUT', '/v2/..%2f..%2fgantry-escape/manifests/a'],
    ['PUT', '/v2/a/manifests/..%2f..%2f..%2fgantry-escape'],
    ['PUT', '/v2/a/manifests/../../../gantry-escape'],
    ['POST', '/v2/a/blobs/uploads/?digest=sha256:../../../gantry-escape'],
    ['POST', '/v2/a/blobs/uploads/?mount=sha256:../../../gantry-escape&from=a'],
    ['PATCH', '/v2/a/blobs/uploads/../../../gantry-escape'],
    ['PUT', '/v2/a/blobs/uploads/..%2f..%2fgantry-escape?digest=x'],
    ['DELETE', '/v2/a/blobs/sha256:..%2f..%2fjournal.jsonl'],
    ['GET', '/v2/a/blobs/../../journal.jsonl'],
    ['GET', '/v2/a/blobs/sha256%3A..%2F..%2F..%2Fjournal.jsonl'],
  ])('%s %s', async (method, path) => {
    const folder = temporaryFolder()
    const registry = await startTestRegistry({ folder })
    await registry.pushBlob('a', '{}')
    const journal = readFileSync(join(folder, 'journal.jsonl'), 'utf8')
    const answer = await registry.send(method, path, method === 'GET' ? {} : { body: JSON.stringify(imageManifest()) })
    expect([400, 404]).toContain(answer.status)
    expect(answer.text).not.toContain('gantry-registry')
    expect(parent(folder)).toEqual([])
    expect(readdirSync(folder).sort()).toEqual(['blobs', 'journal.jsonl', 'lock', 'uploads'])
    expect(readdirSync(join(folder, 'uploads'))).toEqual([])
    expect(readFileSync(join(folder, 'journal.jsonl'), 'utf8')).toBe(journal)
  })
})
