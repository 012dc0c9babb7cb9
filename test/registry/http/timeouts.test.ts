import { createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { delay } from '../../../src/util/abort.js'
import { openBytes } from '../../../src/util/bytes.js'
import { get, put, textOf, useTransports } from './transport-fixture.js'

const { serve, connect } = useTransports()
const once = { retry: { attempts: 1 } }
const silent: { close: () => void }[] = []

afterEach(() => {
  for (const server of silent.splice(0)) server.close()
})

/** Accepts connections and says nothing. */
async function listenSilently(): Promise<{
  readonly host: string
  readonly port: number
  readonly sockets: Set<Socket>
}> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.resume()
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  silent.push({
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  })
  const { port } = server.address() as AddressInfo
  return { host: `127.0.0.1:${port}`, port, sockets }
}

describe('time limits', () => {
  test('no answer', async () => {
    const server = await serve(() => undefined)
    const transport = connect(server, { ...once, timeouts: { headers: 50 } })
    await expect(transport.request(get('/v2/x'))).rejects.toMatchObject({
      code: 'timeout',
      message: `${server.host} gave no answer within 0.05 s`,
    })
  })

  test('no answer is worth another try', async () => {
    const server = await serve(({ index, answer }) => (index === 0 ? undefined : answer(200)))
    const transport = connect(server, { retry: { firstDelay: 1 }, timeouts: { headers: 50 } })
    expect((await transport.request(get('/v2/x'))).status).toBe(200)
  })

  test('a slow answer gets more time', async () => {
    const server = await serve(async ({ entry, answer }) => {
      if (entry.method === 'PUT') await delay(150)
      answer(201)
    })
    const transport = connect(server, { ...once, timeouts: { headers: 50, slowHeaders: 2_000 } })
    expect((await transport.request(put('/v2/x', 'a', { slowAnswer: true }))).status).toBe(201)
    await expect(transport.request(put('/v2/x', 'a'))).rejects.toMatchObject({ code: 'timeout' })
  })

  test('a body that stops half-way', async () => {
    const server = await serve(({ response }) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('x'.repeat(400))
    })
    const answer = await connect(server, { timeouts: { body: 50 } }).request(get('/v2/x'))
    await expect(textOf(answer)).rejects.toMatchObject({
      code: 'timeout',
      message: `${server.host} sent no data for 0.05 s after 400 of 1000 bytes`,
    })
    await expect.poll(() => server.openConnections()).toBe(0)
  })

  test('a part that stops half-way is counted as what it is a part of', async () => {
    const server = await serve(({ response }) => {
      response.writeHead(206, { 'content-length': '400', 'content-range': 'bytes 600-999/1000' })
      response.write('x'.repeat(100))
    })
    const answer = await connect(server, { timeouts: { body: 50 } }).request(get('/v2/x'))
    await expect(textOf(answer)).rejects.toMatchObject({
      code: 'timeout',
      message: `${server.host} sent no data for 0.05 s after 700 of 1000 bytes`,
    })
  })

  test('a reader that takes its time is no stall', async () => {
    const server = await serve(({ answer }) => answer(200, {}, 'x'.repeat(3_000_000)))
    const answer = await connect(server, { timeouts: { body: 50 } }).request(get('/v2/x'))
    await delay(200)
    let size = 0
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      if (size === 0) await delay(200)
      size += chunk.byteLength
    }
    expect(size).toBe(3_000_000)
  })

  test('a body that only drips', async () => {
    const server = await serve(({ response }) => {
      response.writeHead(200, { 'content-length': '1000' })
      const timer = setInterval(() => response.write('x'), 10)
      response.on('close', () => clearInterval(timer))
    })
    const timeouts = { minimumRate: 1000, minimumRateWindow: 100 }
    const answer = await connect(server, { timeouts }).request(get('/v2/x'))
    await expect(textOf(answer)).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringMatching(/ sent less than 1000 bytes per second after \d+ of 1000 bytes$/),
    })
  })

  test('a server that takes no more of an upload', async () => {
    const server = await serve(({ answer }) => answer(200), { readBody: false })
    const transport = connect(server, { ...once, timeouts: { body: 100, headers: 5_000 } })
    await (await transport.request(get('/v2/'))).discard()
    const bytes = Buffer.alloc(50_000_000)
    server.use(({ request }) => void request.pause())
    await expect(transport.request(put('/v2/x', bytes))).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringMatching(/ took no data for 0\.1 s after \d+ of 50000000 bytes$/),
    })
  })

  test('a server that gives no answer to the part of an upload', async () => {
    const server = await serve(({ entry, answer }) => (entry.method === 'GET' ? answer(200) : undefined))
    const transport = connect(server, { ...once, timeouts: { headers: 50 } })
    const body = {
      content: openBytes(Buffer.alloc(100)),
      size: 100,
      part: { start: 2000, size: 5000 },
      contentType: 'application/octet-stream',
    }
    await expect(transport.request(put('/v2/x', '', { body }))).rejects.toMatchObject({
      code: 'timeout',
      message: `${server.host} gave no answer within 0.05 s after 2100 of 5000 bytes`,
    })
  })

  test('a source that takes its time is not the fault of the server', async () => {
    const server = await serve(({ answer }) => answer(201))
    const transport = connect(server, { ...once, timeouts: { body: 50 } })
    const open = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a')
      await delay(200)
      yield Buffer.from('b')
    }
    const body = { content: open, size: 2, contentType: 'application/octet-stream' }
    expect((await transport.request({ ...put('/v2/x', ''), body })).status).toBe(201)
  })

  test('a TLS handshake that does not go on', async () => {
    const server = await listenSilently()
    const transport = connect(server, { ...once, plainHttp: false, timeouts: { tls: 50 } })
    await expect(transport.request(get('/v2/x'))).rejects.toMatchObject({
      code: 'timeout',
      message: `no TLS handshake with ${server.host} within 0.05 s`,
    })
    await expect.poll(() => server.sockets.size).toBe(0)
  })

  test('a token that does not arrive', async () => {
    const server = await serve(({ entry, answer, response }) => {
      if (!entry.url.startsWith('/token')) {
        answer(401, { 'www-authenticate': `Bearer realm="http://${entry.headers.host ?? ''}/token"` })
        return
      }
      response.writeHead(200)
      const timer = setInterval(() => response.write(' '), 10)
      response.on('close', () => clearInterval(timer))
    })
    const transport = connect(server, { ...once, timeouts: { token: 100 } })
    await expect(transport.request(get('/v2/x'))).rejects.toMatchObject({
      code: 'timeout',
      message: `token response of ${server.host} did not arrive within 0.1 s`,
    })
  })
})

describe('a signal', () => {
  test.each(['before', 'while waiting for the answer', 'while connecting'])(
    'that fires %s ends the request',
    async (moment) => {
      const server = moment === 'while connecting' ? await listenSilently() : await serve(() => undefined)
      const controller = new AbortController()
      if (moment === 'before') controller.abort()
      const transport = connect(server, { plainHttp: moment !== 'while connecting' })
      const request = transport.request(get('/v2/x', { signal: controller.signal }))
      setTimeout(() => controller.abort(), 30)
      await expect(request).rejects.toMatchObject({ code: 'aborted' })
    },
  )

  test('that fires in the middle of a body ends it', async () => {
    const server = await serve(({ response }) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('x')
    })
    const controller = new AbortController()
    const answer = await connect(server).request(get('/v2/x', { signal: controller.signal }))
    setTimeout(() => controller.abort(), 30)
    await expect(textOf(answer)).rejects.toMatchObject({ code: 'aborted' })
  })

  test('that fires while waiting for a shared token ends only the own request', async () => {
    let release = (): void => undefined
    const released = new Promise<void>((resolve) => (release = resolve))
    const server = await serve(async ({ entry, answer }) => {
      if (entry.url.startsWith('/token')) {
        await released
        answer(200, {}, { token: 't' })
      } else if (entry.headers.authorization === undefined) {
        answer(401, { 'www-authenticate': `Bearer realm="http://${entry.headers.host ?? ''}/token"` })
      } else answer(200)
    })
    const controller = new AbortController()
    const transport = connect(server)
    const aborted = transport.request(get('/v2/x', { signal: controller.signal }))
    const other = transport.request(get('/v2/x'))
    setTimeout(() => controller.abort(), 30)
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' })
    release()
    expect((await other).status).toBe(200)
  })

  test('may be shared by many requests without a warning', async () => {
    const warnings: Error[] = []
    const note = (warning: Error): void => void warnings.push(warning)
    process.on('warning', note)
    const server = await serve(({ answer }) => answer(200))
    const transport = connect(server)
    const { signal } = new AbortController()
    await Promise.all(
      Array.from({ length: 50 }, async () => (await transport.request(get('/v2/x', { signal }))).discard()),
    )
    await delay(1)
    process.off('warning', note)
    expect(warnings).toEqual([])
  })
})

describe('close', () => {
  test('ends what is under way', async () => {
    const server = await serve(() => undefined)
    const transport = connect(server)
    const request = transport.request(get('/v2/x'))
    const outcome = expect(request).rejects.toMatchObject({ code: 'aborted' })
    await delay(30)
    await transport.close()
    await outcome
    await expect.poll(() => server.openConnections()).toBe(0)
    await expect(transport.request(get('/v2/x'))).rejects.toMatchObject({ code: 'aborted' })
  })

  test('ends connections that are being opened', async () => {
    const server = await listenSilently()
    const transport = connect(server, { plainHttp: false })
    const outcome = expect(transport.request(get('/v2/x'))).rejects.toMatchObject({ code: 'aborted' })
    await delay(30)
    await transport.close()
    await outcome
    await expect.poll(() => server.sockets.size).toBe(0)
  })
})
