import { describe, expect, test } from 'vitest'
import type { CredentialLookup, FoundCredential } from '../../../src/registry/auth/credential.js'
import { repositoryScope } from '../../../src/registry/auth/scope.js'
import { responseError } from '../../../src/registry/response-error.js'
import type { ScriptedServer } from '../http/scripted-server.js'
import { get, put, useTransports } from '../http/transport-fixture.js'
import { createTokenRegistry } from './token-registry.js'

const { serve, connect } = useTransports()
const USER = { type: 'basic', username: 'me', password: 'secret' } as const
const PULL = { scopes: [repositoryScope('a', 'pull')] }
const PUSH = { scopes: [repositoryScope('a', 'pull', 'push')] }

function found(credential: FoundCredential['credential'], origin: string, isGuess = false): CredentialLookup {
  return Object.assign(async () => credential, { explain: async () => ({ credential, origins: [origin], isGuess }) })
}

/** A registry with a token service that knows one user, and gives others a token when it likes. */
async function bearerRegistry(refused: (authorization: string | undefined) => number | undefined) {
  const place = { url: '' }
  const rules = createTokenRegistry({ realm: () => `${place.url}/token` })
  const server = await serve((exchange) => {
    const { url, headers } = exchange.entry
    const status = url.startsWith('/token') ? refused(headers.authorization) : undefined
    if (status !== undefined) exchange.answer(status, {}, 'no')
    else void (url.startsWith('/token') ? rules.tokens : rules.registry)(exchange)
  })
  place.url = server.url
  return server
}

const basicRegistry = () => serve(({ answer }) => answer(401, { 'www-authenticate': 'Basic realm="r"' }))

const hostOf = ({ url }: ScriptedServer) => new URL(url).host

describe('the error says', () => {
  test('that nothing was found, and where it was looked for', async () => {
    const server = await basicRegistry()
    const transport = connect(server, { credentials: found(undefined, '/h/config.json (does not exist)') })
    const error = await responseError(await transport.request(get('/v2/a/manifests/v1', PULL)))
    expect(error.message).toMatch(/: no credentials for 127\.0\.0\.1:\d+ were found$/)
    expect(error.hint).toBe(
      `Log in with: gantry login ${hostOf(server)}\nNothing was found in /h/config.json (does not exist).`,
    )
    expect(error.details).toMatchObject({ reason: 'no-credentials', host: hostOf(server) })
  })

  test('that what was found was refused, and where it comes from', async () => {
    const server = await basicRegistry()
    const transport = connect(server, { credentials: found(USER, 'the entry "r" in /h/config.json') })
    const error = await responseError(await transport.request(get('/v2/a/manifests/v1', PULL)))
    expect(error.message).toMatch(/: the credentials for 127\.0\.0\.1:\d+ were refused$/)
    expect(error.hint).toContain('The refused credentials come from the entry "r" in /h/config.json.')
    expect(error.details).toMatchObject({
      reason: 'refused-credentials',
      origins: ['the entry "r" in /h/config.json'],
    })
  })

  test('the same when the token service refuses', async () => {
    const server = await bearerRegistry(() => 401)
    const refused = connect(server, { credentials: found(USER, 'the entry "r" in /h/config.json') })
    await expect(refused.request(get('/v2/a/manifests/v1', PULL))).rejects.toMatchObject({
      code: 'unauthorized',
      details: { reason: 'refused-credentials', origins: ['the entry "r" in /h/config.json'] },
    })
    const anonymous = connect(server, { credentials: found(undefined, '/h/config.json') })
    await expect(anonymous.request(get('/v2/a/manifests/v1', PULL))).rejects.toMatchObject({
      code: 'unauthorized',
      details: { reason: 'no-credentials', origins: ['/h/config.json'] },
    })
  })

  test('nothing about credentials that are good and do not allow this', async () => {
    const server = await serve(({ entry, answer }) =>
      entry.headers.authorization === undefined
        ? answer(401, { 'www-authenticate': 'Basic realm="r"' })
        : answer(403, {}, { errors: [{ code: 'DENIED', message: 'read only' }] }),
    )
    const transport = connect(server, { credentials: found(USER, 'the entry "r" in /h/config.json') })
    const error = await responseError(await transport.request(put('/v2/a/manifests/v1', 'x', PUSH)))
    expect(error).toMatchObject({ code: 'denied', message: 'denied: read only', details: {} })
  })
})

describe('a credential of a variable that is refused', () => {
  const GUESS = found(USER, 'the variable GITHUB_TOKEN', true)

  test.each([401, 403])('by the token service with %i: the request goes on anonymously', async (status) => {
    const server = await bearerRegistry((authorization) => (authorization === undefined ? undefined : status))
    const transport = connect(server, { credentials: GUESS })
    expect((await transport.request(get('/v2/a/manifests/v1', PULL))).status).toBe(200)
    expect((await transport.request(get('/v2/a/manifests/v2', PULL))).status).toBe(200)
    const asked = server.ledger.filter(({ url }) => url.startsWith('/token'))
    expect(asked.map(({ headers }) => headers.authorization === undefined)).toEqual([false, true])
  })

  test.each([401, 403])('by the registry with %i: the request goes on anonymously', async (status) => {
    const place = { url: '' }
    const server = await serve(({ entry, answer }) => {
      const { authorization } = entry.headers
      const challenge = { 'www-authenticate': `Bearer realm="${place.url}/token",scope="repository:a:pull"` }
      if (entry.url.startsWith('/token')) answer(200, {}, { token: authorization === undefined ? 'any' : 'own' })
      else if (authorization === 'Bearer any') answer(200)
      else answer(authorization === 'Bearer own' ? status : 401, challenge)
    })
    place.url = server.url
    const transport = connect(server, { credentials: GUESS })
    expect((await transport.request(get('/v2/a/manifests/v1', PULL))).status).toBe(200)
  })

  test('as everything else is: the variable is named', async () => {
    const server = await bearerRegistry(() => 403)
    await expect(
      connect(server, { credentials: GUESS }).request(get('/v2/a/manifests/v1', PULL)),
    ).rejects.toMatchObject({
      code: 'unauthorized',
      hint: expect.stringContaining('come from the variable GITHUB_TOKEN.'),
      details: { reason: 'refused-credentials', origins: ['the variable GITHUB_TOKEN'] },
    })
    const basic = await basicRegistry()
    const error = await responseError(
      await connect(basic, { credentials: GUESS }).request(get('/v2/a/manifests/v1', PULL)),
    )
    expect(error.details).toMatchObject({ reason: 'refused-credentials', origins: ['the variable GITHUB_TOKEN'] })
  })

  test('with 403 for a push is not given up: the registry says what it does not allow', async () => {
    const server = await serve(({ entry, answer }) =>
      entry.headers.authorization === undefined
        ? answer(401, { 'www-authenticate': 'Basic realm="r"' })
        : answer(403, {}, 'read only'),
    )
    const answer = await connect(server, { credentials: GUESS }).request(put('/v2/a/manifests/v1', 'x', PUSH))
    expect(answer.status).toBe(403)
  })
})
