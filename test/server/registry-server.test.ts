import { createServer, type AddressInfo } from 'node:net'
import { request } from 'node:https'
import { describe, expect, onTestFinished, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { startRegistryServer, type RegistryServerOptions } from '../../src/server/registry-server.js'
import { createCertificate } from '../registry/http/certificates.js'
import { temporaryFolder } from '../util/temporary-folder.js'
import { imageManifest, send, startTestRegistry } from './test-registry.js'

describe('a server', () => {
  test('says where it is, and that it is a registry', async () => {
    const registry = await startTestRegistry()
    expect(registry.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    for (const path of ['/v2/', '/v2']) {
      const answer = await registry.send('GET', path)
      expect(answer.status).toBe(200)
      expect(answer.json).toEqual({})
      expect(answer.headers['docker-distribution-api-version']).toBe('registry/2.0')
    }
    expect((await registry.send('HEAD', '/v2/')).status).toBe(200)
  })

  test.each(['0.0.0.0', '::', '192.0.2.1', 'example.com', ''])('does not listen on %s unasked', async (host) => {
    await expect(startRegistryServer({ host })).rejects.toMatchObject({ code: 'invalid-argument' })
  })

  test('listens for other machines when it is told to', async () => {
    const server = await startRegistryServer({ host: '0.0.0.0', allowRemote: true })
    expect(server.registry).toMatch(/^0\.0\.0\.0:\d+$/)
    await server.close()
  })

  test('listens on IPv6', async () => {
    const server = await startRegistryServer({ host: '::1' }).catch(() => undefined)
    // Not every machine has it.
    if (server === undefined) return
    expect(server.registry).toMatch(/^\[::1\]:\d+$/)
    await server.close()
  })

  test('reports a port that is taken, and lets the folder go', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      taken.close()
    })
    const folder = temporaryFolder()
    const { port } = taken.address() as AddressInfo
    await expect(startRegistryServer({ port, folder })).rejects.toMatchObject({ code: 'network-error' })
    const registry = await startTestRegistry({ folder })
    await registry.pushBlob('a', 'x')
  })

  test('speaks TLS', async () => {
    const { cert: certificate, key } = createCertificate({ name: 'localhost', hosts: ['127.0.0.1'] })
    const tls = { certificate, key }
    const users = { alice: 'secret' }
    const server = await startRegistryServer({ tls, authentication: { type: 'bearer', users } })
    onTestFinished(() => server.close())
    expect(server.url).toMatch(/^https:/)
    const challenge = await new Promise<string | undefined>((resolve, reject) => {
      request(`${server.url}/v2/`, { ca: tls.certificate, agent: false }, (response) => {
        response.resume()
        resolve(response.headers['www-authenticate'])
      })
        .on('error', reject)
        .end()
    })
    expect(challenge).toContain(`realm="${server.url}/token"`)
  })

  test('with a certificate that is none is an error', async () => {
    await expect(startRegistryServer({ tls: { certificate: 'x', key: 'y' } })).rejects.toMatchObject({
      code: 'invalid-argument',
    })
  })

  test('can be closed while it is busy', async () => {
    const registry = await startTestRegistry({ folder: temporaryFolder() })
    const pushes = Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => registry.pushBlob('a', Buffer.alloc(2_000_000, index))),
    )
    await registry.pushBlob('a', 'x')
    await registry.close()
    await pushes
    await expect(registry.send('GET', '/v2/')).rejects.toThrow()
  })
})

describe('a read-only registry', () => {
  test('shows everything and changes nothing', async () => {
    const folder = temporaryFolder()
    const writable = await startTestRegistry({ folder })
    const { digest } = await writable.pushImage('a', 'v1')
    await writable.close()
    const registry = await startTestRegistry({ folder, readOnly: true })
    expect((await registry.send('GET', '/v2/a/manifests/v1')).status).toBe(200)
    for (const [method, path] of [
      ['POST', '/v2/a/blobs/uploads/'],
      ['DELETE', `/v2/a/manifests/${digest}`],
      ['DELETE', '/v2/a/manifests/v1'],
      ['PATCH', '/v2/a/blobs/uploads/6f1f9a5e-0d6a-4c33-9d3f-1d6f4f1a2b3c'],
    ] as const) {
      const answer = await registry.send(method, path)
      expect(answer.status).toBe(405)
      expect(answer.code).toBe('UNSUPPORTED')
    }
    expect((await registry.putManifest('a', 'v2', imageManifest())).status).toBe(405)
    expect((await registry.send('GET', '/v2/a/tags/list')).json.tags).toEqual(['v1'])
  })
})

test.each<keyof RegistryServerOptions>([
  'host',
  'port',
  'folder',
  'allowRemote',
  'tls',
  'authentication',
  'readOnly',
  'onRequest',
  'maxBlobSize',
  'maxManifestSize',
  'maxUploads',
  'uploadTimeToLive',
  'requireBlobs',
])('an undefined %s means the default', async (option) => {
  const server = await startRegistryServer({ [option]: undefined })
  try {
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const upload = await fetch(`${server.url}/v2/a/blobs/uploads/`, { method: 'POST' })
    expect(upload.status).toBe(202)
    const location = new URL(upload.headers.get('location') ?? '', server.url).href
    expect((await fetch(location)).status).toBe(204)
    const digest = digestOf('x'.repeat(1000))
    const put = await fetch(`${location}?digest=${digest}`, { method: 'PUT', body: 'x'.repeat(1000) })
    expect(put.status).toBe(201)
    const manifest = { schemaVersion: 2, config: { mediaType: 'a/b', digest: digestOf('absent'), size: 1 }, layers: [] }
    const refused = await fetch(`${server.url}/v2/a/manifests/v1`, {
      method: 'PUT',
      headers: { 'Content-Type': MediaType.imageManifest },
      body: JSON.stringify(manifest),
    })
    expect(await refused.json()).toMatchObject({ errors: [{ code: 'MANIFEST_BLOB_UNKNOWN' }] })
    const page = await send(server.url, 'GET', '/v2/', { headers: { 'Sec-Fetch-Site': 'cross-site' } })
    expect(page.status).toBe(403)
  } finally {
    await server.close()
  }
})
