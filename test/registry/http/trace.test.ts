import { fc } from '../../properties.js'
import { describe, expect, test } from 'vitest'
import type { Credential } from '../../../src/registry/auth/credential.js'
import { shownHeaders } from '../../../src/registry/http/trace.js'
import type { TransportEvent } from '../../../src/registry/http/transport-event.js'
import { parseWarnings } from '../../../src/registry/http/warning.js'
import { get, useTransports } from './transport-fixture.js'

const { serve, connect } = useTransports()

describe('shownHeaders', () => {
  test.each<[string, string, string]>([
    ['Authorization', 'Bearer abc', '*****'],
    ['proxy-authorization', 'Basic abc', '*****'],
    ['Cookie', 'a=b', '*****'],
    ['set-cookie', 'a=b', '*****'],
    ['X-Amz-Security-Token', 'x', '*****'],
    ['X-JFrog-Art-Api-Key', 'x', '*****'],
    ['x-mine', 'x', '*****'],
    ['Location', '/v2/a?_state=s&digest=d', '/v2/a?_state=*****&digest=d'],
    ['location', 'https://u:p@h/a?sig=s', 'https://*****@h/a?sig=*****'],
    ['Link', '</v2/a?last=b&token=t>; rel="next"', '</v2/a?last=b&token=*****>; rel="next"'],
    [
      'www-authenticate',
      'Bearer realm="https://h/t?key=k",service="s"',
      'Bearer realm="https://h/t?key=*****",service="s"',
    ],
    ['content-type', 'application/json', 'application/json'],
    ['x-comment', 'see https://h/?sig=s', 'see https://h/?sig=*****'],
    ['x-comment', 'a\x1b[2Jb', 'a\\u{1b}[2Jb'],
  ])('%s: %s becomes %s', (name, value, expected) => {
    expect(shownHeaders({ [name]: value }, new Set(['x-mine']))).toEqual({ [name]: expected })
  })

  test('shows no canary of any form', () => {
    const name = fc.constantFrom(
      'authorization',
      'Cookie',
      'location',
      'content-location',
      'referer',
      'x-registry-token',
      'x-mine',
    )
    const form = fc.constantFrom(
      'CANARY',
      'Bearer CANARY-123',
      'https://h/x?sig=CANARY',
      '/x?a=CANARY&n=1',
      'https://CANARY@h/',
    )
    fc.assert(
      fc.property(name, form, (header, value) => {
        const isPlain = value === 'CANARY' || value.startsWith('Bearer')
        // A bare word in an address is part of a path, which is no secret.
        fc.pre(!(isPlain && ['location', 'content-location', 'referer'].includes(header)))
        expect(JSON.stringify(shownHeaders({ [header]: value }, new Set(['x-mine'])))).not.toContain('CANARY')
      }),
    )
  })
})

describe('parseWarnings', () => {
  test.each<[string, string[]]>([
    ['299 - "deprecated"', ['deprecated']],
    [' 299 - "a \\"quoted\\" word" ', ['a "quoted" word']],
    ['299 - "one", 299 - "two"', ['one', 'two']],
    ['299 - "\x1b[2Jcleared"', ['\\u{1b}[2Jcleared']],
    ['299 - "moved to http://h/p?sig=secret"', ['moved to http://h/p?sig=*****']],
    ['110 - "stale"', []],
    ['299 host "x"', []],
    ['299 - "open', []],
    ['299 -', []],
    ['', []],
    [`299 - "${'x'.repeat(5_000)}"`, []],
  ])('%s holds %j', (value, expected) => {
    expect(parseWarnings(value)).toEqual(expected)
  })
})

describe('events', () => {
  test('warnings of the registry are told once, those of others are not', async () => {
    const events: TransportEvent[] = []
    const store = await serve(({ answer }) => answer(200, { warning: '299 - "from the store"' }))
    const server = await serve(({ entry, answer }) =>
      answer(entry.url === '/v2/blob' ? 307 : 200, { warning: ['299 - "one"', '299 - "two"'], location: store.url }),
    )
    const transport = connect(server, { onEvent: (event) => events.push(event) })
    for (const url of ['/v2/x', '/v2/x', '/v2/blob']) await (await transport.request(get(url))).discard()
    expect(events.filter(({ type }) => type === 'warning')).toEqual([
      { type: 'warning', message: 'one' },
      { type: 'warning', message: 'two' },
    ])
  })

  test('every request and answer is told', async () => {
    const events: TransportEvent[] = []
    const server = await serve(({ answer }) => answer(204))
    await connect(server, { onEvent: (event) => events.push(event) }).request(
      get('/v2/x?state=s', { headers: { accept: 'a/b' } }),
    )
    expect(events).toEqual([
      {
        type: 'request',
        id: expect.any(Number) as number,
        method: 'GET',
        url: `${server.url}/v2/x?state=*****`,
        headers: { 'user-agent': 'gantry', 'accept-encoding': 'identity', accept: 'a/b' },
      },
      expect.objectContaining({ type: 'response', status: 204, milliseconds: expect.any(Number) }),
    ])
  })

  test('requests and answers are not told where nobody traces them, and the rest is', async () => {
    const events: TransportEvent[] = []
    const server = await serve(({ answer }) => answer(204, { warning: '299 - "one"' }))
    const transport = connect(server, { onEvent: (event) => events.push(event), trace: false })
    await transport.request(get('/v2/x'))
    expect(events).toEqual([{ type: 'warning', message: 'one' }])
  })

  test('a failure is told', async () => {
    const events: TransportEvent[] = []
    const server = await serve(({ socket }) => socket.destroy())
    const transport = connect(server, { onEvent: (event) => events.push(event), retry: { attempts: 1 } })
    await expect(transport.request(get('/v2/x'))).rejects.toBeDefined()
    expect(events[1]).toMatchObject({ type: 'failure', reason: expect.stringContaining(server.host) })
  })

  test('a canary in every secret appears nowhere', async () => {
    const events: TransportEvent[] = []
    const store = await serve(({ answer }) => answer(500, { 'set-cookie': 'a=CANARY' }))
    const server = await serve(({ entry, answer }) => {
      const { authorization } = entry.headers
      if (entry.url.startsWith('/token')) answer(200, {}, { token: 'CANARY-token', access_token: 'CANARY-token' })
      else if (authorization === undefined)
        answer(401, { 'www-authenticate': `Bearer realm="${server.url}/token?key=CANARY"` })
      else answer(307, { location: `${store.url}/blob?sig=CANARY`, 'set-cookie': 'b=CANARY' })
    })
    const credentials = async (): Promise<Credential> => ({ type: 'identity-token', token: 'CANARY-refresh' })
    const headers = { 'X-Custom': 'CANARY', Cookie: 'c=CANARY' }
    const retry = { attempts: 2, firstDelay: 1 }
    const transport = connect(server, { credentials, headers, retry, onEvent: (event) => events.push(event) })
    const answer = await transport.request(get('/v2/x'))
    expect(answer.status).toBe(500)
    expect(events.map(({ type }) => type)).toContain('gave-up')
    expect(JSON.stringify(events)).not.toContain('CANARY')
    await store.close()
    const error: unknown = await transport.request(get('/v2/x')).catch((reason: unknown) => reason)
    expect(`${String(error)}${JSON.stringify(events)}`).not.toContain('CANARY')
  })
})
