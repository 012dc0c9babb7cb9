import { describe, expect, test } from 'vitest'
import type { RegistryAnswer, RegistryRequest } from '../../../src/registry/http/transport.js'
import type { LedgerEntry, ScriptedServer } from './scripted-server.js'
import { put as streamedPut, textOf, useTransports } from './transport-fixture.js'

const { serve, connect } = useTransports()

/** A PUT with its body in memory. */
function put(url: string, more: Partial<RegistryRequest> = {}): RegistryRequest {
  const content = Buffer.from(`content of ${url}`)
  return { ...streamedPut(url, ''), body: { content, size: content.length, contentType: 'text/plain' }, ...more }
}

/** The first upload asks whether the registry wants a log-in. */
function putsOf(server: ScriptedServer): LedgerEntry[] {
  return server.ledger.filter(({ method }) => method === 'PUT')
}

const names = (count: number): string[] => Array.from({ length: count }, (_, number) => `/v2/${number}`)

describe('requests in order', () => {
  test('go out on one connection before the first of them is answered', async () => {
    const waiting: (() => void)[] = []
    const server = await serve(({ answer, entry }) => {
      if (entry.method === 'GET') {
        answer(200)
        return
      }
      waiting.push(() => answer(201, {}, entry.bodyText))
      if (waiting.length === 6) for (const goOn of waiting.toReversed()) goOn()
    })
    const transport = connect(server)
    const answers = await Promise.all(names(6).map((url) => transport.request(put(url, { inOrder: true }))))
    expect(putsOf(server).map(({ url }) => url)).toEqual(names(6))
    expect(new Set(putsOf(server).map(({ connection }) => connection)).size).toBe(1)
    expect(await Promise.all(answers.map(textOf))).toEqual(names(6).map((url) => `content of ${url}`))
  })

  test('have a connection of their own', async () => {
    const server = await serve(({ answer }) => answer(201))
    const transport = connect(server)
    for (const inOrder of [true, false, true, false]) {
      await transport.request(put('/v2/x', { inOrder })).then((answer) => answer.discard())
    }
    expect(putsOf(server).map(({ connection }) => connection)).toEqual([2, 1, 2, 1])
  })

  test('are sent again when the connection breaks, and only those without an answer', async () => {
    let isBroken = false
    const server = await serve(({ answer, entry, socket }) => {
      if (entry.url === '/v2/3' && !isBroken) {
        isBroken = true
        socket.destroy()
      } else if (!socket.destroyed) answer(201)
    })
    const transport = connect(server, { retry: { firstDelay: 1 } })
    const requests = names(8).map((url) => transport.request(put(url, { inOrder: true, retry: 'free' })))
    const answers = await Promise.all(requests)
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 201))
    const count = (url: string): number => server.ledger.filter((entry) => entry.url === url).length
    expect(names(3).map(count)).toEqual([1, 1, 1])
    expect(count('/v2/3')).toBe(2)
  })

  test('that are given up do not keep the others from being answered', async () => {
    const server = await serve(({ answer, entry }) => entry.url !== '/v2/1' && answer(201))
    const transport = connect(server, { retry: { firstDelay: 1 } })
    const stop = new AbortController()
    const results = names(4).map((url) =>
      transport.request(
        put(url, { inOrder: true, retry: 'free', ...(url === '/v2/1' ? { signal: stop.signal } : {}) }),
      ),
    )
    const settled = Promise.allSettled<RegistryAnswer>(results)
    await expect.poll(() => putsOf(server).length).toBe(4)
    stop.abort()
    expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  })

  test('end with the transport', async () => {
    const server = await serve(({ answer, entry }) => entry.method === 'GET' && answer(200))
    const transport = connect(server)
    const settled = Promise.allSettled(names(3).map((url) => transport.request(put(url, { inOrder: true }))))
    await expect.poll(() => putsOf(server).length).toBe(3)
    await transport.close()
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    await expect.poll(() => server.openConnections()).toBe(0)
  })
})

describe('a body in memory', () => {
  test.each([1, 64 * 1024, 64 * 1024 + 1, 1_000_000])('of %i bytes arrives, and its progress is told', async (size) => {
    const server = await serve(({ answer }) => answer(201))
    const content = Buffer.alloc(size, 'x')
    const offsets: number[] = []
    const onProgress = (offset: number): void => void offsets.push(offset)
    const answer = await connect(server).request(
      put('/v2/x', { body: { content, size, contentType: 'text/plain', onProgress } }),
    )
    expect(answer.status).toBe(201)
    expect(putsOf(server)[0]).toMatchObject({ bodySize: size, headers: { 'content-length': String(size) } })
    expect(offsets.at(-1)).toBe(size)
  })

  test('that is not as long as said is not sent', async () => {
    const server = await serve(({ answer }) => answer(201))
    const body = { content: Buffer.from('four'), size: 5, contentType: 'text/plain' }
    await expect(connect(server).request(put('/v2/x', { body }))).rejects.toMatchObject({ code: 'size-mismatch' })
  })
})
