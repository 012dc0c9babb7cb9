import type { LookupAddress, LookupAllOptions, lookup as dnsLookup } from 'node:dns'
import { describe, expect, test, vi } from 'vitest'
import type { Credential } from '../../../src/registry/auth/credential.js'
import { repositoryScope } from '../../../src/registry/auth/scope.js'
import { get, put, textOf, useTransports } from './transport-fixture.js'
import type { ScriptedServer } from './scripted-server.js'

/** What names resolve to, one address for each time that they are looked up. */
const moves = vi.hoisted(() => new Map<string, string[]>())

// Only some names are resolved by hand; whatever else is looked up goes its usual way.
vi.mock('node:dns', async (importOriginal) => {
  const original = await importOriginal<{ lookup: typeof dnsLookup }>()
  type Callback = (error: Error | null, addresses: LookupAddress[]) => void
  const lookup = (name: string, options: LookupAllOptions, callback: Callback): void => {
    const [moved] = moves.get(name) ?? []
    if (moved !== undefined) callback(null, [{ address: moves.get(name)!.shift()!, family: 4 }])
    else if (name === 'cdn.example.com') callback(null, [{ address: '127.0.0.1', family: 4 }])
    else original.lookup(name, options, callback)
  }
  return { ...original, lookup }
})

const { serve, connect } = useTransports()
const BASIC: Credential = { type: 'basic', username: 'me', password: 'secret' }
const credentials = async (): Promise<Credential> => BASIC
const SECRETS = { 'X-Api-Key': 'key', Cookie: 'a=b' }

/** A registry that wants a password and then redirects, and a store that wants nothing. */
async function setUp(status = 307): Promise<{ registry: ScriptedServer; store: ScriptedServer }> {
  const store = await serve(({ answer }) => answer(200, {}, 'blob'))
  const registry = await serve(({ entry, answer }) => {
    if (entry.headers.authorization === undefined) answer(401, { 'www-authenticate': 'Basic realm="r"' })
    else answer(status, { location: `${store.url}/blob?sig=1` })
  })
  return { registry, store }
}

describe('redirects', () => {
  test.each([301, 302, 303, 307, 308])('%i is followed without anything secret', async (status) => {
    for (const method of ['GET', 'HEAD'] as const) {
      const { registry, store } = await setUp(status)
      const transport = connect(registry, { credentials, headers: SECRETS })
      const headers = { accept: 'a/b', range: 'bytes=1-2', Cookie: 'c=d' }
      const answer = await transport.request(get('/v2/a/blobs/x', { method, headers }))
      expect(await textOf(answer)).toBe(method === 'GET' ? 'blob' : '')
      expect(answer.url).toBe(`${store.url}/blob?sig=1`)
      expect(store.ledger).toHaveLength(1)
      expect(store.ledger[0]).toMatchObject({ method, url: '/blob?sig=1' })
      expect(store.ledger[0]?.headers).toEqual({
        host: store.host,
        connection: 'keep-alive',
        accept: 'a/b',
        range: 'bytes=1-2',
        'accept-encoding': 'identity',
        'user-agent': 'gantry',
      })
      expect(registry.ledger.at(-1)?.headers).toMatchObject({ 'x-api-key': 'key', cookie: 'a=b' })
    }
  })

  test('to a host that cannot be reached say that it is not the registry', async () => {
    const { registry, store } = await setUp()
    await store.close()
    const transport = connect(registry, { credentials, retry: { firstDelay: 1 } })
    await expect(transport.request(get('/v2/a/blobs/x'))).rejects.toMatchObject({
      code: 'network-error',
      message: `redirect target ${store.host}: connection refused (2 attempts)`,
      hint: `this host is not the registry itself: ${registry.host} keeps content there and redirects to it`,
    })
    // Refused twice: what may be repeated is no matter of the words.
    expect(registry.ledger.filter(({ url }) => url === '/v2/a/blobs/x')).toHaveLength(3)
  })

  test('to a host that says nothing say that it is not the registry', async () => {
    const { registry, store } = await setUp()
    store.use(() => undefined)
    const transport = connect(registry, { credentials, retry: { attempts: 1 }, timeouts: { headers: 50 } })
    await expect(transport.request(get('/v2/a/blobs/x'))).rejects.toMatchObject({
      code: 'timeout',
      message: `redirect target ${store.host} gave no answer within 0.05 s`,
      hint: `this host is not the registry itself: ${registry.host} keeps content there and redirects to it`,
    })
  })

  test('within the registry secrets are kept', async () => {
    const registry = await serve(({ entry, answer }) => {
      if (entry.headers.authorization === undefined) answer(401, { 'www-authenticate': 'Basic realm="r"' })
      else if (entry.url === '/v2/a') answer(302, { location: '/elsewhere' })
      else answer(200, {}, 'here')
    })
    const transport = connect(registry, { credentials, headers: SECRETS })
    expect(await textOf(await transport.request(get('/v2/a')))).toBe('here')
    expect(registry.ledger.at(-1)).toMatchObject({ url: '/elsewhere', headers: { 'x-api-key': 'key' } })
  })

  test('secrets do not come back with the way', async () => {
    const { registry, store } = await setUp()
    store.use(({ answer }) => answer(302, { location: `${registry.url}/v2/back` }))
    const transport = connect(registry, { credentials, headers: SECRETS })
    registry.use(({ entry, answer }) => {
      if (entry.url === '/v2/back') answer(200, {}, 'back')
      else if (entry.headers.authorization === undefined) answer(401, { 'www-authenticate': 'Basic realm="r"' })
      else answer(307, { location: store.url })
    })
    expect(await textOf(await transport.request(get('/v2/a')))).toBe('back')
    const last = registry.ledger.at(-1)
    expect(last?.url).toBe('/v2/back')
    expect(last?.headers).not.toHaveProperty('authorization')
    expect(last?.headers).not.toHaveProperty('x-api-key')
    expect(last?.headers).not.toHaveProperty('cookie')
  })

  test.each(['Bearer realm="REALM"', 'Basic realm="r"'])(
    'a target that asks for credentials gets none (%s)',
    async (challenge) => {
      const { registry, store } = await setUp()
      const thief = await serve(({ answer }) => answer(200, {}, { token: 't' }))
      store.use(({ answer }) => answer(401, { 'www-authenticate': challenge.replace('REALM', thief.url) }))
      await expect(connect(registry, { credentials }).request(get('/v2/a'))).rejects.toMatchObject({
        code: 'unauthorized',
        message: `redirect target ${store.host} asked for credentials, which are not sent there`,
      })
      expect(store.ledger).toHaveLength(1)
      expect(thief.connections()).toBe(0)
    },
  )

  test('five are followed, and no sixth', async () => {
    const server = await serve(({ entry, answer }) => {
      const left = Number(entry.url.slice(1))
      answer(left === 0 ? 200 : 302, left === 0 ? {} : { location: `/${left - 1}` })
    })
    expect((await connect(server).request(get('/5'))).status).toBe(200)
    await expect(connect(server).request(get('/6'))).rejects.toMatchObject({ code: 'limit-exceeded' })
    expect(server.ledger).toHaveLength(12)
  })

  test('a loop ends', async () => {
    const server = await serve(({ answer }) => answer(302, { location: '/v2/a' }))
    await expect(connect(server).request(get('/v2/a'))).rejects.toMatchObject({ code: 'limit-exceeded' })
    expect(server.ledger).toHaveLength(6)
  })

  test.each([
    'file:///etc/passwd',
    'http://169.254.169.254/latest/meta-data',
    'http://2852039166/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://0.0.0.0:1/',
    'http://user:pw@127.0.0.1:1/',
    'http://[',
    'gopher://h/',
  ])('a place where none may be sent: %s', async (location) => {
    const server = await serve(({ answer }) => answer(307, { location }))
    await expect(connect(server).request(get('/v2/a'))).rejects.toMatchObject({ code: 'untrusted-destination' })
    expect(server.ledger).toHaveLength(1)
  })

  test('nowhere', async () => {
    const server = await serve(({ answer }) => answer(307))
    await expect(connect(server).request(get('/v2/a'))).rejects.toMatchObject({ code: 'registry-error' })
  })

  test('are handed over where they are not to be followed', async () => {
    const { registry, store } = await setUp()
    const transport = connect(registry, { credentials })
    expect((await transport.request(get('/v2/a', { followRedirects: false }))).status).toBe(307)
    expect(store.connections()).toBe(0)
  })

  test.each([307, 308])('of writing requests with %i are followed, with the body from its start', async (status) => {
    const content = Buffer.alloc(200_000, 'x')
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      const registry = await serve(({ entry, answer }) => {
        if (entry.headers.authorization === undefined) answer(401, { 'www-authenticate': 'Basic realm="r"' })
        else if (entry.url === '/v2/a') answer(status, { location: '/v2/b' })
        else answer(201)
      })
      const transport = connect(registry, { credentials, headers: SECRETS })
      const request = put('/v2/a', content, { method, ...(method === 'DELETE' ? { body: undefined } : {}) })
      expect(await transport.request(request)).toMatchObject({ status: 201, url: `${registry.url}/v2/b` })
      const last = registry.ledger.at(-1)
      expect(last).toMatchObject({ method, bodySize: method === 'DELETE' ? 0 : content.length, complete: true })
      expect(last?.headers).toMatchObject({ 'x-api-key': 'key', authorization: expect.any(String) as string })
    }
  })

  test('of writing requests to another host carry nothing secret', async () => {
    const { registry, store } = await setUp()
    const transport = connect(registry, { credentials, headers: SECRETS })
    expect((await transport.request(put('/v2/a', 'content'))).status).toBe(200)
    expect(store.ledger.at(-1)).toMatchObject({ method: 'PUT', bodyText: 'content' })
    for (const name of ['authorization', 'x-api-key', 'cookie']) {
      expect(store.ledger.at(-1)?.headers).not.toHaveProperty(name)
    }
  })

  test.each([301, 302, 303])('of writing requests with %i are handed over', async (status) => {
    const { registry, store } = await setUp(status)
    const transport = connect(registry, { credentials })
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      expect((await transport.request(put('/v2/a', 'x', { method }))).status).toBe(status)
    }
    expect(store.connections()).toBe(0)
  })

  test.each(['http://169.254.169.254/', 'file:///etc/passwd', 'http://user:pw@127.0.0.1:1/'])(
    'of writing requests do not lead to %s',
    async (location) => {
      const server = await serve(({ answer }) => answer(307, { location }))
      await expect(connect(server).request(put('/v2/a', 'x'))).rejects.toMatchObject({
        code: 'untrusted-destination',
      })
    },
  )

  test('a signed address that has run out is not asked again: the registry is', async () => {
    let visits = 0
    const store = await serve(({ answer }) => answer(++visits === 1 ? 503 : 200, {}, 'blob'))
    const registry = await serve(({ index, answer }) => answer(307, { location: `${store.url}/${index}` }))
    expect(await textOf(await connect(registry, { retry: { firstDelay: 1 } }).request(get('/v2/a')))).toBe('blob')
    expect(store.ledger.map(({ url }) => url)).toEqual(['/0', '/1'])
  })
})

describe('names that resolve to where they must not', () => {
  test.each([
    ['localhost', 'redirect to HOST refused: a loopback address, named by REGISTRY'],
    ['cdn.example.com', 'connection to cdn.example.com (by its name) refused: a loopback address, named by REGISTRY'],
  ])('a public registry may not send us to %s', async (name, message) => {
    const store = await serve(({ answer }) => answer(200))
    const target = `${name}:${store.port}`
    const proxy = await serve(({ answer }) => answer(307, { location: `http://${target}/` }))
    // Through a proxy nothing is known of the registry but its name.
    const registry = 'registry.example.com:5000'
    const transport = connect({ host: registry }, { proxy: { http: proxy.url, noProxy: name } })
    await expect(transport.request(get('/v2/a'))).rejects.toMatchObject({
      code: 'untrusted-destination',
      message: message.replace('HOST', target).replace('REGISTRY', registry),
    })
    expect(store.connections()).toBe(0)
  })

  test.each(['minio', 'minio.internal', 'minio.local', 'minio.LOCAL.', 'a.b.home.arpa'])(
    'behind a proxy, a public registry may not send us to %s',
    async (name) => {
      const proxy = await serve(({ entry, answer }) =>
        entry.url.includes('/v2/') ? answer(307, { location: `http://${name}:9000/blob` }) : answer(200, {}, 'blob'),
      )
      const connectTo = (registry: string): Promise<{ readonly status: number }> =>
        connect({ host: registry }, { proxy: { http: proxy.url } }).request(get('/v2/a'))
      await expect(connectTo('registry.example.com')).rejects.toMatchObject({
        code: 'untrusted-destination',
        message: `connection to ${name.toLowerCase()}:9000 refused: a name of the local network, named by registry.example.com`,
      })
      expect(proxy.ledger.map(({ url }) => url)).toEqual(['http://registry.example.com/v2/a'])
      // A registry with such a name is in that network itself.
      expect((await connectTo('registry.internal:5000')).status).toBe(200)
    },
  )

  test('a name that moves between two connections is checked for each of them', async () => {
    const registry = await serve(({ answer }) => answer(200, { connection: 'close' }))
    moves.set('rebound.example.com', ['127.0.0.1', '169.254.169.254', '0.0.0.0'])
    const host = `rebound.example.com:${registry.port}`
    const transport = connect({ host }, { credentials, retry: { attempts: 1 } })
    await (await transport.request(get('/v2/a'))).discard()
    for (const kind of ['link-local', 'reserved']) {
      await expect(transport.request(get('/v2/a'))).rejects.toMatchObject({
        code: 'untrusted-destination',
        message: expect.stringContaining(`refused: a ${kind} address`) as string,
      })
    }
    expect(registry.ledger).toHaveLength(1)
    expect(moves.get('rebound.example.com')).toEqual([])
  })

  test('a registry on this machine may', async () => {
    const store = await serve(({ answer }) => answer(200, {}, 'blob'))
    const registry = await serve(({ answer }) => answer(307, { location: `http://cdn.example.com:${store.port}/` }))
    expect(await textOf(await connect(registry).request(get('/v2/a')))).toBe('blob')
  })
})

describe('requests to other hosts', () => {
  test.each(['http://127.0.0.1:1/v2/', '//evil/v2/', 'https://127.0.0.1/', '/\\evil/', 'http://user@HOST/'])(
    '%s is refused',
    async (url) => {
      const server = await serve(({ answer }) => answer(200))
      const request = get(url.replace('HOST', server.host), { scopes: [repositoryScope('a', 'pull')] })
      await expect(connect(server).request(request)).rejects.toMatchObject({ code: 'untrusted-destination' })
      expect(server.connections()).toBe(0)
    },
  )

  test('an absolute address on the registry is fine', async () => {
    const server = await serve(({ answer }) => answer(200))
    expect((await connect(server).request(get(`${server.url}/v2/x`))).status).toBe(200)
  })
})
