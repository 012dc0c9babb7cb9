import { describe, expect, test } from 'vitest'
import { digestOf } from '../../../src/oci/digest.js'
import { startTestRegistry } from '../test-registry.js'

const basic = (text: string): { Authorization: string } => ({
  Authorization: `Basic ${Buffer.from(text).toString('base64')}`,
})
const ALICE = basic('alice:secret')
const DIGEST = digestOf('x')

/** A request for every kind of path, and what it needs. */
const REQUESTS = [
  ['GET', '/v2/'],
  ['GET', '/v2/_catalog'],
  ['GET', '/v2/a/tags/list'],
  ['GET', `/v2/a/referrers/${DIGEST}`],
  ['HEAD', `/v2/a/blobs/${DIGEST}`],
  ['DELETE', `/v2/a/blobs/${DIGEST}`],
  ['GET', '/v2/a/manifests/v1'],
  ['PUT', '/v2/a/manifests/v1'],
  ['DELETE', '/v2/a/manifests/v1'],
  ['POST', '/v2/a/blobs/uploads/'],
  ['GET', '/v2/a/blobs/uploads/6f1f9a5e-0d6a-4c33-9d3f-1d6f4f1a2b3c'],
  ['PATCH', '/v2/a/blobs/uploads/6f1f9a5e-0d6a-4c33-9d3f-1d6f4f1a2b3c'],
  ['PUT', '/v2/a/blobs/uploads/6f1f9a5e-0d6a-4c33-9d3f-1d6f4f1a2b3c'],
  ['DELETE', '/v2/a/blobs/uploads/6f1f9a5e-0d6a-4c33-9d3f-1d6f4f1a2b3c'],
] as const

describe('basic authentication', () => {
  test.each(REQUESTS)('is asked for by %s %s', async (method, path) => {
    const registry = await startTestRegistry({ authentication: { type: 'basic', users: { alice: 'secret' } } })
    for (const headers of [{}, basic('alice:wrong'), basic('eve:secret'), basic(':'), { Authorization: 'Bearer x' }]) {
      const answer = await registry.send(method, path, { headers })
      expect(answer.status).toBe(401)
      expect(answer.headers['www-authenticate']).toBe('Basic realm="gantry registry", charset="UTF-8"')
      if (method !== 'HEAD') expect(answer.code).toBe('UNAUTHORIZED')
    }
    expect((await registry.send(method, path, { headers: ALICE })).status).not.toBe(401)
  })

  test('takes htpasswd', async () => {
    const htpasswd = 'alice:$2y$05$IQuZYhW09JUcaP4gAdECpuNQQN7Xngc2I3lsKFRCWbsGTi7xCBi6a\n'
    const registry = await startTestRegistry({ authentication: { type: 'basic', htpasswd, realm: 'my "own"' } })
    expect((await registry.send('GET', '/v2/', { headers: ALICE })).status).toBe(200)
    const refused = await registry.send('GET', '/v2/', { headers: basic('alice:Secret') })
    expect(refused.headers['www-authenticate']).toBe('Basic realm="my own", charset="UTF-8"')
  })

  test('lets everybody pull when it is told to, and push as before', async () => {
    const registry = await startTestRegistry({
      authentication: { type: 'basic', users: { alice: 'secret' }, anonymousPull: true },
    })
    expect((await registry.send('GET', '/v2/a/manifests/v1')).status).toBe(404)
    expect((await registry.send('GET', `/v2/a/blobs/${DIGEST}`)).status).toBe(404)
    // Where clients learn how to log in, and what lists other people's repositories.
    expect((await registry.send('GET', '/v2/')).status).toBe(401)
    expect((await registry.send('GET', '/v2/_catalog')).status).toBe(401)
    expect((await registry.send('POST', '/v2/a/blobs/uploads/')).status).toBe(401)
    expect((await registry.send('DELETE', '/v2/a/manifests/v1')).status).toBe(401)
    expect((await registry.send('GET', '/v2/a/manifests/v1', { headers: basic('alice:wrong') })).status).toBe(401)
  })

  test('knows users that may not do everything', async () => {
    const registry = await startTestRegistry({
      authentication: {
        type: 'basic',
        users: { alice: 'secret', bob: 'secret' },
        allow: (username, { name, action }) => username === 'alice' || (action === 'pull' && name !== 'secret'),
      },
    })
    await registry.send('POST', `/v2/secret/blobs/uploads/?digest=${DIGEST}`, { headers: ALICE, body: 'x' })
    const bob = basic('bob:secret')
    const refused = await registry.send('POST', '/v2/a/blobs/uploads/', { headers: bob })
    expect(refused.status).toBe(403)
    expect(refused.code).toBe('DENIED')
    expect((await registry.send('GET', `/v2/secret/blobs/${DIGEST}`, { headers: bob })).status).toBe(403)
    expect((await registry.send('GET', `/v2/a/blobs/${DIGEST}`, { headers: bob })).status).toBe(404)
  })

  test('keeps those from mounting who may not pull', async () => {
    const registry = await startTestRegistry({
      authentication: {
        type: 'basic',
        users: { alice: 'secret', bob: 'secret' },
        allow: (username, { name }) => username === 'alice' || !name.startsWith('secret'),
      },
    })
    await registry.send('POST', `/v2/secret/blobs/uploads/?digest=${DIGEST}`, { headers: ALICE, body: 'x' })
    for (const from of ['&from=secret', '']) {
      const path = `/v2/bobs/blobs/uploads/?mount=${DIGEST}${from}`
      expect((await registry.send('POST', path, { headers: basic('bob:secret') })).status).toBe(202)
      expect(
        (await registry.send('POST', path.replace('bobs', `secret${from.length}`), { headers: ALICE })).status,
      ).toBe(201)
    }
  })

  test('keeps passwords out of the log', async () => {
    const registry = await startTestRegistry({ authentication: { type: 'basic', users: { alice: 'secret' } } })
    await registry.send('GET', '/v2/_catalog?n=1&access_token=secret', { headers: ALICE })
    await registry.send('GET', '/v2/', { headers: { Authorization: 'c2VjcmV0' } })
    expect(registry.log).toEqual([
      {
        method: 'GET',
        url: '/v2/_catalog?n=1&access_token=*****',
        status: 200,
        authorization: 'basic',
        duration: expect.any(Number),
      },
      { method: 'GET', url: '/v2/', status: 401, authorization: 'other', duration: expect.any(Number) },
    ])
  })

  test('refuses a malformed password file at the start', async () => {
    await expect(
      startTestRegistry({ authentication: { type: 'basic', htpasswd: 'alice:secret' } }),
    ).rejects.toMatchObject({
      code: 'invalid-argument',
    })
  })
})
