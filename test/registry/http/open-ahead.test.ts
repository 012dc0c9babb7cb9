import { createConnection, createServer, type AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { delay } from '../../../src/util/abort.js'
import type { ScriptedExchange } from './scripted-server.js'
import type { Transport } from '../../../src/registry/http/create-transport.js'
import type { TransportOptions } from '../../../src/registry/http/transport-options.js'
import { get, useTransports } from './transport-fixture.js'

const { serve, connect } = useTransports()

const urls = (count: number): string[] => Array.from({ length: count }, (_, number) => `/v2/${number}`)

/** Answers that wait for a word, but for the first one. */
function heldAnswers(): { hold(exchange: ScriptedExchange): void; release(): void } {
  const waiting: (() => void)[] = []
  let isHeld = true
  return {
    hold: ({ answer, index }) => {
      if (isHeld && index > 0) waiting.push(() => answer(200))
      else answer(200)
    },
    release: () => {
      isHeld = false
      for (const goOn of waiting.splice(0)) goOn()
    },
  }
}

/** A transport that has had an answer. */
async function connectOnce(
  server: { readonly host: string },
  options: Partial<TransportOptions> = {},
): Promise<Transport> {
  const transport = connect(server, options)
  await (await transport.request(get('/v2/first'))).discard()
  return transport
}

/** Passes connections on to a server, but for some that it closes at once. */
async function forwardTo(
  port: number,
  closes: (number: number) => boolean,
): Promise<{ readonly host: string; readonly closed: () => number }> {
  let opened = 0
  let closed = 0
  const relay = createServer((socket) => {
    socket.on('error', () => undefined)
    if (closes(++opened)) {
      socket.end()
      closed++
      return
    }
    const target = createConnection(port, '127.0.0.1').on('error', () => socket.destroy())
    socket.on('close', () => target.destroy())
    socket.pipe(target).pipe(socket)
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void relay.close())
  return { host: `127.0.0.1:${(relay.address() as AddressInfo).port}`, closed: () => closed }
}

describe('connections for requests that wait for their turn', () => {
  test('are open when it comes, and no more than there may be requests soon', async () => {
    const { hold, release } = heldAnswers()
    const server = await serve(hold)
    const transport = await connectOnce(server)
    const answers = Promise.all(urls(100).map((url) => transport.request(get(url))))
    await expect.poll(() => server.connections()).toBe(18)
    expect(server.ledger).toHaveLength(1 + 9)
    release()
    expect((await answers).map(({ status }) => status)).toEqual(urls(100).map(() => 200))
    expect(server.connections()).toBeLessThanOrEqual(32)
  })

  test('are not opened beyond the concurrency that was asked for', async () => {
    const { hold, release } = heldAnswers()
    const server = await serve(hold)
    const transport = await connectOnce(server, { concurrency: 3 })
    const answers = Promise.all(urls(20).map((url) => transport.request(get(url))))
    await expect.poll(() => server.ledger.length).toBe(1 + 3)
    release()
    await answers
    expect(server.connections()).toBe(3)
  })

  test('are replaced when the server has not waited', async () => {
    const { hold, release } = heldAnswers()
    const server = await serve(hold)
    const impatient = await forwardTo(server.port, (number) => number > 9 && number <= 18)
    const transport = await connectOnce(impatient)
    const answers = Promise.all(urls(40).map((url) => transport.request(get(url, { retry: 'never' }))))
    await expect.poll(() => impatient.closed()).toBe(9)
    // The client has to learn of it.
    await delay(50)
    release()
    expect((await answers).map(({ status }) => status)).toEqual(urls(40).map(() => 200))
  })

  test('are closed with the transport', async () => {
    const { hold } = heldAnswers()
    const server = await serve(hold)
    const transport = await connectOnce(server)
    const answers = Promise.allSettled(urls(30).map((url) => transport.request(get(url))))
    await expect.poll(() => server.connections()).toBe(18)
    await transport.close()
    expect(new Set((await answers).map(({ status }) => status))).toEqual(new Set(['rejected']))
    await expect.poll(() => server.openConnections()).toBe(0)
  })
})
