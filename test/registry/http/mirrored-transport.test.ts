import { describe, expect, test } from 'vitest'
import { MirroredTransport } from '../../../src/registry/http/mirrored-transport.js'
import type { TransportEvent } from '../../../src/registry/http/transport-event.js'
import { get, put, textOf, useTransports } from './transport-fixture.js'

const { serve, connect } = useTransports()

const BLOB = '/v2/library/a/blobs/sha256:0'

describe('a transport with a mirror', () => {
  test('takes manifests and blobs from the mirror, and everything else from the registry', async () => {
    const registry = await serve(({ answer }) => answer(200, {}, 'registry'))
    const mirror = await serve(({ answer }) => answer(200, {}, 'mirror'))
    const transport = new MirroredTransport(connect(registry), [connect(mirror)])
    const from = async (url: string) => textOf(await transport.request(get(url)))
    expect(await from('/v2/library/a/manifests/v1')).toBe('mirror')
    expect(await from(BLOB)).toBe('mirror')
    expect(await from(`${registry.url}${BLOB}`)).toBe('mirror')
    for (const path of ['tags/list', 'referrers/sha256:0', 'blobs/uploads/1']) {
      expect(await from(`/v2/library/a/${path}`)).toBe('registry')
    }
    expect((await transport.request({ ...put('/v2/library/a/manifests/v1', 'x'), scopes: [] })).status).toBe(200)
    expect(mirror.ledger.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET'])
    expect(transport.registry).toBe(new URL(registry.url).host)
  })

  test.each([401, 403, 404, 429, 500])('goes to the registry after %i, and asks once', async (status) => {
    const registry = await serve(({ answer }) => answer(200, {}, 'registry'))
    const mirror = await serve(({ answer }) => answer(status, {}, 'no'))
    const transport = new MirroredTransport(connect(registry), [connect(mirror)])
    expect(await textOf(await transport.request(get(BLOB)))).toBe('registry')
    expect(await textOf(await transport.request(get(BLOB)))).toBe('registry')
    expect(mirror.ledger.filter(({ url }) => url === BLOB)).toHaveLength(2)
  })

  test('passes a mirror over that cannot be reached, and says so', async () => {
    const events: TransportEvent[] = []
    const registry = await serve(({ answer }) => answer(200, {}, 'registry'))
    const mirror = await serve(({ request }) => request.socket.destroy())
    const inner = connect(registry, { onEvent: (event) => void events.push(event) })
    const transport = new MirroredTransport(inner, [connect(mirror)])
    expect(await textOf(await transport.request(get(BLOB)))).toBe('registry')
    const asked = mirror.ledger.length
    expect(await textOf(await transport.request(get(BLOB)))).toBe('registry')
    expect(mirror.ledger).toHaveLength(asked)
    expect(events.filter(({ type }) => type === 'warning')).toEqual([
      {
        type: 'warning',
        message: expect.stringMatching(/^mirror 127\.0\.0\.1:\d+ of 127\.0\.0\.1:\d+ was passed over: /),
      },
    ])
  })

  test('shows the credentials of the registry to the registry alone', async () => {
    const challenge = { 'www-authenticate': 'Basic realm="r"' }
    const registry = await serve(({ entry, answer }) =>
      entry.headers.authorization === undefined ? answer(401, challenge) : answer(200, {}, 'registry'),
    )
    const mirror = await serve(({ answer }) => answer(401, challenge))
    const credentials = async () => ({ type: 'basic', username: 'u', password: 'secret' }) as const
    const transport = new MirroredTransport(connect(registry, { credentials }), [connect(mirror)])
    expect(await textOf(await transport.request(get(BLOB)))).toBe('registry')
    expect(mirror.ledger.map(({ headers }) => headers.authorization)).toEqual([undefined])
  })
})
