import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { GantryError } from '../../../src/errors.js'
import type { Credential } from '../../../src/registry/auth/credential.js'
import { CATALOG_SCOPE, repositoryScope } from '../../../src/registry/auth/scope.js'
import type { RegistryRequest } from '../../../src/registry/http/transport.js'
import { get, put, textOf, useTransports, VirtualClock } from '../http/transport-fixture.js'
import type { Script, ScriptedServer } from '../http/scripted-server.js'
import { createTokenRegistry, type TokenRegistry, type TokenRegistryOptions } from './token-registry.js'

const { serve, connect } = useTransports()
const BASIC: Credential = { type: 'basic', username: 'me', password: 'secret' }
const BASIC_VALUE = `Basic ${Buffer.from('me:secret').toString('base64')}`
const lookup = (credential: Credential | undefined) => async (): Promise<Credential | undefined> => credential

interface Setup {
  readonly server: ScriptedServer
  readonly rules: TokenRegistry
}

/** Registry and token service on one server, the latter under /token. */
async function setUp(options: Partial<TokenRegistryOptions> = {}): Promise<Setup> {
  const place = { url: '' }
  const rules = createTokenRegistry({ realm: () => `${place.url}/token`, ...options })
  const server = await serve((exchange) =>
    (exchange.entry.url.startsWith('/token') ? rules.tokens : rules.registry)(exchange),
  )
  place.url = server.url
  return { server, rules }
}

const pull = (name: string, more: Partial<RegistryRequest> = {}): RegistryRequest =>
  get(`/v2/${name}/manifests/latest`, { scopes: [repositoryScope(name, 'pull')], ...more })

const paths = (server: ScriptedServer): string[] =>
  server.ledger.map(({ method, url }) => `${method} ${url.split('?')[0] ?? ''}`)

describe('Basic', () => {
  test('a password is sent once it is asked for, and at once from then on', async () => {
    const server = await serve(({ entry, answer }) =>
      entry.headers.authorization === BASIC_VALUE
        ? answer(200)
        : answer(401, { 'www-authenticate': 'BASIC realm="r"' }),
    )
    const transport = connect(server, { credentials: lookup(BASIC) })
    expect((await transport.request(pull('a'))).status).toBe(200)
    expect((await transport.request(pull('b'))).status).toBe(200)
    expect(server.ledger.map(({ headers }) => headers.authorization)).toEqual([undefined, BASIC_VALUE, BASIC_VALUE])
  })

  test('a wrong password is tried once', async () => {
    const server = await serve(({ answer }) => answer(401, { 'www-authenticate': 'Basic realm="r"' }, 'no'))
    const answer = await connect(server, { credentials: lookup(BASIC) }).request(pull('a'))
    expect(answer.status).toBe(401)
    expect(await textOf(answer)).toBe('no')
    expect(server.ledger).toHaveLength(2)
  })

  test('without credentials the 401 is returned', async () => {
    const server = await serve(({ answer }) => answer(401, { 'www-authenticate': 'Basic realm="r"' }))
    expect((await connect(server).request(pull('a'))).status).toBe(401)
    expect(server.ledger).toHaveLength(1)
  })

  test('ECR asks for Basic with a service and an address as realm', async () => {
    const server = await serve(({ entry, answer }) =>
      entry.headers.authorization === BASIC_VALUE
        ? answer(200)
        : answer(401, {
            'www-authenticate': 'Basic realm="https://1.dkr.ecr.eu.amazonaws.com/",service="ecr.amazonaws.com"',
          }),
    )
    expect((await connect(server, { credentials: lookup(BASIC) }).request(pull('a'))).status).toBe(200)
  })

  test('a failing credential store is an error, and nothing is sent', async () => {
    const server = await serve(({ answer }) => answer(401, { 'www-authenticate': 'Basic realm="r"' }))
    const credentials = async (): Promise<never> =>
      Promise.reject(new GantryError('credential-store-error', 'helper is gone'))
    await expect(connect(server, { credentials }).request(pull('a'))).rejects.toMatchObject({
      code: 'credential-store-error',
    })
    expect(server.ledger).toHaveLength(1)
  })

  test('a header of the user takes the place of everything else', async () => {
    const server = await serve(({ answer }) => answer(401, { 'www-authenticate': 'Basic realm="r"' }))
    const headers = { Authorization: 'Bearer mine' }
    const answer = await connect(server, { headers, credentials: lookup(BASIC) }).request(pull('a'))
    expect(answer.status).toBe(401)
    expect(server.ledger.map((entry) => entry.headers.authorization)).toEqual(['Bearer mine'])
  })
})

describe('Bearer', () => {
  test('an anonymous token is asked for without any authorization', async () => {
    const { server, rules } = await setUp()
    expect(await textOf(await connect(server).request(pull('a/b')))).toBe('content')
    expect(paths(server)).toEqual(['GET /v2/a/b/manifests/latest', 'GET /token', 'GET /v2/a/b/manifests/latest'])
    expect(server.ledger[1]?.headers.authorization).toBeUndefined()
    expect(Object.fromEntries(rules.asked[0] ?? [])).toEqual({
      service: 'test',
      scope: 'repository:a/b:pull',
      client_id: 'gantry',
    })
  })

  test('a token response that is compressed on its way is understood', async () => {
    const { server, rules } = await setUp()
    server.use((exchange) => {
      if (!exchange.entry.url.startsWith('/token')) return rules.registry(exchange)
      return rules.tokens({
        ...exchange,
        answer: (status, headers, body) =>
          exchange.answer(status, { ...headers, 'content-encoding': 'gzip' }, gzipSync(JSON.stringify(body))),
      })
    })
    expect((await connect(server).request(pull('a'))).status).toBe(200)
  })

  test('a password goes to the token service and not with the token', async () => {
    const { server, rules } = await setUp({ user: { name: 'me', password: 'secret' } })
    expect((await connect(server, { credentials: lookup(BASIC) }).request(pull('a'))).status).toBe(200)
    expect(server.ledger.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      BASIC_VALUE,
      'Bearer token-1',
    ])
    expect(rules.asked[0]?.get('account')).toBe('me')
  })

  test('a known challenge saves the 401: further repositories get their token first', async () => {
    const { server } = await setUp()
    const transport = connect(server)
    for (const name of ['a', 'b', 'b']) await (await transport.request(pull(name))).discard()
    expect(paths(server)).toEqual([
      'GET /v2/a/manifests/latest',
      'GET /token',
      'GET /v2/a/manifests/latest',
      'GET /token',
      'GET /v2/b/manifests/latest',
      'GET /v2/b/manifests/latest',
    ])
  })

  test('every needed scope is asked for, the most important one first', async () => {
    const { server, rules } = await setUp()
    const scopes = [repositoryScope('to', 'pull', 'push'), repositoryScope('from', 'pull')]
    await connect(server).request({ method: 'POST', url: '/v2/to/blobs/uploads/', scopes, retry: 'free' })
    expect(rules.asked[0]?.getAll('scope')).toEqual(['repository:to:pull,push', 'repository:from:pull'])
  })

  test('what the registry asks for is added, as far as the method has a use for it', async () => {
    const { server, rules } = await setUp({
      challenge: (_, realm) => ({
        'www-authenticate': `Bearer realm="${realm}",scope="repository:img:push,delete,pull repository:a:delete,push"`,
      }),
    })
    const transport = connect(server)
    await (await transport.request(pull('a'))).discard()
    expect(rules.asked[0]?.getAll('scope')).toEqual(['repository:a:pull', 'repository:img:pull'])
    // What was learned is remembered: the same need costs neither a second token nor a second 401.
    await (await transport.request(pull('a'))).discard()
    expect(server.ledger).toHaveLength(4)
  })

  test('the scope of a challenge to /v2/ is a placeholder', async () => {
    const { server, rules } = await setUp({
      challenge: (_, realm) => ({ 'www-authenticate': `Bearer realm="${realm}",scope="repository:user/image:pull"` }),
    })
    expect((await connect(server).request(get('/v2/'))).status).toBe(200)
    expect(rules.asked[0]?.has('scope')).toBe(false)
  })

  test('a 401 without a challenge is explained by /v2/', async () => {
    const { server } = await setUp({
      challenge: ({ entry }, realm) =>
        entry.url === '/v2/' ? { 'www-authenticate': `Bearer realm="${realm}",service="test"` } : {},
    })
    expect((await connect(server).request(pull('a'))).status).toBe(200)
    expect(paths(server)).toEqual([
      'GET /v2/a/manifests/latest',
      'GET /v2/',
      'GET /token',
      'GET /v2/a/manifests/latest',
    ])
  })

  test('a 401 that nobody explains is returned', async () => {
    const server = await serve(({ entry, answer }) => answer(entry.url === '/v2/' ? 200 : 401))
    expect((await connect(server, { credentials: lookup(BASIC) }).request(pull('a'))).status).toBe(401)
    expect(paths(server)).toEqual(['GET /v2/a/manifests/latest', 'GET /v2/'])
  })

  test.each<[string, string | string[]]>([
    ['two headers', ['Basic realm="h"', 'Bearer realm="REALM",service="test"']],
    ['one header', 'Bearer realm="REALM",service="container_registry",scope="*",Basic realm="h",service="x"'],
    ['lower case and bare', 'bearer realm=REALM'],
  ])('a token is preferred: %s', async (_, value) => {
    const { server } = await setUp({
      challenge: (__, realm) => ({
        'www-authenticate': Array.isArray(value)
          ? value.map((one) => one.replace('REALM', realm))
          : value.replace('REALM', realm),
      }),
      user: { name: 'me', password: 'secret' },
    })
    expect((await connect(server, { credentials: lookup(BASIC) }).request(pull('a'))).status).toBe(200)
    expect(server.ledger.at(-1)?.headers.authorization).toBe('Bearer token-1')
  })

  test('the query of the realm stays', async () => {
    const { server, rules } = await setUp({
      challenge: (_, realm) => ({ 'www-authenticate': `Bearer realm="${realm}?a=b",service="s"` }),
    })
    await connect(server).request(pull('x'))
    expect(Object.fromEntries(rules.asked[0] ?? [])).toMatchObject({ a: 'b', service: 's' })
  })

  test('a path as realm is one of the registry', async () => {
    const { server } = await setUp({ realm: () => '/token' })
    expect((await connect(server).request(pull('a'))).status).toBe(200)
  })

  test('a registry token is sent as it is', async () => {
    const server = await serve(({ entry, answer }) =>
      entry.headers.authorization === 'Bearer mine'
        ? answer(200)
        : answer(401, { 'www-authenticate': 'Bearer realm="http://127.0.0.1:1/t"' }),
    )
    const transport = connect(server, { credentials: lookup({ type: 'registry-token', token: 'mine' }) })
    expect((await transport.request(pull('a'))).status).toBe(200)
    expect(server.ledger).toHaveLength(2)
  })

  test('a registry token that is refused is final', async () => {
    const server = await serve(({ answer }) =>
      answer(401, { 'www-authenticate': 'Bearer realm="http://127.0.0.1:1/t"' }),
    )
    const transport = connect(server, { credentials: lookup({ type: 'registry-token', token: 'mine' }) })
    expect((await transport.request(pull('a'))).status).toBe(401)
    expect(server.ledger).toHaveLength(2)
  })
})

describe('identity tokens', () => {
  const identity: Credential = { type: 'identity-token', token: 'refresh-me' }

  test('are exchanged by POST', async () => {
    const { server, rules } = await setUp()
    expect((await connect(server, { credentials: lookup(identity) }).request(pull('a'))).status).toBe(200)
    expect(paths(server)[1]).toBe('POST /token')
    expect(Object.fromEntries(rules.asked[0] ?? [])).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'refresh-me',
      client_id: 'gantry',
      service: 'test',
      scope: 'repository:a:pull',
    })
  })

  test.each([404, 405])('go by GET where POST is answered %i', async (status) => {
    const { server, rules } = await setUp()
    server.use((exchange) => {
      if (exchange.entry.method === 'POST') exchange.answer(status)
      else void (exchange.entry.url.startsWith('/token') ? rules.tokens : rules.registry)(exchange)
    })
    expect((await connect(server, { credentials: lookup(identity) }).request(pull('a'))).status).toBe(200)
    const value = Buffer.from('<token>:refresh-me').toString('base64')
    expect(
      server.ledger.find(({ url, method }) => method === 'GET' && url.startsWith('/token'))?.headers.authorization,
    ).toBe(`Basic ${value}`)
  })
})

describe('tokens that run out', () => {
  test('a revoked token is replaced once for all who hold it', async () => {
    const { server, rules } = await setUp()
    const transport = connect(server)
    await (await transport.request(pull('a'))).discard()
    rules.revoke()
    const answers = await Promise.all(Array.from({ length: 8 }, async () => transport.request(pull('a'))))
    expect(answers.map(({ status }) => status)).toEqual(new Array(8).fill(200))
    expect(rules.asked).toHaveLength(2)
  })

  test('a token is renewed after 80 % of its life, whatever the clock on the wall does', async () => {
    const { server, rules } = await setUp({ answer: { expires_in: 300 } })
    const clock = new VirtualClock()
    const transport = connect(server, {}, clock)
    const pullAgain = async (): Promise<number> => {
      await (await transport.request(pull('a'))).discard()
      return rules.asked.length
    }
    await pullAgain()
    clock.jump(3_600_000)
    expect(await pullAgain()).toBe(1)
    clock.jump(-7_200_000)
    clock.advance(239_000)
    expect(await pullAgain()).toBe(1)
    clock.advance(2_000)
    expect(await pullAgain()).toBe(2)
  })

  test('a second 401 with a fresh token is final', async () => {
    const { server, rules } = await setUp({ allows: () => false })
    expect((await connect(server).request(pull('a'))).status).toBe(401)
    expect(rules.asked).toHaveLength(1)
    expect(server.ledger).toHaveLength(3)
  })

  test('a token that lacks a scope is replaced by one that has it as well', async () => {
    const { server, rules } = await setUp({
      challenge: ({ entry }, realm) => {
        const more =
          entry.headers.authorization === undefined ? '' : ',scope="repository:b:pull",error="insufficient_scope"'
        return { 'www-authenticate': `Bearer realm="${realm}"${more}` }
      },
      allows: (scopes) => scopes.includes('repository:b:pull'),
    })
    expect((await connect(server).request(pull('a'))).status).toBe(200)
    expect(rules.asked.map((query) => query.getAll('scope'))).toEqual([
      ['repository:a:pull'],
      ['repository:a:pull', 'repository:b:pull'],
    ])
  })

  test('a registry that asks for more and more is given up on', async () => {
    let count = 0
    const { server, rules } = await setUp({
      challenge: (_, realm) => ({ 'www-authenticate': `Bearer realm="${realm}",scope="repository:r${++count}:pull"` }),
      allows: () => false,
    })
    expect((await connect(server).request(pull('a'))).status).toBe(401)
    expect(rules.asked.length).toBeLessThanOrEqual(4)
  })

  test('public ECR says 400 when a token is outdated', async () => {
    const { server, rules } = await setUp()
    const transport = connect(server)
    await (await transport.request(pull('a'))).discard()
    let refusals = 0
    server.use((exchange) => {
      if (exchange.entry.headers.authorization === 'Bearer token-1') {
        refusals++
        exchange.answer(400, {}, { errors: [{ code: 'DENIED', message: 'Your Authorization Token is invalid.' }] })
      } else void (exchange.entry.url.startsWith('/token') ? rules.tokens : rules.registry)(exchange)
    })
    expect((await transport.request(pull('a'))).status).toBe(200)
    expect(refusals).toBe(1)
    expect(rules.asked).toHaveLength(2)
  })

  test('any other 400 can still be read', async () => {
    const { server, rules } = await setUp()
    const transport = connect(server)
    await (await transport.request(pull('a'))).discard()
    server.use((exchange) => exchange.answer(400, {}, { errors: [{ code: 'TAG_INVALID', message: 'bad' }] }))
    const answer = await transport.request(pull('a'))
    expect(answer.status).toBe(400)
    expect(await textOf(answer)).toContain('TAG_INVALID')
    expect(rules.asked).toHaveLength(1)
  })
})

describe('Basic after Bearer', () => {
  // As Harbor and OpenShift do it: who comes with a token and may not, is asked for a password.
  const challenge: TokenRegistryOptions['challenge'] = ({ entry }, realm) => ({
    'www-authenticate':
      entry.headers.authorization === undefined ? `Bearer realm="${realm}",service="h"` : 'Basic realm="harbor"',
  })

  test('the password is tried once', async () => {
    const { server } = await setUp({ challenge, allows: () => false })
    expect((await connect(server, { credentials: lookup(BASIC) }).request(pull('a'))).status).toBe(401)
    expect(server.ledger.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      BASIC_VALUE,
      'Bearer token-1',
      BASIC_VALUE,
    ])
  })

  test('an anonymous user is not asked again', async () => {
    const { server } = await setUp({ challenge, allows: () => false })
    expect((await connect(server).request(pull('a'))).status).toBe(401)
    expect(server.ledger).toHaveLength(3)
  })

  test('an outdated token is renewed first, and tokens stay the way in', async () => {
    const { server, rules } = await setUp({ challenge })
    const transport = connect(server, { credentials: lookup(BASIC) })
    await (await transport.request(pull('a'))).discard()
    rules.revoke()
    expect((await transport.request(pull('a'))).status).toBe(200)
    expect((await transport.request(pull('a'))).status).toBe(200)
    expect(server.ledger.at(-1)?.headers.authorization).toBe('Bearer token-2')
  })
})

describe('uploads', () => {
  test('a body is not sent to learn that a token is wanted', async () => {
    const { server, rules } = await setUp()
    const answer = await connect(server).request(
      put('/v2/a/blobs/uploads/1', 'x'.repeat(100_000), { scopes: [repositoryScope('a', 'pull', 'push')] }),
    )
    expect(answer.status).toBe(200)
    expect(paths(server)).toEqual(['GET /v2/', 'GET /token', 'PUT /v2/a/blobs/uploads/1'])
    expect(rules.asked[0]?.getAll('scope')).toEqual(['repository:a:pull,push'])
  })

  test('the question is asked once, and not at all after another answer', async () => {
    const server = await serve(({ answer }) => answer(201))
    const transport = connect(server)
    await Promise.all([1, 2, 3].map(async (n) => transport.request(put(`/v2/a/${n}`, 'x'))))
    await transport.request(put('/v2/a/4', 'x'))
    expect(paths(server).filter((path) => path === 'GET /v2/')).toHaveLength(1)
  })

  test('a body is opened anew after a 401, also when it must not be repeated otherwise', async () => {
    const { server, rules } = await setUp()
    const transport = connect(server)
    const scopes = [repositoryScope('a', 'pull', 'push')]
    await (await transport.request(put('/v2/a/blobs/uploads/1', 'first', { scopes }))).discard()
    rules.revoke()
    const answer = await transport.request(put('/v2/a/blobs/uploads/2', 'second', { scopes }))
    expect(answer.status).toBe(200)
    expect(server.ledger.at(-1)).toMatchObject({ method: 'PUT', bodyText: 'second' })
  })
})

describe('token services that are odd', () => {
  test('one that does not know deleting is asked for pushing', async () => {
    const { server, rules } = await setUp()
    server.use((exchange) => {
      const { url } = exchange.entry
      if (url.startsWith('/token') && url.includes('delete')) {
        exchange.answer(
          400,
          {},
          { errors: [{ code: 'INVALID_REQUEST', message: 'Unable to decode repository and actions' }] },
        )
      } else void (url.startsWith('/token') ? rules.tokens : rules.registry)(exchange)
    })
    const answer = await connect(server).request({
      method: 'DELETE',
      url: '/v2/a/manifests/x',
      scopes: [repositoryScope('a', 'delete')],
      retry: 'free',
    })
    expect(answer.status).toBe(200)
    expect(rules.asked.map((query) => query.getAll('scope'))).toEqual([['repository:a:pull,push']])
  })

  test('one that does not know the catalog is asked without a scope', async () => {
    const { server, rules } = await setUp()
    server.use((exchange) => {
      const { url } = exchange.entry
      if (url.startsWith('/token') && url.includes('catalog')) exchange.answer(400)
      else void (url.startsWith('/token') ? rules.tokens : rules.registry)(exchange)
    })
    expect((await connect(server).request(get('/v2/_catalog', { scopes: [CATALOG_SCOPE] }))).status).toBe(200)
    expect(rules.asked[0]?.has('scope')).toBe(false)
  })

  test.each<[string, number, string | object, Partial<GantryError>]>([
    [
      'refuses',
      401,
      { errors: [{ code: 'UNAUTHORIZED', message: 'incorrect username or password' }] },
      {
        code: 'unauthorized',
        message: expect.stringMatching(
          /^token service 127\.0\.0\.1:\d+ refused the credentials for 127\.0\.0\.1:\d+: status 401: incorrect username or password$/,
        ),
      },
    ],
    [
      'forbids',
      403,
      { errors: [{ code: 'DENIED' }] },
      { code: 'unauthorized', message: expect.stringContaining('status 403: DENIED') },
    ],
    [
      "explains in OpenShift's way",
      401,
      { details: 'no such user' },
      { code: 'unauthorized', message: expect.stringContaining('no such user') },
    ],
    [
      'answers plainly',
      400,
      'unknown service\nmore',
      { code: 'registry-error', message: expect.stringMatching(/status 400: unknown service$/) },
    ],
    ['answers in HTML', 400, '<html>', { code: 'registry-error', message: expect.stringMatching(/status 400$/) }],
    ['sends HTML as token', 200, '<html>', { code: 'invalid-content' }],
    ['sends no token', 200, {}, { code: 'invalid-content' }],
    ['sends ten megabytes', 200, `{"token":"${'x'.repeat(10_000_000)}"}`, { code: 'limit-exceeded' }],
    [
      'echoes the password',
      401,
      { errors: [{ code: 'X', message: 'secret is wrong, and so is bWU6c2VjcmV0' }] },
      { code: 'unauthorized', message: expect.not.stringMatching(/secret|bWU6/) },
    ],
  ])('one that %s (%i)', async (_, status, body, error) => {
    const { server, rules } = await setUp()
    server.use((exchange) => {
      if (exchange.entry.url.startsWith('/token')) exchange.answer(status, {}, body)
      else void rules.registry(exchange)
    })
    const transport = connect(server, { credentials: lookup(BASIC) })
    await expect(transport.request(pull('a'))).rejects.toMatchObject(error)
    expect(paths(server).filter((path) => path === 'GET /token')).toHaveLength(1)
  })

  test('one that fails for a moment is asked again', async () => {
    const { server, rules } = await setUp()
    let failures = 0
    server.use((exchange) => {
      if (exchange.entry.url.startsWith('/token') && failures++ < 2) exchange.answer(500)
      else void (exchange.entry.url.startsWith('/token') ? rules.tokens : rules.registry)(exchange)
    })
    expect((await connect(server, {}, new VirtualClock()).request(pull('a'))).status).toBe(200)
    expect(failures).toBe(3)
  })

  test.each<[string, Script, string]>([
    ['answers 503', ({ answer }) => answer(503), 'registry-error'],
    ['cuts the connection', ({ socket }) => socket.destroy(), 'network-error'],
  ])('one that always %s costs five requests and not twenty-five', async (_, fail, code) => {
    const { server, rules } = await setUp()
    server.use((exchange) => (exchange.entry.url.startsWith('/token') ? fail : rules.registry)(exchange))
    await expect(connect(server, {}, new VirtualClock()).request(pull('a'))).rejects.toMatchObject({ code })
    expect(paths(server).filter((path) => path === 'GET /token')).toHaveLength(5)
  })

  test('one that always gives the same token is not asked for ever', async () => {
    let asked = 0
    const server = await serve(({ entry, answer }) => {
      if (!entry.url.startsWith('/token'))
        answer(401, { 'www-authenticate': `Bearer realm="${server.url}/token",scope="repository:r${asked}:pull"` })
      else answer(200, {}, { token: `same-${++asked > 0}` })
    })
    expect((await connect(server).request(pull('a'))).status).toBe(401)
    expect(asked).toBe(2)
    expect(paths(server).filter((path) => path !== 'GET /token')).toHaveLength(2)
  })

  test.each([301, 302, 303, 307, 308])('a redirect of one within its origin is followed (%i)', async (status) => {
    const { server, rules } = await setUp()
    server.use((exchange) => {
      const { url } = exchange.entry
      if (url.startsWith('/token')) exchange.answer(status, { location: url.replace('/token', '/service/token') })
      else void (url.startsWith('/service') ? rules.tokens : rules.registry)(exchange)
    })
    const answer = await connect(server, { credentials: lookup(BASIC) }).request(pull('a'))
    expect(answer.status).toBe(200)
    const asked = server.ledger.find(({ url }) => url.startsWith('/service/token'))
    expect(asked?.headers.authorization).toMatch(/^Basic /)
  })

  test('a token that was there already is renewed, also within one tick of the clock', async () => {
    const { server, rules } = await setUp()
    const transport = connect(server, {}, new VirtualClock())
    expect((await transport.request(pull('a'))).status).toBe(200)
    rules.revoke()
    expect((await transport.request(pull('a'))).status).toBe(200)
    expect(rules.asked).toHaveLength(2)
  })

  test('a redirect of one to another origin is not followed', async () => {
    const { server, rules } = await setUp()
    const elsewhere = await serve(rules.tokens)
    server.use((exchange) => {
      if (exchange.entry.url.startsWith('/token')) exchange.answer(307, { location: `${elsewhere.url}/token` })
      else void rules.registry(exchange)
    })
    for (const credentials of [lookup(BASIC), undefined]) {
      await expect(connect(server, { credentials }).request(pull('a'))).rejects.toMatchObject({
        code: 'untrusted-destination',
      })
    }
    expect(elsewhere.connections()).toBe(0)
  })

  test('a redirect of one in a circle ends', async () => {
    const { server, rules } = await setUp()
    server.use((exchange) => {
      if (exchange.entry.url.startsWith('/token')) exchange.answer(307, { location: exchange.entry.url })
      else void rules.registry(exchange)
    })
    await expect(connect(server).request(pull('a'))).rejects.toMatchObject({ code: 'untrusted-destination' })
    expect(paths(server).filter((path) => path === 'GET /token')).toHaveLength(6)
  })
})

describe('a token service elsewhere', () => {
  async function setUpElsewhere(): Promise<Setup & { readonly elsewhere: ScriptedServer }> {
    const place = { url: '' }
    const rules = createTokenRegistry({ realm: () => `${place.url}/t` })
    const elsewhere = await serve(rules.tokens)
    place.url = elsewhere.url
    return { server: await serve(rules.registry), elsewhere, rules }
  }

  test('does not see the credentials', async () => {
    const { server, elsewhere } = await setUpElsewhere()
    await expect(connect(server, { credentials: lookup(BASIC) }).request(pull('a'))).rejects.toMatchObject({
      code: 'untrusted-destination',
      message: `token service ${elsewhere.host} is not trusted for ${server.host}`,
    })
    expect(elsewhere.connections()).toBe(0)
  })

  test('does when the user says so', async () => {
    const { server, elsewhere } = await setUpElsewhere()
    const transport = connect(server, { credentials: lookup(BASIC), trustedAuthHosts: [elsewhere.host] })
    expect((await transport.request(pull('a'))).status).toBe(200)
    expect(elsewhere.ledger[0]?.headers.authorization).toBe(BASIC_VALUE)
  })

  test('may be asked anonymously, and sees none of the headers for the registry', async () => {
    const { server, elsewhere } = await setUpElsewhere()
    expect((await connect(server, { headers: { 'X-Api-Key': 'k' } }).request(pull('a'))).status).toBe(200)
    expect(elsewhere.ledger[0]?.headers).not.toHaveProperty('x-api-key')
    expect(server.ledger[0]?.headers['x-api-key']).toBe('k')
  })

  test.each([
    'file:///etc/passwd',
    '//evil',
    'http://169.254.169.254/',
    'http://[::ffff:a9fe:a9fe]/',
    '\\\\evil\\x',
    'http://u:p@127.0.0.1/',
    '',
    'zot',
  ])('is refused: %j', async (realm) => {
    const server = await serve(({ answer }) =>
      answer(401, { 'www-authenticate': `Bearer realm="${realm.replaceAll('\\', '\\\\')}"` }),
    )
    await expect(connect(server).request(pull('a'))).rejects.toMatchObject({ code: 'untrusted-destination' })
  })
})

describe('login', () => {
  test('proves a password', async () => {
    const { server } = await setUp({ user: { name: 'me', password: 'secret' } })
    await expect(connect(server, { credentials: lookup(BASIC) }).login()).resolves.toEqual({ scheme: 'bearer' })
  })

  test('refuses a wrong one', async () => {
    const { server } = await setUp({ user: { name: 'me', password: 'other' } })
    await expect(connect(server, { credentials: lookup(BASIC) }).login()).rejects.toMatchObject({
      code: 'unauthorized',
    })
    const basic = await serve(({ answer }) => answer(401, { 'www-authenticate': 'Basic realm="r"' }))
    await expect(connect(basic, { credentials: lookup(BASIC) }).login()).rejects.toMatchObject({ code: 'unauthorized' })
  })

  test('says when nobody asked', async () => {
    const server = await serve(({ answer }) => answer(200))
    await expect(connect(server, { credentials: lookup(BASIC) }).login()).resolves.toEqual({ scheme: 'none' })
  })

  test('tells what is no registry', async () => {
    const server = await serve(({ answer }) => answer(404))
    await expect(connect(server).login()).rejects.toMatchObject({ code: 'registry-error', hint: 'is this a registry?' })
  })
})

test('repositories with credentials of their own do not share tokens', async () => {
  const { server, rules } = await setUp()
  const seen: (string | undefined)[] = []
  const transport = connect(server, {
    credentials: async ({ repository }) => {
      seen.push(repository)
      return repository === 'open' ? undefined : { type: 'basic', username: repository ?? '', password: 'p' }
    },
  })
  const both = [repositoryScope('a', 'pull'), repositoryScope('b', 'pull')]
  await (await transport.request(get('/v2/a/manifests/1', { scopes: both }))).discard()
  await (await transport.request(pull('b'))).discard()
  await (await transport.request(pull('open'))).discard()
  await (await transport.request(pull('b'))).discard()
  expect(seen).toEqual(['a', 'b', 'open'])
  expect(rules.asked.map((query) => query.get('account'))).toEqual(['a', 'b', null])
})
