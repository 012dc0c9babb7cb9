import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect as connectTcp, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { proxyOf } from '../../../src/registry/http/proxy.js'
import { createAuthority, createCertificate, type TestCertificate } from './certificates.js'
import { get, put, textOf, useTransports } from './transport-fixture.js'

describe('proxyOf', () => {
  const options = { http: 'http://plain:3128', https: 'http://user:p%40ss@secure.example.com' }

  test.each<[string, string, string | undefined]>([
    ['http://r.example.com/', '', 'plain:3128'],
    ['https://r.example.com/', '', 'secure.example.com:80'],
    // Loopback never is.
    ['http://localhost:5000/', '', undefined],
    ['http://127.0.0.1:5000/', '', undefined],
    ['http://[::1]:5000/', '', undefined],
    ['http://a.localhost/', '', undefined],
    ['http://r.example.com/', '*', undefined],
    ['http://r.example.com/', 'r.example.com', undefined],
    ['http://r.example.com/', 'R.EXAMPLE.COM', undefined],
    ['http://r.example.com/', 'other, r.example.com', undefined],
    ['http://sub.r.example.com/', 'r.example.com', undefined],
    ['http://r.example.com/', '.example.com', undefined],
    ['http://example.com/', '.example.com', 'plain:3128'],
    ['http://r.example.com/', '*.example.com', undefined],
    ['http://notexample.com/', 'example.com', 'plain:3128'],
    ['http://r.example.com:5000/', 'r.example.com:5000', undefined],
    ['http://r.example.com/', 'r.example.com:80', undefined],
    ['http://r.example.com:5000/', 'r.example.com:80', 'plain:3128'],
    ['http://10.1.2.3/', '10.0.0.0/8', undefined],
    ['http://11.1.2.3/', '10.0.0.0/8', 'plain:3128'],
    ['http://10.1.2.3/', '10.1.2.3', undefined],
    ['http://10.1.2.3:5000/', '10.1.2.3:5000', undefined],
    ['http://10.1.2.3/', '2.3', 'plain:3128'],
    ['http://[fd00::1]/', 'fd00::/8', undefined],
    ['http://[fd00::1]/', '[fd00:0::1]', undefined],
    ['http://[fd00::1]:5000/', '[fd00::1]:5000', undefined],
    ['http://[::ffff:10.0.0.1]/', '10.0.0.0/8', undefined],
    ['http://r.example.com/', '10.0.0.0/99, /8, a/b, :', 'plain:3128'],
  ])('%s with NO_PROXY=%s goes to %s', (url, noProxy, expected) => {
    expect(proxyOf(new URL(url), { ...options, noProxy })?.name).toBe(expected)
  })

  test('no proxy is none', () => {
    expect(proxyOf(new URL('http://h'), {})).toBeUndefined()
    expect(proxyOf(new URL('http://h'), { https: 'http://p' })).toBeUndefined()
    expect(proxyOf(new URL('http://h'), { http: ' ' })).toBeUndefined()
  })

  test('a user becomes a header', () => {
    const proxy = proxyOf(new URL('https://h'), options)
    expect(proxy?.authorization).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`)
    expect(proxyOf(new URL('http://h'), options)?.authorization).toBeUndefined()
  })

  test.each(['socks5://p:1080', 'http://[', 'http://u%zz@p'])('%s cannot be used', (http) => {
    expect(() => proxyOf(new URL('http://h'), { http })).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
  })

  test('a host alone is one that speaks http', () => {
    expect(proxyOf(new URL('http://h'), { http: 'p:3128' })).toMatchObject({ hostname: 'p', port: 3128, secure: false })
  })
})

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
}

interface TestProxy {
  readonly address: string
  readonly seen: Seen[]
}

const closers: (() => void)[] = []
afterEach(() => closers.splice(0).forEach((close) => close()))

/** A proxy that brings every host to one port on loopback. */
async function startProxy(
  targetPort: number,
  options: { tls?: TestCertificate; status?: number } = {},
): Promise<TestProxy> {
  const seen: Seen[] = []
  const sockets = new Set<Socket>()
  const server = options.tls === undefined ? createHttpServer() : createHttpsServer(options.tls)
  server.on('request', (request, response) => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers })
    response.end(`through the proxy: ${request.url ?? ''}`)
  })
  server.on('connect', (request, socket: Socket) => {
    seen.push({ method: 'CONNECT', url: request.url ?? '', headers: request.headers })
    sockets.add(socket)
    socket.on('error', () => undefined)
    if (options.status !== undefined) {
      socket.end(`HTTP/1.1 ${options.status} No\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    const target = connectTcp(targetPort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      target.pipe(socket)
      socket.pipe(target)
    })
    target.on('error', () => socket.destroy())
    sockets.add(target)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const scheme = options.tls === undefined ? 'http' : 'https'
  return { address: `${scheme}://user:pass@127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

describe('requests through a proxy', () => {
  const { serve, connect } = useTransports()
  const authority = createAuthority('Test Authority')
  const certificate = createCertificate({ name: 'r', hosts: ['r.example.com', '127.0.0.1'], issuer: authority })
  const ca = [authority.cert]
  const authorization = `Basic ${Buffer.from('user:pass').toString('base64')}`

  test('over TLS take a tunnel, and only the tunnel sees the user of the proxy', async () => {
    const server = await serve(({ answer }) => answer(200, {}, 'secret'), { tls: certificate })
    const proxy = await startProxy(server.port)
    const transport = connect(server, {
      registry: 'r.example.com',
      plainHttp: false,
      tls: { ca },
      proxy: { https: proxy.address },
    })
    for (let round = 0; round < 2; round++) expect(await textOf(await transport.request(get('/v2/x')))).toBe('secret')
    expect((await transport.request(put('/v2/y', 'content'))).status).toBe(200)
    expect(proxy.seen).toHaveLength(1)
    expect(proxy.seen[0]).toMatchObject({
      method: 'CONNECT',
      url: 'r.example.com:443',
      headers: { 'proxy-authorization': authorization },
    })
    expect(server.ledger[0]?.headers).not.toHaveProperty('proxy-authorization')
    expect(server.ledger.at(-1)).toMatchObject({ bodyText: 'content' })
  })

  test('may take a tunnel through a proxy that speaks TLS itself', async () => {
    const server = await serve(({ answer }) => answer(200, {}, 'secret'), { tls: certificate })
    const proxy = await startProxy(server.port, { tls: certificate })
    const transport = connect(server, {
      registry: 'r.example.com',
      plainHttp: false,
      tls: { ca },
      proxy: { https: proxy.address },
    })
    expect(await textOf(await transport.request(get('/v2/x')))).toBe('secret')
    expect(proxy.seen).toHaveLength(1)
  })

  test('that is not trusted are refused, also when the registry need not be', async () => {
    const server = await serve(({ answer }) => answer(200), { tls: certificate })
    const proxy = await startProxy(server.port, { tls: certificate })
    const transport = connect(server, {
      registry: 'r.example.com',
      plainHttp: false,
      tls: { insecure: true },
      proxy: { https: proxy.address },
    })
    await expect(transport.request(get('/v2/x'))).rejects.toMatchObject({ code: 'tls-error' })
    expect(proxy.seen).toHaveLength(0)
  })

  test('in plain are handed over whole', async () => {
    const proxy = await startProxy(1)
    const transport = connect({ host: 'r.example.com:5000' }, { proxy: { http: proxy.address } })
    expect(await textOf(await transport.request(get('/v2/x?n=1')))).toBe(
      'through the proxy: http://r.example.com:5000/v2/x?n=1',
    )
    expect(proxy.seen[0]?.headers).toMatchObject({ host: 'r.example.com:5000', 'proxy-authorization': authorization })
  })

  test.each([
    [407, 'the proxy wants a user and a password in its address'],
    [502, undefined],
  ])('that are refused with %i', async (status, hint) => {
    const proxy = await startProxy(1, { status })
    const transport = connect(
      { host: 'r.example.com' },
      { plainHttp: false, proxy: { https: proxy.address }, retry: { attempts: 1 } },
    )
    const name = proxy.address.replace(/^.*@/, '')
    await expect(transport.request(get('/v2/x'))).rejects.toMatchObject({
      code: 'network-error',
      message: `proxy ${name} refused the connection with status ${status}`,
      hint,
    })
  })
})
