import { createHash, randomBytes } from 'node:crypto'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { RegistryAnswer } from '../../../src/registry/http/transport.js'
import { delay } from '../../../src/util/abort.js'
import { TRANSIENT_REACH } from '../../../src/util/bytes.js'
import { createAuthority, createCertificate } from './certificates.js'
import { get, put, textOf, useTransports } from './transport-fixture.js'

const { serve, connect } = useTransports()
const authority = createAuthority('Test Authority')
const certificate = createCertificate({ name: 'registry', hosts: ['127.0.0.1'], issuer: authority })
const ways = [
  ['plain', {}, { plainHttp: true }],
  ['TLS', { tls: certificate }, { plainHttp: false, tls: { ca: [authority.cert] } }],
] as const
const MiB = 1024 * 1024
const content = randomBytes(24 * MiB + 12_345)
const digest = createHash('sha256').update(content).digest('hex')
const transient = { transient: true }

/** Reads as whoever takes transient content may: each chunk is looked at for the last time as late as it can be. */
async function readLate(
  answer: RegistryAnswer,
  pause: (chunks: number) => Promise<unknown> | undefined = () => undefined,
): Promise<{ readonly digest: string; readonly memories: number; readonly size: number }> {
  const hash = createHash('sha256')
  const memories = new Set<ArrayBufferLike>()
  const kept: Uint8Array[] = []
  let [behind, size, chunks] = [0, 0, 0]
  const look = (): void => {
    const first = kept.shift()
    if (first !== undefined) hash.update(first)
    behind -= kept[0]?.byteLength ?? 0
  }
  for await (const chunk of answer.body) {
    // What comes last is not used again, and lies wherever it likes.
    if (size < content.byteLength - 2 * TRANSIENT_REACH) memories.add(chunk.buffer)
    kept.push(chunk)
    size += chunk.byteLength
    if (kept.length > 1) behind += chunk.byteLength
    while (behind >= TRANSIENT_REACH) look()
    await pause(chunks++)
  }
  // What came last may be looked at for as long as anybody likes.
  await delay(20)
  while (kept.length > 0) look()
  return { digest: hash.digest('hex'), memories: memories.size, size }
}

describe.each(ways)('a large body over %s', (_, server, client) => {
  const open = async (): Promise<ReturnType<typeof connect>> =>
    connect(await serve(({ answer }) => answer(200, {}, content), server), client)

  test('is received into memory that is used again', async () => {
    const answer = await (await open()).request(get('/v2/x', transient))
    const read = await readLate(answer)
    expect(read).toMatchObject({ digest, size: content.byteLength })
    expect(read.memories).toBeLessThan(12)
  })

  test('arrives as it is when it is read slowly', async () => {
    const answer = await (await open()).request(get('/v2/x', transient))
    const read = await readLate(answer, (chunks) => (chunks % 5 === 0 ? delay(3) : undefined))
    expect(read).toMatchObject({ digest, size: content.byteLength })
  })

  test('can be kept by whoever has not promised otherwise', async () => {
    const answer = await (await open()).request(get('/v2/x'))
    const chunks: Uint8Array[] = []
    for await (const chunk of answer.body) chunks.push(chunk)
    expect(Buffer.concat(chunks).equals(content)).toBe(true)
  })

  test('stays as it was at its end when others follow on its connection', async () => {
    const listening = await serve(
      ({ entry, answer }) => answer(200, {}, entry.url === '/v2/x' ? content : randomBytes(3 * MiB)),
      server,
    )
    const transport = connect(listening, client)
    const answer = await transport.request(get('/v2/x', transient))
    const hash = createHash('sha256')
    let last: Uint8Array = new Uint8Array()
    for await (const chunk of answer.body) {
      hash.update(last)
      last = chunk
    }
    for (let round = 0; round < 4; round++) {
      await readLate(await transport.request(get('/v2/y', round % 2 === 0 ? transient : {})))
    }
    expect(hash.update(last).digest('hex')).toBe(digest)
    expect(listening.connections()).toBe(1)
  })

  test('is whole when the connection ends right behind it', async () => {
    for (let size = 1; size < 12; size++) {
      const part = content.subarray(0, MiB + size * 50_000)
      const listening = await serve(({ answer }) => answer(200, { connection: 'close' }, part), server)
      const read = await readLate(await connect(listening, client).request(get('/v2/x', transient)))
      expect(read).toMatchObject({ digest: createHash('sha256').update(part).digest('hex') })
    }
  })

  test('that is given up leaves memory for the others', async () => {
    const transport = await open()
    const kept: { readonly chunk: Uint8Array; readonly position: number }[] = []
    for (let round = 0; round < 16; round++) {
      let position = 0
      for await (const chunk of (await transport.request(get('/v2/x', transient))).body) {
        kept.push({ chunk, position })
        position += chunk.byteLength
        if (position > 4 * MiB) break
      }
      // What was looked at last may be looked at on.
      kept.splice(0, kept.length - 1)
    }
    const read = await readLate(await transport.request(get('/v2/x', transient)))
    expect(read).toMatchObject({ digest })
    expect(read.memories).toBeLessThan(12)
    for (const { chunk, position } of kept)
      expect(content.subarray(position, position + chunk.byteLength).equals(chunk)).toBe(true)
  })

  test('has its own memory, or copies, beside as many others as there are', async () => {
    const transport = await open()
    const reads = Array.from({ length: 10 }, async (_unused, index) =>
      readLate(await transport.request(get(`/v2/${index}`, transient)), (chunks) =>
        (chunks + index) % 7 === 0 ? delay(1) : undefined,
      ),
    )
    expect((await Promise.all(reads)).map((read) => read.digest)).toEqual(reads.map(() => digest))
  })

  test('does not mix with the small answers on other connections', async () => {
    const listening = await serve(
      ({ entry, answer }) => answer(200, {}, entry.url === '/v2/x' ? content : `about ${entry.url}`),
      server,
    )
    const transport = connect(listening, client)
    const large = transport.request(get('/v2/x', transient)).then((answer) => readLate(answer))
    const small = Array.from({ length: 100 }, async (_unused, index) =>
      textOf(await transport.request(index % 2 === 0 ? get(`/v2/${index}`, transient) : put(`/v2/${index}`, 'x'))),
    )
    expect(await Promise.all(small)).toEqual(small.map((_unused, index) => `about /v2/${index}`))
    expect(await large).toMatchObject({ digest })
  })

  test('without a known length', async () => {
    const listening = await serve(({ response }) => {
      for (let start = 0; start < content.byteLength; start += 100_000)
        response.write(content.subarray(start, start + 100_000))
      response.end()
    }, server)
    expect(await readLate(await connect(listening, client).request(get('/v2/x', transient)))).toMatchObject({ digest })
  })
})

describe('a large body', () => {
  const sockets = new Set<Socket>()
  let stop = (): void => undefined

  afterEach(() => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
    stop()
  })

  async function serveRaw(write: (socket: Socket) => void): Promise<{ readonly host: string }> {
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.once('data', () => write(socket))
    })
    stop = () => server.close()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return { host: `127.0.0.1:${(server.address() as AddressInfo).port}` }
  }

  const head = (size: number): string => `HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`

  test('that arrives in little pieces is handed on without waiting for more', async () => {
    const size = 2 * MiB
    const server = await serveRaw((socket) => socket.write(head(size) + 'abc'))
    const answer = await connect(server).request(get('/v2/x', transient))
    const body = answer.body[Symbol.asyncIterator]()
    expect(Buffer.from((await body.next()).value as Uint8Array).toString()).toBe('abc')
    for (const text of ['de', 'f', 'ghi']) {
      for (const socket of sockets) socket.write(text)
      expect(Buffer.from((await body.next()).value as Uint8Array).toString()).toBe(text)
    }
    await body.return?.()
  })

  test('that breaks off is an error behind what arrived', async () => {
    const server = await serveRaw((socket) => {
      socket.write(head(content.byteLength))
      socket.write(content.subarray(0, 5 * MiB), () => socket.destroy())
    })
    const hash = createHash('sha256')
    let size = 0
    const read = async (): Promise<void> => {
      for await (const chunk of (await connect(server).request(get('/v2/x', transient))).body) {
        size += chunk.byteLength
        hash.update(chunk)
      }
    }
    await expect(read()).rejects.toMatchObject({ code: 'network-error' })
    expect(hash.digest('hex')).toBe(createHash('sha256').update(content.subarray(0, size)).digest('hex'))
  })

  test('takes nothing of what follows it', async () => {
    const server = await serveRaw((socket) => {
      socket.write(head(2 * MiB))
      socket.write(content.subarray(0, 3 * MiB))
    })
    const read = await readLate(await connect(server).request(get('/v2/x', transient)))
    expect(read.size).toBe(2 * MiB)
    expect(read.digest).toBe(
      createHash('sha256')
        .update(content.subarray(0, 2 * MiB))
        .digest('hex'),
    )
  })
})
