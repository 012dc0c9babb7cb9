import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../../src/oci/digest.js'
import type { AuthenticationOptions } from '../../../src/server/auth/authenticator.js'
import { startTestRegistry, type Answer, type TestRegistry } from '../test-registry.js'

const basic = (text: string): { Authorization: string } => ({
  Authorization: `Basic ${Buffer.from(text).toString('base64')}`,
})
const bearer = (token: unknown): { Authorization: string } => ({ Authorization: `Bearer ${String(token)}` })
const DIGEST = digestOf('x')

const start = (more: Partial<AuthenticationOptions> = {}): Promise<TestRegistry> =>
  startTestRegistry({ authentication: { type: 'bearer', users: { alice: 'secret', bob: 'secret' }, ...more } })

const tokenFor = async (
  registry: TestRegistry,
  scope: string,
  login: string | null = 'alice:secret',
): Promise<unknown> =>
  (await registry.send('GET', `/token?scope=${scope}`, { headers: login === null ? {} : basic(login) })).json.token

const post = (registry: TestRegistry, form: Record<string, string>): Promise<Answer> =>
  registry.send('POST', '/token', {
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  })

describe('a challenge', () => {
  test.each([
    ['GET', '/v2/', undefined],
    ['GET', '/v2/_catalog', 'registry:catalog:*'],
    ['GET', '/v2/a/b/tags/list', 'repository:a/b:pull'],
    ['GET', `/v2/a/b/referrers/${DIGEST}`, 'repository:a/b:pull'],
    ['HEAD', `/v2/a/b/blobs/${DIGEST}`, 'repository:a/b:pull'],
    ['DELETE', `/v2/a/b/blobs/${DIGEST}`, 'repository:a/b:delete'],
    ['GET', '/v2/a/b/manifests/v1', 'repository:a/b:pull'],
    ['PUT', '/v2/a/b/manifests/v1', 'repository:a/b:pull,push'],
    ['DELETE', '/v2/a/b/manifests/v1', 'repository:a/b:delete'],
    ['POST', '/v2/a/b/blobs/uploads/', 'repository:a/b:pull,push'],
    ['PATCH', '/v2/a/b/blobs/uploads/6f1f9a5e-0d6a-4c33-9d3f-1d6f4f1a2b3c', 'repository:a/b:pull,push'],
  ])('to %s %s names its scope', async (method, path, scope) => {
    const registry = await start()
    const answer = await registry.send(method, path)
    expect(answer.status).toBe(401)
    const expected = `Bearer realm="${registry.url}/token",service="gantry-registry"`
    expect(answer.headers['www-authenticate']).toBe(scope === undefined ? expected : `${expected},scope="${scope}"`)
    // A token for exactly this scope is enough.
    const headers = bearer(await tokenFor(registry, scope ?? ''))
    expect((await registry.send(method, path, { headers })).status).not.toBe(401)
    // One for another repository is not.
    if (scope === undefined) return
    const other = await registry.send(method, path, { headers: bearer(await tokenFor(registry, 'repository:c:*')) })
    expect(other.status).toBe(401)
    expect(other.headers['www-authenticate']).toBe(`${expected},scope="${scope}",error="insufficient_scope"`)
  })

  test('names the host that the client asked, and no nonsense', async () => {
    const authentication = { type: 'bearer', users: { alice: 'secret' } } as const
    const registry = await startTestRegistry({ authentication, allowRemote: true })
    const realm = async (Host: string): Promise<string | undefined> => {
      const answer = await registry.send('GET', '/v2/', { headers: { Host } })
      return /realm="([^"]*)"/.exec(answer.headers['www-authenticate'] ?? '')?.[1]
    }
    expect(await realm('registry.example:5000')).toBe('http://registry.example:5000/token')
    expect(await realm('evil"x')).toBe(`${registry.url}/token`)
    expect(await realm('a/b')).toBe(`${registry.url}/token`)
  })

  test('can name another service and another address', async () => {
    const registry = await start({ service: 'mine', tokenUrl: 'https://auth.example/token' })
    const answer = await registry.send('GET', '/v2/')
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="https://auth.example/token",service="mine"')
    expect((await registry.send('GET', '/token?service=other')).status).toBe(400)
    expect((await registry.send('GET', '/token?service=mine')).status).toBe(200)
  })
})

describe('a token', () => {
  test('allows what it was asked for, and nothing else', async () => {
    const registry = await start()
    const headers = bearer(await tokenFor(registry, 'repository:a:pull,push'))
    const pushed = await registry.send('POST', `/v2/a/blobs/uploads/?digest=${DIGEST}`, { headers, body: 'x' })
    expect(pushed.status).toBe(201)
    expect((await registry.send('GET', `/v2/a/blobs/${DIGEST}`, { headers })).text).toBe('x')
    expect((await registry.send('DELETE', `/v2/a/blobs/${DIGEST}`, { headers })).status).toBe(401)
    expect((await registry.send('GET', `/v2/b/blobs/${DIGEST}`, { headers })).status).toBe(401)
    expect((await registry.send('GET', '/v2/_catalog', { headers })).status).toBe(401)
  })

  test('comes with everything that clients look for', async () => {
    const registry = await start({ tokenLifetime: 90 })
    const path =
      '/token?service=gantry-registry&scope=repository:a:pull&scope=registry:catalog:*&account=alice&client_id=x'
    const answer = await registry.send('GET', path, { headers: basic('alice:secret') })
    expect(answer.status).toBe(200)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.json).toEqual({
      token: expect.any(String),
      access_token: answer.json.token,
      expires_in: 90,
      issued_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      scope: 'repository:a:pull registry:catalog:*',
    })
    expect((await registry.send('GET', '/v2/_catalog', { headers: bearer(answer.json.token) })).status).toBe(200)
  })

  test('expires', async () => {
    const registry = await start({ tokenLifetime: 1 })
    const headers = bearer(await tokenFor(registry, 'repository:a:pull'))
    expect((await registry.send('GET', '/v2/a/tags/list', { headers })).status).toBe(404)
    await sleep(1100)
    const answer = await registry.send('GET', '/v2/a/tags/list', { headers })
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
  })

  test.each(['Bearer x', 'Bearer ', 'Bearer a.b.c', 'Basic YWxpY2U6c2VjcmV0', 'Nonsense'])(
    'is not to be replaced by "%s"',
    async (Authorization) => {
      const registry = await start({ anonymousPull: true })
      const answer = await registry.send('GET', '/v2/a/tags/list', { headers: { Authorization } })
      expect(answer.status).toBe(401)
      expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
    },
  )

  test('is narrowed to what the user may do', async () => {
    const registry = await start({
      allow: (username, { action }) => username === 'alice' || (username === 'bob' && action === 'pull'),
    })
    const answer = await registry.send('GET', '/token?scope=repository:a:pull,push,delete', {
      headers: basic('bob:secret'),
    })
    expect(answer.json.scope).toBe('repository:a:pull')
    const headers = bearer(answer.json.token)
    expect((await registry.send('GET', '/v2/a/tags/list', { headers })).status).toBe(404)
    expect((await registry.send('POST', '/v2/a/blobs/uploads/', { headers })).status).toBe(401)
  })

  test('for nobody allows what everybody may do', async () => {
    const registry = await start({ anonymousPull: true })
    const headers = bearer(await tokenFor(registry, 'repository:a:pull,push', null))
    expect((await registry.send('GET', '/v2/a/tags/list', { headers })).status).toBe(404)
    expect((await registry.send('GET', '/v2/a/tags/list')).status).toBe(404)
    expect((await registry.send('POST', '/v2/a/blobs/uploads/', { headers })).status).toBe(401)
    expect((await registry.send('GET', '/v2/', { headers })).status).toBe(401)
    expect((await registry.send('GET', '/v2/')).status).toBe(401)
  })

  test.each(['alice:wrong', 'eve:secret', ':'])('is not handed out to %s', async (login) => {
    const registry = await start()
    const answer = await registry.send('GET', '/token?scope=repository:a:pull', { headers: basic(login) })
    expect(answer.status).toBe(401)
    expect(answer.json.token).toBeUndefined()
  })
})

describe('a token request by form', () => {
  test('logs in with a password, and goes on with the refresh token', async () => {
    const registry = await start()
    const scope = 'repository:a:pull repository:b:pull,push'
    const first = await post(registry, {
      grant_type: 'password',
      username: 'alice',
      password: 'secret',
      scope,
      access_type: 'offline',
    })
    expect(first.status).toBe(200)
    expect(first.json.scope).toBe(scope)
    const refresh = String(first.json.refresh_token)
    const second = await post(registry, {
      grant_type: 'refresh_token',
      refresh_token: refresh,
      scope,
      service: 'gantry-registry',
    })
    expect(second.status).toBe(200)
    const headers = bearer(second.json.access_token)
    expect((await registry.send('POST', '/v2/b/blobs/uploads/', { headers })).status).toBe(202)
    // The two kinds of token are not interchangeable.
    expect((await registry.send('GET', '/v2/', { headers: bearer(refresh) })).status).toBe(401)
    const swapped = await post(registry, {
      grant_type: 'refresh_token',
      refresh_token: String(second.json.access_token),
    })
    expect(swapped.json).toEqual({ error: 'invalid_grant' })
  })

  test('can ask for a refresh token by GET too', async () => {
    const registry = await start()
    const answer = await registry.send('GET', '/token?offline_token=true', { headers: basic('alice:secret') })
    const next = await post(registry, { grant_type: 'refresh_token', refresh_token: String(answer.json.refresh_token) })
    expect(next.status).toBe(200)
    expect((await registry.send('GET', '/token?offline_token=true')).json.refresh_token).toBeUndefined()
  })

  test.each([
    [{ grant_type: 'password', username: 'alice', password: 'wrong' }, 400],
    [{ grant_type: 'password' }, 400],
    [{ grant_type: 'refresh_token', refresh_token: 'x' }, 400],
    [{ grant_type: 'client_credentials' }, 400],
    [{}, 400],
    [{ grant_type: 'password', username: 'alice', password: 'x'.repeat(70_000) }, 413],
  ])('is refused: %#', async (form, status) => {
    const registry = await start()
    expect((await post(registry, form as Record<string, string>)).status).toBe(status)
  })

  test('has to be a form', async () => {
    const registry = await start()
    expect((await registry.send('POST', '/token', { body: '{}' })).status).toBe(415)
    expect((await registry.send('PUT', '/token', { body: '{}' })).status).toBe(405)
  })

  test('works with a key that outlives the process', async () => {
    const signingKey = Buffer.alloc(32, 1)
    const one = await start({ signingKey })
    const two = await start({ signingKey, users: { bob: 'secret' } })
    const of = async (login: string): Promise<string> =>
      String((await one.send('GET', '/token?offline_token=true', { headers: basic(login) })).json.refresh_token)
    expect((await post(two, { grant_type: 'refresh_token', refresh_token: await of('bob:secret') })).status).toBe(200)
    // Who is no user any more gets nothing.
    expect((await post(two, { grant_type: 'refresh_token', refresh_token: await of('alice:secret') })).status).toBe(400)
  })
})

describe('a mount with tokens', () => {
  test('asks for the other repository, and falls back to an upload where the user may not pull', async () => {
    const registry = await start({ allow: (username, { name }) => username === 'alice' || name !== 'source' })
    const push = bearer(await tokenFor(registry, 'repository:source:pull,push'))
    await registry.send('POST', `/v2/source/blobs/uploads/?digest=${DIGEST}`, { headers: push, body: 'x' })
    const path = `/v2/target/blobs/uploads/?mount=${DIGEST}&from=source`
    const narrow = bearer(await tokenFor(registry, 'repository:target:pull,push'))
    const asked = await registry.send('POST', path, { headers: narrow })
    expect(asked.status).toBe(401)
    expect(asked.headers['www-authenticate']).toContain('scope="repository:target:pull,push repository:source:pull"')
    const wide = bearer(await tokenFor(registry, 'repository:target:pull,push&scope=repository:source:pull'))
    expect((await registry.send('POST', path, { headers: wide })).status).toBe(201)
    const bobs = bearer(await tokenFor(registry, 'repository:bobs:pull,push', 'bob:secret'))
    expect((await registry.send('POST', path.replace('target', 'bobs'), { headers: bobs })).status).toBe(202)
  })
})

test('the token path is no endpoint of a registry without tokens', async () => {
  const registry = await startTestRegistry()
  expect((await registry.send('GET', '/token')).status).toBe(404)
})
