import { createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { delay } from '../../../src/util/abort.js'
import { get, put, textOf, useTransports } from './transport-fixture.js'

const { serve, connect } = useTransports()
const once = { retry: { attempts: 1 } }
const raw: (() => void)[] = []

afterEach(() => {
  for (const close of raw.splice(0)) close()
})

/** A server that answers each request with whatever bytes. */
async function serveRaw(
  onRequest: (socket: Socket, index: number) => void,
): Promise<{ readonly host: string; readonly connections: () => number }> {
  const sockets = new Set<Socket>()
  let opened = 0
  let requests = 0
  const server = createServer((socket) => {
    opened++
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      if (/^[A-Z]+ /.test(chunk.toString('latin1'))) onRequest(socket, requests++)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  raw.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => opened }
}

describe('answers that are broken', () => {
  test.each([
    ['cut by FIN', 'Content-Length: 1000\r\n\r\nabc', false],
    ['cut by RST', 'Content-Length: 1000\r\n\r\nabc', true],
    ['cut in the middle of a chunk', 'Transfer-Encoding: chunked\r\n\r\n100\r\nabc', false],
    ['with a bad chunk size', 'Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc', false],
  ])('a body %s is an error', async (_, rest, reset) => {
    const server = await serveRaw((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\n${rest}`)
      setTimeout(() => (reset ? socket.resetAndDestroy() : socket.end()), 20)
    })
    const answer = await connect(server).request(get('/v2/x'))
    expect(answer.status).toBe(200)
    await expect(textOf(answer)).rejects.toMatchObject({ code: 'network-error' })
  })

  test('a body that nobody reads yet may break without harm', async () => {
    const server = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc')
      setTimeout(() => socket.resetAndDestroy(), 10)
    })
    const answer = await connect(server).request(get('/v2/x'))
    await delay(50)
    await expect(textOf(answer)).rejects.toMatchObject({ code: 'network-error' })
    await answer.discard()
  })

  test('a body without any length ends with the connection', async () => {
    const server = await serveRaw((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nabc'))
    expect(await textOf(await connect(server).request(get('/v2/x')))).toBe('abc')
  })

  test('an answer before it was asked for', async () => {
    const twice = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
    const server = await serveRaw((socket, index) => {
      socket.write(index === 0 ? twice + 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstale' : twice)
    })
    const transport = connect(server)
    expect(await textOf(await transport.request(get('/v2/x')))).toBe('ok')
    await delay(20)
    expect(await textOf(await transport.request(get('/v2/y')))).toBe('ok')
    expect(server.connections()).toBe(2)
  })

  test('no HTTP at all', async () => {
    const server = await serveRaw((socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n'))
    await expect(connect(server, once).request(get('/v2/x'))).rejects.toMatchObject({ code: 'network-error' })
  })

  test('an interim answer is passed over', async () => {
    const server = await serveRaw((socket) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
    expect(await textOf(await connect(server).request(get('/v2/x')))).toBe('ok')
  })
})

describe('headers', () => {
  test.each([8, 17, 60])('%i KiB of them are fine', async (size) => {
    const location = `/v2/${'x'.repeat(size * 1024)}`
    const server = await serve(({ answer }) => answer(202, { location }))
    const answer = await connect(server).request({ method: 'POST', url: '/v2/x', scopes: [], retry: 'free' })
    expect(answer.header('Location')).toBe(location)
  })

  test('more than 64 KiB are not', async () => {
    const server = await serve(({ answer }) => answer(200, { location: 'x'.repeat(70_000) }))
    await expect(connect(server).request(get('/v2/x'))).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: `headers of the answer of ${server.host} exceed the limit of 64 KiB`,
    })
    expect(server.ledger).toHaveLength(1)
  })

  test.each(['Host', 'content-length', 'Transfer-Encoding', 'Bad Name', '', 'X\r\nEvil'])(
    'a user may not set %j',
    (name) => {
      expect(() => connect({ host: 'h' }, { headers: { [name]: 'x' } })).toThrow(
        expect.objectContaining({ code: 'invalid-argument' }),
      )
    },
  )

  test.each(['a\r\nEvil: 1', 'a\nb', 'a\0b', '☃'])('a user may not send %j, which is not quoted', (value) => {
    expect(() => connect({ host: 'h' }, { headers: { 'X-A': value } })).toThrow('value of header X-A is not valid')
  })
})

describe('connections', () => {
  test('unread bodies do not pile up', async () => {
    const server = await serve(({ answer }) => answer(404, {}, 'x'.repeat(2_000)))
    const transport = connect(server)
    const worker = async (): Promise<void> => {
      for (let round = 0; round < 125; round++) await (await transport.request(get('/v2/x'))).discard()
    }
    await Promise.all(Array.from({ length: 8 }, worker))
    expect(server.ledger).toHaveLength(1000)
    expect(server.connections()).toBeLessThanOrEqual(16)
  })

  test('a large unwanted body costs the connection instead of the time', async () => {
    let onClosed = (): void => undefined
    const closed = new Promise<void>((resolve) => (onClosed = resolve))
    const server = await serve(({ response }) => {
      response.writeHead(500)
      const timer = setInterval(() => response.write(Buffer.alloc(50_000)), 1)
      response.on('close', () => {
        clearInterval(timer)
        onClosed()
      })
    })
    const answer = await connect(server, once).request(get('/v2/x'))
    await answer.discard()
    await closed
    await expect(textOf(answer)).rejects.toMatchObject({ code: 'aborted' })
  })

  test('an early refusal of an upload is seen', async () => {
    const server = await serve(
      ({ response, request }) => {
        request.resume()
        response.writeHead(413, { 'content-length': '3', connection: 'close' })
        response.end('big')
      },
      { readBody: false },
    )
    const transport = connect(server)
    await (await transport.request(get('/v2/'))).discard()
    const answer = await transport.request(put('/v2/x', Buffer.alloc(20_000_000)))
    expect(answer.status).toBe(413)
    expect(await textOf(answer)).toBe('big')
  })

  test('a connection that was closed while idle is replaced', async () => {
    const server = await serve(({ answer }) => answer(200))
    const transport = connect(server, once)
    await (await transport.request(get('/v2/x'))).discard()
    await delay(10)
    for (let round = 0; round < 2; round++) {
      server.use(({ answer, socket }) => {
        answer(200)
        setTimeout(() => socket.destroy(), 5)
      })
      expect((await transport.request(get('/v2/x'))).status).toBe(200)
      await delay(30)
    }
  })
})

describe('content to send', () => {
  const upload = (open: () => AsyncIterable<Uint8Array>, size?: number): ReturnType<typeof put> => ({
    ...put('/v2/x', ''),
    body: { content: open, contentType: 'application/octet-stream', ...(size === undefined ? {} : { size }) },
  })

  test('of unknown size goes in chunks', async () => {
    const server = await serve(({ answer }) => answer(201))
    async function* open(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('abc')
      yield Buffer.from('def')
    }
    expect((await connect(server).request(upload(open))).status).toBe(201)
    expect(server.ledger.at(-1)).toMatchObject({ bodyText: 'abcdef', headers: { 'transfer-encoding': 'chunked' } })
  })

  test('may be nothing', async () => {
    const server = await serve(({ answer }) => answer(201))
    expect((await connect(server).request(put('/v2/x', ''))).status).toBe(201)
    expect(server.ledger.at(-1)).toMatchObject({ bodySize: 0, complete: true, headers: { 'content-length': '0' } })
  })

  test.each([
    [3, 'content to send ended early: got 2 of 3 bytes'],
    [1, 'content to send is longer than its size of 1 bytes'],
  ])('of another size than announced (%i) is refused, and not repeated', async (size, message) => {
    const server = await serve(({ answer }) => answer(201), { readBody: false })
    const transport = connect(server)
    await (await transport.request(get('/v2/'))).discard()
    let opened = 0
    const open = async function* (): AsyncGenerator<Uint8Array> {
      opened++
      yield Buffer.from('ab')
    }
    server.use(() => undefined)
    await expect(transport.request({ ...upload(open, size), retry: 'free' })).rejects.toMatchObject({
      code: 'size-mismatch',
      message,
    })
    expect(opened).toBe(1)
  })

  test('that fails is no fault of the server: its error comes through, and nothing is repeated', async () => {
    const server = await serve(() => undefined, { readBody: false })
    server.use(({ entry, answer }) => (entry.method === 'GET' ? answer(200) : undefined))
    const error = Object.assign(new Error('the source broke off'), { code: 'ECONNRESET' })
    let opened = 0
    const open = async function* (): AsyncGenerator<Uint8Array> {
      opened++
      yield Buffer.from('ab')
      throw error
    }
    await expect(connect(server).request({ ...upload(open, 10), retry: 'free' })).rejects.toBe(error)
    expect(opened).toBe(1)
  })

  test('is closed when the server answers without waiting for it', async () => {
    const server = await serve(({ entry, answer }) => answer(entry.method === 'GET' ? 200 : 500), { readBody: false })
    const transport = connect(server)
    await (await transport.request(get('/v2/'))).discard()
    let closed = false
    const open = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          yield Buffer.alloc(10)
          await delay(1)
        }
      } finally {
        closed = true
      }
    }
    expect((await transport.request(upload(open))).status).toBe(500)
    await delay(50)
    expect(closed).toBe(true)
  })
})
