import { describe, expect, test } from 'vitest'
import { descriptorOf } from '../../src/oci/descriptor.js'
import { MediaType } from '../../src/oci/media-types.js'
import { openBytes } from '../../src/util/bytes.js'
import { createCertificate } from '../registry/http/certificates.js'
import { someBytes } from '../registry/test-registry.js'
import { BLOB, CANARY, FaultBench, MANIFEST, NAME, UPLOAD, UPLOADS } from './fault-bench.js'
import { cutRequest, editHeaders, reply } from './faults.js'
import type { ScriptedExchange, ScriptedServer } from '../registry/http/scripted-server.js'

const MIB = 1024 * 1024
const CONTENT = someBytes(256 * 1024)
const ALWAYS = { times: Number.POSITIVE_INFINITY }
const TLS = createCertificate({ name: 'registry', hosts: ['127.0.0.1'], authority: true })

async function open(): Promise<FaultBench> {
  const bench = await FaultBench.open()
  await bench.seed(CONTENT)
  return bench
}

/** Checks that nobody has even knocked there. */
function expectUntouched(stranger: ScriptedServer): void {
  expect(stranger.connections(), 'connections to the other host').toBe(0)
}

/** Checks that requests came there, and that none carried anything that is for the registry alone. */
function expectNoSecrets({ ledger }: ScriptedServer): void {
  expect(ledger.length).toBeGreaterThan(0)
  for (const { headers, url, bodyText } of ledger) {
    expect(Object.keys(headers)).not.toContain('authorization')
    expect(Object.keys(headers)).not.toContain('cookie')
    expect(JSON.stringify([headers, url, bodyText])).not.toContain(CANARY)
  }
}

function redirectTo(location: string, status = 307): ReturnType<typeof reply> {
  return reply({ status, headers: { location } })
}

describe('28: an upload that is to go elsewhere', () => {
  const cases: readonly (readonly [string, (place: { own: string; other: string }) => string | undefined, RegExp])[] = [
    [
      'to another port',
      ({ other }) => `http://${other}/u/1`,
      /upload location is on another host: 127\.0\.0\.1:\d+ instead of/,
    ],
    ['to another host without a scheme', ({ other }) => `//${other}/u/1`, /upload location is on another host/],
    [
      'to another name',
      () => 'https://evil.example/u/1',
      /upload location is on another host: evil\.example instead of/,
    ],
    ['to a name without a scheme', () => '//evil.example/u/1', /upload location is on another host/],
    ['to a name behind backslashes', () => '/\\evil.example/u/1', /upload location ".*" is malformed/],
    ['with user information', ({ own }) => `http://someone:${CANARY}@${own}/u/1`, /carries user information/],
    ['by another protocol', () => 'ftp://evil.example/u/1', /neither http nor https/],
    ['to a file', () => 'file:///etc/passwd', /neither http nor https/],
    ['nowhere', () => undefined, /opened an upload and did not say where/],
    ['to an empty address', () => '', /opened an upload and did not say where/],
    [
      'to an address of 64 KiB',
      () => `/u/${'1'.repeat(64 * 1024)}`,
      /headers of the answer of 127\.0\.0\.1:\d+ exceed the limit of 64 KiB/,
    ],
  ]

  test.each(cases)('28: %s: refused before a byte is sent', async (_name, locate, message) => {
    const bench = await FaultBench.open()
    const stranger = await bench.startStranger()
    const location = locate({ own: bench.wire.host, other: stranger.host })
    const headers = location === undefined ? undefined : { location }
    bench.wire.on('POST', UPLOADS, reply({ status: 202, ...(headers && { headers }) }), ALWAYS)
    await bench.failsToPush(CONTENT, { message })
    expectUntouched(stranger)
    expect(bench.wire.find('PUT', /./)).toHaveLength(0)
    expect(bench.wire.find('PATCH', /./)).toHaveLength(0)
  })

  test('28: after its first chunk: refused before another byte is sent', async () => {
    const bench = await FaultBench.open()
    const stranger = await bench.startStranger()
    bench.wire.on('PATCH', UPLOAD, editHeaders({ location: `http://${stranger.host}/u/1` }))
    const content = someBytes(3 * MIB)
    const descriptor = descriptorOf(MediaType.octetStream, content)
    const push = bench.connect({ uploadChunkSize: MIB }).push(descriptor, openBytes(content))
    await expect(push).rejects.toMatchObject({ code: 'untrusted-destination' })
    expectUntouched(stranger)
    expect(bench.wire.find('PATCH', UPLOAD)).toHaveLength(1)
    await bench.expectNoUploads()
  })

  test('28: after it broke off: refused before another byte is sent', async () => {
    const bench = await FaultBench.open()
    const stranger = await bench.startStranger()
    const isLarge = ({ request }: ScriptedExchange): boolean => Number(request.headers['content-length']) > MIB
    bench.wire.on('PUT', UPLOAD, cutRequest(2 * MIB), { when: isLarge })
    bench.wire.on('GET', UPLOAD, editHeaders({ location: `http://${stranger.host}/u/1` }), ALWAYS)
    await bench.failsToPush(someBytes(3 * MIB), { message: /upload location is on another host/ })
    expectUntouched(stranger)
    expect(bench.wire.find('PATCH', UPLOAD)).toHaveLength(0)
  })

  test('28: from TLS to another port without it: refused', async () => {
    const bench = await FaultBench.open({ tls: TLS })
    const stranger = await bench.startStranger()
    bench.wire.on('POST', UPLOADS, reply({ status: 202, headers: { location: `http://${stranger.host}/u/1` } }), ALWAYS)
    await bench.failsToPush(CONTENT, { message: /upload location is on another host/ })
    expectUntouched(stranger)
  })

  // A proxy that ends TLS for a registry makes such addresses, and nothing answers there without TLS.
  test('28: from TLS to the same host without it: sent with TLS all the same', async () => {
    const bench = await FaultBench.open({ tls: TLS })
    bench.wire.on(
      'POST',
      UPLOADS,
      async ({ ask, send }) => {
        const answer = await ask()
        send({
          ...answer,
          headers: { ...answer.headers, location: `http://${bench.wire.host}${String(answer.headers.location)}` },
        })
      },
      { ...ALWAYS, when: ({ request }) => request.headers.authorization !== undefined },
    )
    await bench.pushes(CONTENT)
  })
})

describe('29: redirects', () => {
  test.each([301, 302, 303, 307, 308])(
    '29: status %d to a store of blobs is followed, without secrets',
    async (status) => {
      const bench = await open()
      const store = await bench.startStranger(({ answer }) => answer(200, {}, CONTENT))
      bench.wire.on('GET', BLOB, redirectTo(`${store.url}/signed?Signature=${CANARY}`, status))
      await bench.pulls(CONTENT, '--header', `X-Api-Key: ${CANARY}`, '--header', `Cookie: session=${CANARY}`)
      expect(store.ledger).toHaveLength(1)
      const [{ headers }] = store.ledger as [ScriptedServer['ledger'][0]]
      expect(headers.authorization).toBeUndefined()
      expect(headers.cookie).toBeUndefined()
      expect(JSON.stringify(headers)).not.toContain(CANARY)
    },
  )

  test.each([
    ['manifest', MANIFEST],
    ['blob', BLOB],
  ])('29: of a %s to itself, again and again: given up after five', async (_name, path) => {
    const bench = await open()
    const authorized = { ...ALWAYS, when: hasAuthorization }
    bench.wire.on('GET', path, ({ answer, entry }) => answer(307, { location: entry.url }), authorized)
    await bench.failsToPull({ message: /127\.0\.0\.1:\d+ redirects more than 5 times/ })
    expect(bench.wire.find('GET', path).filter(({ headers }) => headers.authorization !== undefined)).toHaveLength(6)
  })

  test.each([
    [5, true],
    [6, false],
  ])('29: %d hops through another host: followed is %s', async (hops, isFollowed) => {
    const bench = await open()
    const chain = await bench.startStranger(({ index, answer, entry }) => {
      if (index + 1 < hops) answer(307, { location: `${entry.url}x` })
      else answer(200, {}, CONTENT)
    })
    bench.wire.on('GET', BLOB, redirectTo(`${chain.url}/x`))
    if (isFollowed) await bench.pulls(CONTENT)
    else await bench.failsToPull({ message: /127\.0\.0\.1:\d+ redirects more than 5 times/ })
    expect(chain.ledger).toHaveLength(5)
    expectNoSecrets(chain)
  })

  test('29: away and back: the registry gets no secrets any more either', async () => {
    const bench = await open()
    const mirror = await bench.startStranger(({ answer, entry }) => {
      answer(307, { location: `${bench.wire.url}${entry.url}` })
    })
    bench.wire.on('GET', BLOB, ({ answer, entry }) => answer(307, { location: `${mirror.url}${entry.url}` }))
    await bench.failsToPull({
      code: 5,
      message: /redirect target 127\.0\.0\.1:\d+ asked for credentials, which are not sent there/,
    })
    expectNoSecrets(mirror)
    const requests = bench.wire.find('GET', BLOB)
    expect(requests.map(({ headers }) => headers.authorization === undefined)).toEqual([false, true])
  })

  test('29: to a host that wants to know who is there: no secret is sent, and its token service is not asked', async () => {
    const bench = await open()
    const service = await bench.startStranger()
    const store = await bench.startStranger(({ answer }) => {
      answer(401, { 'www-authenticate': `Bearer realm="${service.url}/token",service="store"` })
    })
    bench.wire.on('GET', BLOB, redirectTo(`${store.url}/blob`), ALWAYS)
    await bench.failsToPull({
      code: 5,
      message: /redirect target 127\.0\.0\.1:\d+ asked for credentials, which are not sent there/,
    })
    expect(store.ledger).toHaveLength(1)
    expectNoSecrets(store)
    expectUntouched(service)
  })

  test.each([
    'file:///etc/passwd',
    'ftp://evil.example/x',
    'data:text/plain,x',
    'javascript:1',
    'http://someone:secret@127.0.0.1/x',
    'http://169.254.169.254/latest/meta-data/',
    'http://2852039166/',
    'http://0xa9fea9fe/',
    'http://0251.0376.0251.0376/',
    'http://169.254.43518/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://[::ffff:169.254.169.254]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://[2002:a9fe:a9fe::]/',
    'http://[fe80::1]/',
    'http://①⑥⑨.②⑤④.①⑥⑨.②⑤④/',
    'http://0.0.0.0/',
    'http://[::]/',
    'http://224.0.0.1/',
    'http://%',
  ])('29: to %s: refused', async (location) => {
    const bench = await open()
    bench.wire.on('GET', BLOB, redirectTo(Buffer.from(location).toString('latin1')), ALWAYS)
    await bench.failsToPull({ message: /redirect (to|address) .*/ })
    expect(bench.wire.find('GET', BLOB)).toHaveLength(1)
  })

  test('29: from TLS to a place without it: refused', async () => {
    const bench = await FaultBench.open({ tls: TLS })
    await bench.seed(CONTENT)
    const store = await bench.startStranger()
    bench.wire.on('GET', BLOB, redirectTo(`${store.url}/blob`), ALWAYS)
    await bench.failsToPull({ message: /redirect to 127\.0\.0\.1:\d+ would leave https for plain http/ })
    expectUntouched(store)
  })

  const sent = [
    { what: 'a manifest', method: 'PUT', path: MANIFEST },
    { what: 'a blob', method: 'PUT', path: UPLOAD },
    { what: 'the request for an upload', method: 'POST', path: UPLOADS },
  ]

  test.each(sent)('29: status 303 for $what that is sent: not followed', async ({ method, path }) => {
    const bench = await FaultBench.open()
    const stranger = await bench.startStranger(({ answer }) => answer(201))
    bench.wire.on(method, path, redirectTo(`${stranger.url}/x`, 303), ALWAYS)
    const shown = `^Error.*: ${method} ".*/v2/${NAME}/.*": response status code 303`
    await bench.failsToPush(CONTENT, { message: new RegExp(shown, 'm') })
    expectUntouched(stranger)
  })

  test.each(sent)(
    '29: status 307 for $what that is sent: followed without secrets, and not believed',
    async (request) => {
      const bench = await FaultBench.open()
      const stranger = await bench.startStranger(({ answer }) => answer(201))
      bench.wire.on(request.method, request.path, redirectTo(`${stranger.url}/x`), ALWAYS)
      // The other host has taken it, and the registry has not got it.
      await bench.failsToPush(CONTENT, { message: /^Error.*: (PUT|POST) ".*": response status code 201/m })
      expectNoSecrets(stranger)
    },
  )
})

function hasAuthorization({
  request,
}: {
  readonly request: { readonly headers: { readonly authorization?: string } }
}): boolean {
  return request.headers.authorization !== undefined
}
