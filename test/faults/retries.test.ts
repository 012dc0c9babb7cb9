import type { IncomingHttpHeaders } from 'node:http'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createAuthority, createCertificate } from '../registry/http/certificates.js'
import { someBytes } from '../registry/test-registry.js'
import { BLOB, FaultBench, MANIFEST, UPLOAD, UPLOADS, type FaultBenchOptions } from './fault-bench.js'
import { drip, ignore, playDead, reply, stallAnswer } from './faults.js'
import type { Fault } from './faulty-wire.js'

const SIZE = 256 * 1024
const HALF = SIZE / 2
const CONTENT = someBytes(SIZE)
const ALWAYS = { times: Number.POSITIVE_INFINITY }

async function open(options: FaultBenchOptions = {}): Promise<FaultBench> {
  const bench = await FaultBench.open(options)
  await bench.seed(CONTENT)
  return bench
}

/** The seconds that a command says it waits before its first retry. */
function firstWait(stderr: string): number {
  return Number(/^retrying .* in (\d+\.\d) s: /m.exec(stderr)?.[1])
}

function refusal(status: number, headers: Readonly<Record<string, string>> = {}): Fault {
  return reply({ status, headers, body: { errors: [{ code: 'UNKNOWN', message: 'come back later' }] } })
}

describe('13: a registry that has had too many requests', () => {
  // The clock on the wall goes on as ever here, and dates have whole seconds.
  const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toUTCString()

  // Until a date some seconds pass on a busy machine before it arrives.
  test.each<[string, () => string, number]>([
    ['in seconds', () => '4', 4],
    ['as a date', () => inSeconds(50), 10],
    ['as a date in the form of RFC 850', () => rfc850(new Date(Date.now() + 50_000)), 10],
  ])('13: is asked again after the time that it names %s', async (_name, retryAfter, least) => {
    const bench = await open()
    bench.wire.on('GET', MANIFEST, refusal(429, { 'retry-after': retryAfter() }))
    const { stderr } = await bench.pulls(CONTENT)
    expect(firstWait(stderr)).toBeGreaterThanOrEqual(least)
    expect(firstWait(stderr)).toBeLessThan(least === 4 ? 7 : 53)
  })

  test.each(['-1', 'abc', '', 'Thu, 01 Jan 1970 00:00:00 GMT'])(
    '13: is asked again soon when the time that it names is "%s"',
    async (retryAfter) => {
      const bench = await open()
      bench.wire.on('GET', MANIFEST, refusal(429, { 'retry-after': retryAfter }))
      const { stderr } = await bench.pulls(CONTENT)
      expect(firstWait(stderr)).toBeLessThan(2)
    },
  )

  test.each(['1e9', '61', '99999999999999999999'])(
    '13: is not waited for when that would take longer than is allowed: %s',
    async (retryAfter) => {
      const bench = await open()
      bench.wire.on('GET', MANIFEST, refusal(429, { 'retry-after': retryAfter }), ALWAYS)
      const message = /asks to wait \d+ s after status 429; the limit is 60 s\n.*--retry-max-wait/
      await bench.failsToPull({ message })
      expect(bench.wire.find('GET', MANIFEST)).toHaveLength(1)
      expect(bench.wire.find('GET', BLOB)).toHaveLength(0)
    },
  )
})

describe('14: a registry that fails twice and then works', () => {
  test.each([
    ['with a time to wait', { 'retry-after': '2' }],
    ['without one', {}],
  ])('14: %s: a pull gets through', async (_name, headers) => {
    const bench = await open()
    bench.wire.on('GET', MANIFEST, refusal(503, headers), { times: 2 })
    bench.wire.on('GET', BLOB, refusal(503, headers), { times: 2 })
    const { stderr } = await bench.pulls(CONTENT)
    // The first one that is not refused is asked who is there.
    expect(bench.wire.find('GET', MANIFEST)).toHaveLength(2 + 2)
    expect(bench.wire.find('GET', BLOB)).toHaveLength(2 + 1)
    expect(stderr.match(/^retrying GET .* \([23]\/5\) in \d+\.\d s: status 503$/gm)).toHaveLength(4)
  })

  test.each([
    ['with a time to wait', { 'retry-after': '2' }],
    ['without one', {}],
  ])('14: %s: a push gets through', async (_name, headers) => {
    const bench = await FaultBench.open()
    bench.wire.on('HEAD', BLOB, refusal(503, headers), { times: 2 })
    bench.wire.on('POST', UPLOADS, refusal(503, headers), { times: 2 })
    bench.wire.on('PUT', UPLOAD, refusal(503, headers), { times: 2 })
    bench.wire.on('PUT', MANIFEST, refusal(503, headers), { times: 2 })
    await bench.pushes(CONTENT)
    expect(bench.wire.find('PUT', MANIFEST)).toHaveLength(3)
  })
})

describe('15: a registry that goes on failing is asked five times', () => {
  test.each([
    ['manifest', MANIFEST],
    ['blob', BLOB],
  ])('15: for a %s', async (_name, path) => {
    const bench = await open()
    bench.wire.on('GET', path, refusal(500), { times: 6 })
    const { stderr } = await bench.failsToPull({ message: /^Error .*come back later \(5 attempts\)$/m })
    expect(stderr).toMatch(/^gave up on GET .* after 5 attempts$/m)
    expect(bench.wire.find('GET', path)).toHaveLength(5)
  })

  test('15: to begin an upload', async () => {
    const bench = await FaultBench.open()
    bench.wire.on('POST', UPLOADS, refusal(500), ALWAYS)
    await bench.failsToPush(CONTENT, { message: /^Error .*come back later \(5 attempts\)$/m })
    // The file and the config are uploaded at the same time, and whichever is given up first ends the other.
    const requests = bench.wire.find('POST', UPLOADS).length
    expect(requests).toBeGreaterThanOrEqual(5)
    expect(requests).toBeLessThanOrEqual(10)
  })

  test('15: to take a blob', async () => {
    const bench = await FaultBench.open()
    bench.wire.on('PUT', UPLOAD, refusal(500), { ...ALWAYS, when: ({ request }) => isLarge(request) })
    await bench.failsToPush(CONTENT, { message: /^Error .*come back later \(5 attempts\)$/m })
    expect(bench.wire.find('PUT', UPLOAD).filter(isLarge)).toHaveLength(5)
    expect(bench.wire.find('PUT', MANIFEST)).toHaveLength(0)
  })

  test('15: to take a manifest', async () => {
    const bench = await FaultBench.open()
    bench.wire.on('PUT', MANIFEST, refusal(500), ALWAYS)
    await bench.failsToPush(CONTENT, { message: /^Error .*come back later \(5 attempts\)$/m })
    expect(bench.wire.find('PUT', MANIFEST)).toHaveLength(5)
  })

  test('15: unless the person wants it otherwise', async () => {
    const bench = await open()
    bench.wire.on('GET', MANIFEST, refusal(500), ALWAYS)
    await bench.failsToPull({ message: /come back later \(2 attempts\)$/m }, '--retries', '2')
    expect(bench.wire.find('GET', MANIFEST)).toHaveLength(2)
  })
})

describe('16: an answer that will not change is not asked for again', () => {
  const bodies: Readonly<Record<number, object>> = {
    401: { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] },
    403: { errors: [{ code: 'DENIED', message: 'requested access is denied' }] },
    404: { errors: [{ code: 'MANIFEST_UNKNOWN', message: 'unknown' }] },
  }

  const denied = { status: 403, code: 5, message: /denied: requested access is denied/ }
  const missing = { status: 404, code: 6, message: /not found/ }
  const cases = [denied, missing].flatMap((answer) => [
    { ...answer, what: 'manifest', path: MANIFEST },
    { ...answer, what: 'blob', path: BLOB },
  ])

  test.each(cases)('16: status $status for a $what', async ({ status, path, code, message }) => {
    const bench = await open()
    bench.wire.on('GET', path, reply({ status, body: bodies[status]! }), ALWAYS)
    const { stderr } = await bench.failsToPull({ code, message })
    expect(bench.wire.find('GET', path)).toHaveLength(1)
    expect(stderr).not.toMatch(/^retrying/m)
  })

  test.each([
    { what: 'the request for an upload', method: 'POST', path: UPLOADS },
    { what: 'a manifest', method: 'PUT', path: MANIFEST },
  ])('16: status 403 for $what that is sent', async ({ method, path }) => {
    const bench = await FaultBench.open()
    bench.wire.on(method, path, reply({ status: 403, body: bodies[403]! }), ALWAYS)
    const { stderr } = await bench.failsToPush(CONTENT, { code: 5, message: denied.message })
    // The config may have asked as well before the file was refused.
    expect(bench.wire.find(method, path).length).toBeLessThanOrEqual(method === 'POST' ? 2 : 1)
    expect(stderr).not.toMatch(/^retrying/m)
  })

  test('16: a token that has just been issued and is refused', async () => {
    const bench = await open({ auth: 'bearer' })
    const challenge = `Bearer realm="${bench.wire.url}/token",service="gantry-registry",scope="repository:team/app:pull"`
    bench.wire.on(
      'GET',
      MANIFEST,
      reply({ status: 401, headers: { 'www-authenticate': challenge }, body: bodies[401]! }),
      ALWAYS,
    )
    const { stderr } = await bench.failsToPull({ code: 5, message: /unauthorized: authentication required/ })
    // Once without a token, once with it; whoever was refused with a fresh one knows enough.
    expect(bench.wire.find('GET', MANIFEST).length).toBeLessThanOrEqual(2)
    expect(bench.wire.find('GET', /^\/token$/)).toHaveLength(1)
    expect(stderr).not.toMatch(/^retrying/m)
  })
})

describe('17: a server that falls silent', () => {
  test('17: before its answer, every time', async () => {
    const bench = await open({ step: 1500 })
    bench.wire.on('GET', BLOB, ignore, ALWAYS)
    const message = /gave no answer within 60 s \(5 attempts\)\n.*--headers-timeout/
    await bench.failsToPull({ message })
    expect(bench.wire.find('GET', BLOB)).toHaveLength(5)
  })

  test('17: before its answer, once', async () => {
    const bench = await open({ step: 1000 })
    bench.wire.on('GET', BLOB, ignore)
    await bench.pulls(CONTENT)
    expect(bench.wire.find('GET', BLOB)).toHaveLength(2)
  })

  test.each([
    ['after its headers', 0],
    ['after half of what it should send', 0.5],
  ])('17: %s, every time', async (_where, part) => {
    const bench = await open({ step: 1000 })
    bench.wire.on('GET', BLOB, stallAnswer(part), ALWAYS)
    const message = new RegExp(
      `sent no data for 30 s after ${part === 0 ? 0 : '\\d+'} of \\d+ bytes \\(5 attempts\\)\\n.*--idle-timeout`,
    )
    await bench.failsToPull({ message })
    const requests = bench.wire.find('GET', BLOB).length
    expect(requests).toBeGreaterThanOrEqual(5)
    expect(requests).toBeLessThan(60)
  })

  test('17: after half of a blob, once: the rest is asked for', async () => {
    const bench = await open({ step: 1000 })
    bench.wire.on('GET', BLOB, stallAnswer(0.5))
    await bench.pulls(CONTENT)
    expect(bench.wire.find('GET', BLOB).map(({ headers }) => headers.range)).toEqual([undefined, `bytes=${HALF}-`])
  })

  test('17: while it should take an upload', async () => {
    const bench = await FaultBench.open({ step: 1000 })
    const large = someBytes(12 * 1024 * 1024)
    bench.wire.on('PUT', UPLOAD, playDead, { ...ALWAYS, when: ({ request }) => isLarge(request) })
    bench.wire.on('PATCH', UPLOAD, playDead, ALWAYS)
    await bench.failsToPush(large, {
      message: /took no data for 30 s after \d+ of \d+ bytes \(5 attempts\)\n.*--idle-timeout/,
    })
    expect(bench.wire.find('PUT', MANIFEST)).toHaveLength(0)
  })

  test('17: in the middle of the TLS handshake', async () => {
    const bench = await FaultBench.open({ tls: certificate(), step: 1000 })
    const silent = await listenSilently()
    const words = ['pull', `127.0.0.1:${silent.port}/team/app:v1`, '-o', bench.output]
    await bench.fails(words, {
      message: /no TLS handshake with 127\.0\.0\.1:\d+ within 15 s \(5 attempts\)\n.*--connect-timeout/,
    })
    expect(silent.count()).toBe(5)
  })
})

describe('18: a server that sends ten bytes a second', () => {
  test('18: is given up, since that would never end', async () => {
    const bench = await open({ step: 1000 })
    bench.wire.on('GET', BLOB, drip(10, 1000), ALWAYS)
    await bench.failsToPull({ message: /sent less than 1024 bytes per second after \d+ of \d+ bytes/ })
  })

  test('18: is given up earlier when the person has less time', async () => {
    const bench = await open({ step: 4 })
    bench.wire.on('GET', BLOB, drip(10, 1000), ALWAYS)
    await bench.failsToPull({ message: /the command did not finish within 0\.2 s/ }, '--timeout', '200ms')
    expect(bench.wire.find('GET', BLOB)).toHaveLength(1)
  })
})

/** Whether the content of a file is sent, and not the config. */
function isLarge({ headers }: { readonly headers: IncomingHttpHeaders }): boolean {
  return Number(headers['content-length']) > 1024
}

function rfc850(date: Date): string {
  const [, day, month, year, time] = date.toUTCString().split(' ')
  const name = date.toLocaleDateString('en', { weekday: 'long', timeZone: 'UTC' })
  return `${name}, ${day}-${month}-${year!.slice(2)} ${time} GMT`
}

function certificate(): { cert: string; key: string } {
  return createCertificate({ name: 'registry', hosts: ['127.0.0.1'], issuer: createAuthority('faults') })
}

/** Accepts connections and says nothing. */
async function listenSilently(): Promise<{ readonly port: number; count(): number }> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.resume().on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, count: () => sockets.length }
}
