import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect as connectTcp, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
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

  test.each(['socks4://p:1080', 'http://[', 'http://u%zz@p'])('%s cannot be used', (http) => {
    expect(() => proxyOf(new URL('http://h'), { http })).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
  })

  test('a host alone is one that speaks http', () => {
    expect(proxyOf(new URL('http://h'), { http: 'p:3128' })).toMatchObject({ hostname: 'p', port: 3128, secure: false })
  })
})

test('a proxy knows what its address comes from', () => {
  const options = { http: 'p:3128', https: 'socks5h://u:p@s', origin: { http: 'http_proxy', https: 'ALL_PROXY' } }
  expect(proxyOf(new URL('http://h'), options)?.name).toBe('p:3128 (from http_proxy)')
  expect(proxyOf(new URL('https://h'), options)).toMatchObject({
    name: 's:1080 (from ALL_PROXY)',
    isSocks: true,
    user: { name: 'u', password: 'p' },
    authorization: undefined,
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

/** A SOCKS5 proxy that wants a user and brings every host to one port on loopback, or refuses. */
async function startSocks(targetPort: number, reply = 0): Promise<TestProxy & { readonly targets: string[] }> {
  const targets: string[] = []
  const server = createTcpServer((socket) => {
    let step = 0
    socket.on('error', () => undefined)
    socket.on('data', (data: Buffer) => {
      step++
      if (step === 1) socket.write(Buffer.from([5, 2]))
      else if (step === 2) {
        const isUser = data.toString('latin1').includes('user') && data.toString('latin1').includes('pass')
        socket.write(Buffer.from([1, isUser ? 0 : 1]))
      } else if (step === 3) {
        targets.push(`${data[3]}:${data.subarray(5, 5 + (data[4] ?? 0)).toString()}`)
        socket.write(Buffer.from([5, reply, 0, 1, 127, 0, 0, 1, 0, 80]))
        if (reply !== 0) return
        socket.removeAllListeners('data')
        const target = connectTcp(targetPort, '127.0.0.1')
        target.on('error', () => socket.destroy())
        target.pipe(socket)
        socket.pipe(target)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close())
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen: [], targets }
}

describe('requests through a proxy', () => {
  const { serve, connect } = useTransports()

  test.each(['socks5', 'socks5h'])('that speaks %s take a tunnel, with and without TLS', async (scheme) => {
    const secure = await serve(({ answer }) => answer(200, {}, 'secret'), { tls: certificate })
    const plain = await serve(({ answer }) => answer(200, {}, 'plain'))
    for (const [server, plainHttp] of [
      [secure, false],
      [plain, true],
    ] as const) {
      const proxy = await startSocks(server.port)
      const address = `${scheme}://user:pass@${proxy.address}`
      const proxies = { http: address, https: address }
      const transport = connect(server, { registry: 'r.example.com', plainHttp, tls: { ca }, proxy: proxies })
      expect(await textOf(await transport.request(get('/v2/x')))).toBe(plainHttp ? 'plain' : 'secret')
      // The proxy gets the name, and resolves it.
      expect(proxy.targets).toEqual(['3:r.example.com'])
      expect(server.ledger[0]?.url).toBe('/v2/x')
    }
  })

  test('that speaks SOCKS5 and refuses blame the proxy', async () => {
    const proxy = await startSocks(1, 5)
    const transport = connect(
      { host: 'r.example.com' },
      { proxy: { http: `socks5://user:pass@${proxy.address}`, origin: { http: 'ALL_PROXY' } } },
    )
    await expect(transport.request(get('/v2/x'))).rejects.toMatchObject({
      code: 'network-error',
      message: expect.stringMatching(/^proxy 127\.0\.0\.1:\d+ \(from ALL_PROXY\): .*ConnectionRefused/) as string,
    })
  })

  test.each(['http', 'socks5'])('that cannot be reached (%s) blame the proxy and name the variable', async (scheme) => {
    const server = await serve(() => undefined)
    await server.close()
    for (const plainHttp of [true, false]) {
      const address = `${scheme}://${server.host}`
      const proxy = { http: address, https: address, origin: { http: 'http_proxy', https: 'HTTPS_PROXY' } }
      const transport = connect({ host: 'r.example.com' }, { plainHttp, proxy, retry: { attempts: 1 } })
      await expect(transport.request(get('/v2/x'))).rejects.toMatchObject({
        code: 'network-error',
        message: `proxy ${server.host} (from ${plainHttp ? 'http_proxy' : 'HTTPS_PROXY'}): connection refused`,
        hint: expect.stringContaining('NO_PROXY') as string,
      })
    }
  })

  test('that wants a user for plain requests blame the proxy', async () => {
    const proxy = await serve(({ answer }) => answer(407, { 'proxy-authenticate': 'Basic' }))
    const transport = connect({ host: 'r.example.com' }, { proxy: { http: proxy.url } })
    await expect(transport.request(get('/v2/x'))).rejects.toMatchObject({
      message: `proxy ${proxy.host} refused the connection with status 407`,
    })
  })
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
    [502, 'check the address of the proxy, or name the registry in NO_PROXY to reach it directly'],
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
