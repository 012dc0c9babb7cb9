import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.js'
import { fc, runs } from '../properties.js'
import { startTestRegistry, type SendOptions, type TestRegistry } from './test-registry.js'

const hostOf = ({ url }: TestRegistry): string => new URL(url).host
const portOf = ({ url }: TestRegistry): string => new URL(url).port
const CATALOG = ['GET', '/v2/_catalog'] as const

async function statusOf(registry: TestRegistry, headers: SendOptions['headers'] = {}): Promise<number> {
  return (await registry.send(...CATALOG, { headers })).status
}

describe('web pages cannot use a registry on the loopback interface:', () => {
  test('a request of a page is refused before anything happens', async () => {
    const registry = await startTestRegistry()
    const content = 'planted'
    const path = `/v2/a/blobs/uploads/?digest=${digestOf(content)}`
    for (const headers of [
      { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' },
      { Origin: 'null' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { Host: 'evil.example' },
    ]) {
      const answer = await registry.send('POST', path, {
        headers: { 'Content-Type': 'text/plain', ...headers },
        body: content,
      })
      expect([answer.status, answer.code]).toEqual([403, 'DENIED'])
    }
    expect((await registry.send('GET', `/v2/a/blobs/${digestOf(content)}`)).status).toBe(404)
    expect((await registry.send('POST', path, { body: content })).status).toBe(201)
  })

  test('names that mean this machine are taken, with the right port', async () => {
    const registry = await startTestRegistry()
    const port = portOf(registry)
    for (const name of ['localhost', 'LOCALHOST', '127.0.0.1', '127.1.2.3', '[::1]', '[0:0:0:0:0:0:0:1]']) {
      expect([name, await statusOf(registry, { Host: `${name}:${port}` })]).toEqual([name, 200])
    }
    const others = [
      'localhost',
      '127.0.0.1',
      `evil.example:${port}`,
      `localhost.evil.example:${port}`,
      `10.0.0.1:${port}`,
    ]
    const odd = [
      `127.0.0.1.evil.example:${port}`,
      `localhost:${port}0`,
      `[::2]:${port}`,
      `evil@localhost:${port}`,
      ':',
      `0.0.0.0:${port}`,
    ]
    for (const Host of [...others, ...odd]) expect([Host, await statusOf(registry, { Host })]).toEqual([Host, 403])
  })

  test('its own pages and programs may ask', async () => {
    const registry = await startTestRegistry()
    const Host = hostOf(registry)
    for (const headers of [
      {},
      { 'Sec-Fetch-Site': 'same-origin', Origin: `http://${Host}` },
      { 'Sec-Fetch-Site': 'none' },
      { Origin: `HTTP://${Host}` },
    ]) {
      expect(await statusOf(registry, { Host, ...headers })).toBe(200)
    }
    for (const Origin of [`https://${Host}`, `http://localhost:1`, `http://${Host}.evil.example`, `http://${Host}/`]) {
      expect([Origin, await statusOf(registry, { Host, Origin })]).toEqual([Origin, 403])
    }
  })

  test('no Host and no Origin of anybody else is ever taken', async () => {
    const registry = await startTestRegistry()
    const port = portOf(registry)
    const label = fc.stringMatching(/^[a-z0-9-]{1,8}$/)
    const name = fc.oneof(
      fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.')),
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
      fc.constantFrom(
        'localhost',
        '127.0.0.1',
        '[::1]',
        'localhost.evil',
        'evil.localhost',
        '127.0.0.1.evil',
        '0x7f.1',
      ),
    )
    const written = fc
      .tuple(name, fc.constantFrom(`:${port}`, '', ':1', ':', `:0${port}`))
      .map((parts) => parts.join(''))
    const isThisMachine = (host: string): boolean =>
      /^(localhost|127\.\d+\.\d+\.\d+|\[(0*:)*:?0*1\]):0?(\d+)$/.test(host) && host.endsWith(port)
    await fc.assert(
      fc.asyncProperty(written, fc.option(written, { nil: undefined }), async (Host, origin) => {
        const headers = { Host, ...(origin === undefined ? {} : { Origin: `http://${origin}` }) }
        const status = await statusOf(registry, headers)
        if (status === 200) expect([Host, isThisMachine(Host), origin ?? Host]).toEqual([Host, true, Host])
        else expect([400, 403]).toContain(status)
      }),
      runs(0.5),
    )
  })

  test('with other machines allowed every name is taken', async () => {
    const registry = await startTestRegistry({ allowRemote: true })
    expect(await statusOf(registry, { Host: 'registry.example' })).toBe(200)
    expect(await statusOf(registry, { Origin: 'https://evil.example' })).toBe(200)
  })
})

describe('empty uploads give way to new ones', () => {
  test('the one that was not used for the longest time first', async () => {
    const registry = await startTestRegistry({ maxUploads: 3 })
    const [first, second, third] = [
      await registry.openUpload('a'),
      await registry.openUpload('a'),
      await registry.openUpload('a'),
    ]
    expect((await registry.send('GET', first)).status).toBe(204)
    const fourth = await registry.openUpload('a')
    const statuses = await Promise.all([first, second, third, fourth].map((path) => registry.send('GET', path)))
    expect(statuses.map(({ status }) => status)).toEqual([204, 404, 204, 204])
  })

  test('and those that have received something stay', async () => {
    const registry = await startTestRegistry({ maxUploads: 2 })
    const [first, second] = [await registry.openUpload('a'), await registry.openUpload('a')]
    for (const path of [first, second]) expect((await registry.send('PATCH', path, { body: 'x' })).status).toBe(202)
    const refused = await registry.send('POST', '/v2/a/blobs/uploads/', { headers: { 'Content-Length': 0 } })
    expect([refused.status, refused.code]).toEqual([429, 'TOOMANYREQUESTS'])
    for (const path of [first, second]) expect((await registry.send('GET', path)).status).toBe(204)
  })

  test('so that a thousand of them keep nobody from pushing', async () => {
    const registry = await startTestRegistry()
    for (let count = 0; count < 1000; count++) await registry.openUpload('flood')
    await registry.pushImage('a', 'v1')
    const upload = await registry.openUpload('a')
    expect((await registry.send('PUT', `${upload}?digest=${digestOf('x')}`, { body: 'x' })).status).toBe(201)
  })
})
