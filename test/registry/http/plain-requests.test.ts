import { afterEach, describe, expect, test } from 'vitest'
import { createTransport, type Transport } from '../../../src/registry/http/create-transport.js'
import type { TransportOptions } from '../../../src/registry/http/transport-options.js'
import { collectBytes, openBytes } from '../../../src/util/bytes.js'
import { startScriptedServer, type Script, type ScriptedServer, type ScriptedServerOptions } from './scripted-server.js'

const closers: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function serve(script: Script, options?: ScriptedServerOptions): Promise<ScriptedServer> {
  const server = await startScriptedServer(script, options)
  closers.push(() => server.close())
  return server
}

function connect(server: ScriptedServer, options: Partial<TransportOptions> = {}): Transport {
  const transport = createTransport({ registry: server.host, plainHttp: true, ...options })
  closers.push(() => transport.close())
  return transport
}

describe('plain requests', () => {
  test('a GET brings status, headers and the bytes as they are', async () => {
    const server = await serve(({ answer }) =>
      answer(200, { 'X-One': ['a', 'b'], 'content-encoding': 'gzip' }, 'no gzip'),
    )
    const answer = await connect(server).request({ method: 'GET', url: '/v2/a?b=c', scopes: [], retry: 'free' })
    expect(answer.status).toBe(200)
    expect(answer.header('X-ONE')).toBe('a')
    expect(answer.url).toBe(`${server.url}/v2/a?b=c`)
    expect(Buffer.from(await collectBytes(answer.body, 100, 'body')).toString()).toBe('no gzip')
    expect(server.ledger[0]).toMatchObject({ method: 'GET', url: '/v2/a?b=c' })
    expect(server.ledger[0]?.headers).toMatchObject({ 'accept-encoding': 'identity', 'user-agent': 'gantry' })
  })

  test('a body is sent with its length and its progress is told', async () => {
    const server = await serve(({ answer }) => answer(201))
    const offsets: number[] = []
    const bytes = Buffer.alloc(3_000_000, 'x')
    const answer = await connect(server).request({
      method: 'PUT',
      url: '/v2/a/blobs/uploads/1',
      scopes: [],
      retry: 'never',
      body: {
        content: openBytes(bytes),
        size: bytes.length,
        contentType: 'application/octet-stream',
        onProgress: (o) => offsets.push(o),
      },
    })
    await answer.discard()
    expect(answer.status).toBe(201)
    const put = server.ledger.find(({ method }) => method === 'PUT')
    expect(put).toMatchObject({ bodySize: bytes.length })
    expect(put?.headers['content-length']).toBe(String(bytes.length))
    expect(offsets.at(-1)).toBe(bytes.length)
  })

  test('connections are used again, also after HEAD', async () => {
    const server = await serve(({ answer }) => answer(404, {}, 'not here'))
    const transport = connect(server)
    for (const method of ['HEAD', 'GET', 'HEAD', 'DELETE', 'POST'] as const) {
      const answer = await transport.request({ method, url: '/v2/x', scopes: [], retry: 'free' })
      await answer.discard()
    }
    expect(server.connections()).toBe(1)
  })
})
