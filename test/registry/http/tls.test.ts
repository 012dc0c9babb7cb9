import { describe, expect, test } from 'vitest'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import type { Credential } from '../../../src/registry/auth/credential.js'
import { createAuthority, createCertificate } from './certificates.js'
import { get, put, textOf, useTransports } from './transport-fixture.js'

const { serve, connect } = useTransports()
const authority = createAuthority('Test Authority')
const otherAuthority = createAuthority('Other Authority')
const good = createCertificate({ name: 'registry', hosts: ['127.0.0.1', 'registry.example.com'], issuer: authority })
const expired = createCertificate({
  name: 'registry',
  hosts: ['127.0.0.1'],
  issuer: authority,
  notBefore: -10,
  notAfter: -1,
})
const early = createCertificate({ name: 'registry', hosts: ['127.0.0.1'], issuer: authority, notBefore: 5 })
const wrongName = createCertificate({ name: 'registry', hosts: ['other.example.com'], issuer: authority })
const selfSigned = createCertificate({ name: 'registry', hosts: ['127.0.0.1'] })
const client = createCertificate({ name: 'client', issuer: authority })
const ca = [authority.cert]

describe('a server that speaks TLS and is asked in plain HTTP', () => {
  test('is told apart after the first failure', async () => {
    const server = await serve(({ answer }) => answer(200), { tls: selfSigned })
    const retries: unknown[] = []
    const onEvent = (event: { readonly type: string }): unknown => event.type === 'retry' && retries.push(event)
    const transport = connect(server, { onEvent })
    for (const request of [get('/v2/x'), put('/v2/y', 'content')]) {
      await expect(transport.request(request)).rejects.toMatchObject({
        code: 'tls-error',
        message: `${server.host} speaks TLS, and was asked in plain HTTP`,
      })
    }
    expect(retries).toEqual([])
    expect(server.ledger).toEqual([])
  })

  test('and says so with a 400 is told apart as well, and a server without TLS is not', async () => {
    const plain = await serve(({ answer }) => answer(400))
    expect((await connect(plain).request(get('/v2/x'))).status).toBe(400)
    expect(plain.ledger).toHaveLength(1)
  })
})

describe('TLS that is cut off', () => {
  test.each([
    ['by its length', 'content-length: 1000\r\n'],
    ['by chunks', 'transfer-encoding: chunked\r\n'],
  ])('in the middle of a body that ends %s is no end of it', async (_, header) => {
    const server = await serve(
      ({ socket }) => {
        socket.write(`HTTP/1.1 200 OK\r\n${header}\r\n5\r\nhello\r\n`)
        setTimeout(() => socket.destroy(), 20)
      },
      { tls: good },
    )
    const transport = connect(server, { plainHttp: false, tls: { ca }, retry: { attempts: 1 } })
    const answer = await transport.request(get('/v2/x'))
    await expect(textOf(answer)).rejects.toMatchObject({ code: 'network-error' })
  })

  test.each([
    ['nothing', ''],
    ['the beginning of a record', '\x16\x03\x03\x00\x7a\x02\x00'],
    ['a fatal alert', '\x15\x03\x03\x00\x02\x02\x28'],
  ])('in the handshake, after %s, is an error', async (_, bytes) => {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.once('data', () => socket.end(Buffer.from(bytes, 'latin1')))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const transport = connect({ host }, { plainHttp: false, tls: { ca }, retry: { attempts: 2, firstDelay: 1 } })
    await expect(transport.request(get('/v2/x'))).rejects.toMatchObject({
      code: expect.stringMatching(/^(network|tls)-error$/) as string,
    })
    for (const socket of sockets) socket.destroy()
    server.close()
  })
})

describe('certificates', () => {
  test('one of a trusted authority is fine', async () => {
    const server = await serve(({ answer }) => answer(200, {}, 'secure'), { tls: good })
    const transport = connect(server, { plainHttp: false, tls: { ca } })
    expect(await textOf(await transport.request(get('/v2/x')))).toBe('secure')
    expect(transport.origin).toBe(server.url)
  })

  test.each([
    ['of an unknown authority', good, {}, 'signed by unknown authority'],
    ['of another authority', good, { ca: [otherAuthority.cert] }, 'signed by unknown authority'],
    ['that signed itself', selfSigned, { ca }, 'signed by unknown authority'],
    ['that has expired', expired, { ca }, 'has expired'],
    ['that is not valid yet', early, { ca }, 'is not valid yet'],
    ['for another host', wrongName, { ca }, 'is for another host'],
    [
      'when only given authorities count',
      good,
      { ca: [otherAuthority.cert], replaceRoots: true },
      'signed by unknown authority',
    ],
    ['when no authority counts', good, { replaceRoots: true }, 'signed by unknown authority'],
  ])('one %s is refused, once', async (_, certificate, tls, message) => {
    const server = await serve(({ answer }) => answer(200), { tls: certificate })
    await expect(connect(server, { plainHttp: false, tls }).request(get('/v2/x'))).rejects.toMatchObject({
      code: 'tls-error',
      message: `${server.host}: certificate ${message}`,
    })
    expect(server.ledger).toHaveLength(0)
  })

  test.each([selfSigned, expired, wrongName])('any is fine when the user says so', async (certificate) => {
    const server = await serve(({ answer }) => answer(200), { tls: certificate })
    expect((await connect(server, { plainHttp: false, tls: { insecure: true } }).request(get('/v2/x'))).status).toBe(
      200,
    )
  })

  test('connections are used again', async () => {
    const server = await serve(({ answer }) => answer(200), { tls: good })
    const transport = connect(server, { plainHttp: false, tls: { ca } })
    for (let round = 0; round < 3; round++) await (await transport.request(get('/v2/x'))).discard()
    expect(server.connections()).toBe(1)
  })

  test('a name is checked where it is resolved by hand', async () => {
    const server = await serve(({ answer }) => answer(200), { tls: good })
    const override = { host: 'registry.example.com', port: 5000, address: '127.0.0.1' }
    const transport = connect(server, {
      registry: 'registry.example.com:5000',
      plainHttp: false,
      tls: { ca },
      resolve: [
        { ...override, addressPort: 1 },
        { ...override, addressPort: server.port },
      ],
    })
    expect((await transport.request(get('/v2/x'))).status).toBe(200)
    expect(server.ledger[0]?.headers.host).toBe('registry.example.com:5000')
  })

  test.each([
    [{ ca: ['nonsense'] }, 'tls-error', 'certificate authority is not a certificate in PEM form'],
    [{ certificate: 'nonsense', key: 'nonsense' }, 'tls-error', 'client certificate or key cannot be used'],
  ])('settings that make no sense: %j', async (tls, code, message) => {
    const server = await serve(({ answer }) => answer(200), { tls: good })
    await expect(connect(server, { plainHttp: false, tls }).request(get('/v2/x'))).rejects.toMatchObject({
      code,
      message,
    })
  })

  test('a certificate without its key', () => {
    expect(() => connect({ host: 'h' }, { tls: { certificate: client.cert } })).toThrow('have to be given together')
  })
})

describe('what is for the registry alone', () => {
  const tls = { ca, certificate: client.cert, key: client.key }

  test('a client certificate is not shown to a redirect target', async () => {
    const subjects: Record<string, unknown> = {}
    const wantsCertificate = { ...good, ca: authority.cert, requestCert: true }
    const note = (name: string, socket: unknown): void => {
      subjects[name] = (socket as TLSSocket).getPeerCertificate().subject
    }
    const store = await serve(
      ({ socket, answer }) => {
        note('store', socket)
        answer(200, {}, 'blob')
      },
      { tls: wantsCertificate },
    )
    const registry = await serve(
      ({ socket, answer }) => {
        note('registry', socket)
        answer(307, { location: store.url })
      },
      { tls: wantsCertificate },
    )
    const transport = connect(registry, { plainHttp: false, tls })
    expect(await textOf(await transport.request(get('/v2/a')))).toBe('blob')
    expect(subjects).toEqual({ registry: { CN: 'client' }, store: undefined })
  })

  test('accepting any certificate does not extend to a redirect target', async () => {
    const store = await serve(({ answer }) => answer(200), { tls: selfSigned })
    const registry = await serve(({ answer }) => answer(307, { location: store.url }), { tls: selfSigned })
    await expect(
      connect(registry, { plainHttp: false, tls: { insecure: true } }).request(get('/v2/a')),
    ).rejects.toMatchObject({
      code: 'tls-error',
      message: `redirect target ${store.host}: certificate signed by unknown authority`,
    })
  })

  test('nor to a token service', async () => {
    const tokens = await serve(({ answer }) => answer(200, {}, { token: 't' }), { tls: selfSigned })
    const registry = await serve(({ answer }) => answer(401, { 'www-authenticate': `Bearer realm="${tokens.url}"` }), {
      tls: selfSigned,
    })
    const credentials = async (): Promise<Credential> => ({ type: 'basic', username: 'me', password: 'secret' })
    const options = { plainHttp: false, tls: { insecure: true }, credentials, trustedAuthHosts: [tokens.host] }
    await expect(connect(registry, options).request(get('/v2/a'))).rejects.toMatchObject({ code: 'tls-error' })
    expect(tokens.ledger).toHaveLength(0)
  })

  test('an https registry may not send us to plain http', async () => {
    const store = await serve(({ answer }) => answer(200))
    const registry = await serve(({ answer }) => answer(307, { location: store.url }), { tls: good })
    await expect(connect(registry, { plainHttp: false, tls }).request(get('/v2/a'))).rejects.toMatchObject({
      code: 'untrusted-destination',
    })
    expect(store.connections()).toBe(0)
  })
})

describe('the wrong protocol', () => {
  test('TLS to a plain server', async () => {
    const server = await serve(({ answer }) => answer(200))
    await expect(connect(server, { plainHttp: false }).request(get('/v2/x'))).rejects.toMatchObject({
      code: 'tls-error',
      message: `${server.host} gave an HTTP response to an HTTPS client`,
      hint: 'use plain HTTP if the server offers nothing else',
    })
  })

  test('plain HTTP to a TLS server', async () => {
    const server = await serve(({ answer }) => answer(200), { tls: good })
    await expect(connect(server, { retry: { attempts: 1 } }).request(get('/v2/x'))).rejects.toMatchObject({
      code: 'tls-error',
    })
  })
})

test('a large upload over TLS arrives whole', async () => {
  const server = await serve(({ answer }) => answer(201), { tls: good })
  const bytes = Buffer.alloc(5_000_000, 'x')
  const transport = connect(server, { plainHttp: false, tls: { ca } })
  expect((await transport.request(put('/v2/x', bytes))).status).toBe(201)
  expect(server.ledger.at(-1)).toMatchObject({ bodySize: bytes.length, complete: true })
})

test.each([
  ['once', 1],
  ['with every piece', 5],
])(
  'a server that negotiates anew in the middle of a response, %s, is read to the end or not at all',
  async (_, times) => {
    const pieces = Array.from({ length: 5 }, (_unused, index) => String(index).repeat(1000))
    const server = createTlsServer({ ...good, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, (socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => void answer(socket))
    })
    const answer = async (socket: TLSSocket): Promise<void> => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${pieces.join('').length}\r\nConnection: close\r\n\r\n`)
      for (const [index, piece] of pieces.entries()) {
        socket.write(piece)
        if (index >= times) continue
        // Whoever does not answer it is served on all the same.
        await Promise.race([
          new Promise<void>((resolve) => void socket.renegotiate({}, () => resolve())),
          new Promise((resolve) => setTimeout(resolve, 50)),
        ])
      }
      socket.end()
    }
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const transport = connect({ host }, { plainHttp: false, tls: { ca }, retry: { attempts: 1 } })
    try {
      expect(await textOf(await transport.request(get('/v2/x')))).toBe(pieces.join(''))
    } catch (error) {
      expect(error).toMatchObject({ code: expect.stringMatching(/^(network|tls)-error$/) as string })
    }
    server.close()
  },
)
