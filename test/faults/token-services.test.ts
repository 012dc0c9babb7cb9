import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { MediaType } from '../../src/oci/media-types.js'
import { openBytes } from '../../src/util/bytes.js'
import { packManifest } from '../../src/oci/pack.js'
import type { ScriptedExchange } from '../registry/http/scripted-server.js'
import { someBytes } from '../registry/test-registry.js'
import { BLOB, CANARY, FaultBench, MANIFEST, TOKEN, UPLOAD, type FaultBenchOptions } from './fault-bench.js'
import { cutBefore, reply } from './faults.js'
import type { Fault } from './faulty-wire.js'

const MIB = 1024 * 1024
const CONTENT = someBytes(256 * 1024)
const PIECE = Buffer.alloc(64 * 1024, 'a')
const ALWAYS = { times: Number.POSITIVE_INFINITY }

async function open(options: FaultBenchOptions = {}): Promise<FaultBench> {
  const bench = await FaultBench.open({ auth: 'bearer', ...options })
  await bench.seed(CONTENT)
  return bench
}

/** How often a token was asked for. */
function tokensIn({ wire }: FaultBench): number {
  return wire.find('GET', TOKEN).length + wire.find('POST', TOKEN).length
}

/** What a registry says to a token that it takes no more. */
function refuseToken({ answer, request }: ScriptedExchange): void {
  const realm = `http://${request.headers.host ?? ''}/token`
  const challenge = `Bearer realm="${realm}",service="gantry-registry",error="invalid_token"`
  answer(
    401,
    { 'www-authenticate': challenge },
    { errors: [{ code: 'UNAUTHORIZED', message: 'the token has expired' }] },
  )
}

/** Refuses the tokens of this many requests, once all of them are there. */
function refuseTogether(count: number): Fault {
  const waiting: ScriptedExchange[] = []
  return (exchange) => {
    waiting.push(exchange)
    if (waiting.length === count) waiting.forEach(refuseToken)
  }
}

/** Puts an artifact with several files behind the wire. */
async function seedFiles(bench: FaultBench, count: number): Promise<void> {
  const layers: Descriptor[] = []
  for (let index = 0; index < count; index++) {
    const bytes = Buffer.from(`file ${index}\n`)
    const descriptor = descriptorOf(MediaType.imageLayer, bytes)
    await bench.behind.push(descriptor, openBytes(bytes))
    layers.push({ ...descriptor, annotations: { 'org.opencontainers.image.title': `${index}.txt` } })
  }
  const packed = packManifest({
    layers,
    artifactType: 'test/files',
    annotations: { 'org.opencontainers.image.created': '2020-01-01T00:00:00Z' },
  })
  for (const { descriptor, bytes } of packed.blobs) await bench.behind.push(descriptor, openBytes(bytes))
  await bench.behind.push(packed.descriptor, openBytes(packed.bytes), { tag: 'v1' })
}

describe('19: a token that expires', () => {
  test('19: between the manifest and the blobs: eight downloads at a time share one new token', async () => {
    const bench = await FaultBench.open({ auth: 'bearer' })
    await seedFiles(bench, 8)
    bench.wire.on('GET', BLOB, refuseTogether(8), { times: 8 })
    await bench.succeeds('pull', bench.reference, '-o', bench.output, '--concurrency', '8')
    expect(bench.wire.find('GET', BLOB)).toHaveLength(16)
    expect(tokensIn(bench)).toBe(2)
  })

  test('19: between two blobs', async () => {
    const bench = await FaultBench.open({ auth: 'bearer' })
    await seedFiles(bench, 4)
    bench.wire.on('GET', BLOB, refuseToken, { skip: 2 })
    await bench.succeeds('pull', bench.reference, '-o', bench.output, '--concurrency', '1')
    expect(bench.wire.find('GET', BLOB)).toHaveLength(5)
    expect(tokensIn(bench)).toBe(2)
  })

  test('19: in the middle of an upload in chunks: the chunk is sent once more', async () => {
    const bench = await FaultBench.open({ auth: 'bearer' })
    bench.wire.on('PATCH', UPLOAD, refuseToken, { skip: 1 })
    const content = someBytes(3 * MIB)
    const descriptor = descriptorOf(MediaType.octetStream, content)
    await bench.connect({ uploadChunkSize: MIB }).push(descriptor, openBytes(content))
    expect(await bench.behind.has(descriptor)).toBe(true)
    await bench.expectNoUploads()
    const ranges = bench.wire.find('PATCH', UPLOAD).map(({ headers }) => headers['content-range'])
    const second = `${MIB}-${2 * MIB - 1}`
    expect(ranges).toEqual([`0-${MIB - 1}`, second, second, `${2 * MIB}-${3 * MIB - 1}`])
    expect(bench.wire.uploads.size).toBe(1)
    expect(tokensIn(bench)).toBe(2)
  })

  test('19: in the middle of an upload in one go', async () => {
    const bench = await FaultBench.open({ auth: 'bearer' })
    bench.wire.on('PUT', UPLOAD, refuseToken, {
      when: ({ request }) => Number(request.headers['content-length']) > 1024,
    })
    await bench.pushes(CONTENT)
    // One to look what is there, one to push, and the new one.
    expect(tokensIn(bench)).toBe(3)
  })

  test('19: is renewed when most of its time is over, before it is refused', async () => {
    const bench = await open({ step: 2000 })
    const repository = bench.connect()
    await repository.resolve('v1')
    await repository.resolve('v1')
    expect(tokensIn(bench)).toBe(1)
    // Tokens of this registry are good for 300 s.
    await new Promise((resolve) => setTimeout(resolve, 0.8 * 300_000))
    await repository.resolve('v1')
    expect(tokensIn(bench)).toBe(2)
    const unauthorized = bench.wire.find('HEAD', MANIFEST).filter(({ headers }) => headers.authorization === undefined)
    expect(unauthorized).toHaveLength(1)
  })
})

describe('20: a token service', () => {
  test.each<[string, Fault]>([
    ['that fails once', reply({ status: 500 })],
    ['that is overloaded once', reply({ status: 503, headers: { 'retry-after': '1' } })],
    ['whose connection breaks once', cutBefore('reset')],
  ])('20: %s is asked again', async (_name, fault) => {
    const bench = await open()
    bench.wire.on('GET', TOKEN, fault)
    await bench.pulls(CONTENT)
    expect(tokensIn(bench)).toBe(2)
  })

  test('20: that always fails is given up after five times, and the registry is not asked again', async () => {
    const bench = await open()
    bench.wire.on('GET', TOKEN, reply({ status: 500 }), ALWAYS)
    await bench.failsToPull({
      message: /token service 127\.0\.0\.1:\d+ gave no token for 127\.0\.0\.1:\d+: status 500/,
    })
    expect(tokensIn(bench)).toBe(5)
    expect(bench.wire.find('GET', MANIFEST)).toHaveLength(1)
  })

  test.each<[string, string, RegExp]>([
    ['a page', `<html><body>Log in, ${CANARY}</body></html>`, /token response of 127\.0\.0\.1:\d+ is not valid JSON/],
    ['nothing', '', /token response of 127\.0\.0\.1:\d+ is not valid JSON/],
    ['a list', '[]', /token response of 127\.0\.0\.1:\d+ is not (?:a JSON|an) object/],
    ['no token', `{"expires_in":300,"refresh_token":"${CANARY}"}`, /token response of 127\.0\.0\.1:\d+ holds no token/],
    ['an empty token', '{"token":"","access_token":""}', /token response of 127\.0\.0\.1:\d+ holds no token/],
    ['a number', '{"token":12345}', /token response of 127\.0\.0\.1:\d+ holds no token/],
    [
      'a token that would be two headers',
      `{"token":"${CANARY}\\r\\nx: y"}`,
      /token response of 127\.0\.0\.1:\d+ holds a token with odd characters/,
    ],
  ])('20: that answers with %s: an error that says so and quotes nothing', async (_name, body, message) => {
    const bench = await open()
    bench.wire.on('GET', TOKEN, reply({ status: 200, headers: { 'content-type': 'application/json' }, body }), ALWAYS)
    await bench.failsToPull({ message })
    expect(tokensIn(bench)).toBe(1)
    expect(bench.wire.find('GET', MANIFEST)).toHaveLength(1)
  })

  test.each<[string, Readonly<Record<string, string>>]>([
    ['a token of 10 MiB', { 'content-length': String(10 * MIB) }],
    ['a token without an end', {}],
  ])('20: that answers with %s is not listened to any longer than needed', async (_name, headers) => {
    const bench = await open()
    let sent = 0
    const pieces = function* (end: number): Generator<Buffer> {
      for (; sent < end; sent += PIECE.length) yield PIECE
    }
    bench.wire.on('GET', TOKEN, ({ response }) => {
      response.writeHead(200, headers)
      const body = Readable.from(pieces(Number(headers['content-length'] ?? 256 * MIB)))
      response.on('close', () => body.destroy())
      body.pipe(response)
    })
    await bench.failsToPull({ message: /token response of 127\.0\.0\.1:\d+ exceeds the limit of 1048576 bytes/ })
    // What is on its way in the buffers of the system counts as sent too.
    expect(sent).toBeLessThan(10 * MIB)
    expect(tokensIn(bench)).toBe(1)
  })
})

describe('30: a registry that names a token service of somebody else', () => {
  /** Names the place in the challenge to every request. */
  async function openWith(realm: (place: { own: string; other: string }) => string) {
    const bench = await open()
    const stranger = await bench.startStranger(({ answer }) => answer(200, {}, { token: 'given' }))
    const text = realm({ own: bench.wire.host, other: stranger.host })
    const challenge = `Bearer realm="${text}",service="s",scope="repository:team/app:pull,push"`
    const headers = { 'www-authenticate': Buffer.from(challenge).toString('latin1') }
    for (const method of ['GET', 'HEAD']) bench.wire.on(method, /^\/v2\//, reply({ status: 401, headers }), ALWAYS)
    return { bench, stranger }
  }

  const NO_ADDRESS = /token service ".*" of 127\.0\.0\.1:\d+ is not an http address/
  const REFUSED = /token service to .* refused: a (link-local|reserved) address, named by/
  const NOT_TRUSTED = /token service .* is not trusted for 127\.0\.0\.1:\d+\n.*--auth-host/

  const cases: readonly (readonly [string, (place: { own: string; other: string }) => string, RegExp])[] = [
    ['on another port', ({ other }) => `http://${other}/token`, NOT_TRUSTED],
    ['on another port, with a query', ({ other, own }) => `http://${other}/token?host=${own}`, NOT_TRUSTED],
    ['on another port, with the own host as a fragment', ({ other, own }) => `http://${other}/#@${own}/`, NOT_TRUSTED],
    ['on another host', () => 'https://evil.example/token', NOT_TRUSTED],
    ['on another host, without TLS', () => 'http://evil.example/token', NOT_TRUSTED],
    [
      'on another spelling of this machine',
      ({ other }) => `http://localhost:${other.split(':')[1] ?? ''}/token`,
      NOT_TRUSTED,
    ],
    ['on a number', () => 'http://2130706433/token', NOT_TRUSTED],
    ['on an address of the own network', () => 'http://10.0.0.1/token', NOT_TRUSTED],
    ['where clouds keep their metadata', () => 'http://169.254.169.254/latest', REFUSED],
    ['there, as a number', () => 'http://2852039166/latest', REFUSED],
    ['there, by IPv6', () => 'http://[::ffff:a9fe:a9fe]/latest', REFUSED],
    ['there, by NAT64', () => 'http://[64:ff9b::a9fe:a9fe]/latest', REFUSED],
    ['nowhere in particular', () => 'http://0.0.0.0/token', REFUSED],
    ['in a file', () => 'file:///etc/passwd', NO_ADDRESS],
    ['by another protocol', () => 'gopher://evil.example/', NO_ADDRESS],
    ['without a scheme', ({ other }) => `//${other}/token`, NO_ADDRESS],
    ['behind backslashes', ({ other }) => `\\\\\\\\${other}\\\\token`, NO_ADDRESS],
    ['behind a slash and a backslash', ({ other }) => `/\\\\${other}/token`, NO_ADDRESS],
    ['in no place', () => '', NO_ADDRESS],
    [
      'behind user information',
      ({ own }) => `http://someone:secret@${own}/token`,
      /token service to 127\.0\.0\.1:\d+ carries user information/,
    ],
    ['that is none', () => 'http://%/', /token service address is not valid/],
    [
      'of 40 KiB',
      ({ other }) => `http://${other}/${'a'.repeat(40 * 1024)}`,
      /token service address is longer than 32768 bytes/,
    ],
    [
      'of 1 MiB',
      ({ other }) => `http://${other}/${'a'.repeat(MIB)}`,
      /headers of the answer of 127\.0\.0\.1:\d+ exceed the limit of 64 KiB/,
    ],
  ]

  test.each(cases)('30: %s: it gets neither password nor a visit', async (_name, realm, message) => {
    const { bench, stranger } = await openWith(realm)
    await bench.failsToPull({ message })
    expect(stranger.connections(), 'connections to the other host').toBe(0)
    expect(bench.wire.ledger.filter(({ headers }) => headers.authorization !== undefined)).toEqual([])
    expect(bench.wire.ledger.length).toBeLessThanOrEqual(2)
  })

  test('30: unless the person trusts it', async () => {
    const { bench, stranger } = await openWith(({ other }) => `http://${other}/token`)
    await bench.failsToPull({ code: 5, message: /^Error/m }, '--auth-host', stranger.host)
    expect(stranger.ledger.map(({ headers }) => headers.authorization?.split(' ')[0])).toEqual(['Basic'])
  })

  test('30: not even by a redirect of the own token service', async () => {
    const bench = await open()
    const stranger = await bench.startStranger(({ answer }) => answer(200, {}, { token: 'given' }))
    bench.wire.on('GET', TOKEN, reply({ status: 307, headers: { location: `${stranger.url}/token` } }), ALWAYS)
    await bench.failsToPull({
      message: /token service 127\.0\.0\.1:\d+ redirects to another place, which is not followed/,
    })
    expect(stranger.connections()).toBe(0)
  })

  test('30: a relative address leads to the registry itself', async () => {
    const bench = await open()
    const challenge = 'Bearer realm="/token",service="gantry-registry",scope="repository:team/app:pull"'
    const headers = { 'www-authenticate': challenge }
    bench.wire.on('GET', MANIFEST, reply({ status: 401, headers }), { times: 1 })
    await bench.pulls(CONTENT)
    expect(tokensIn(bench)).toBe(1)
  })
})
