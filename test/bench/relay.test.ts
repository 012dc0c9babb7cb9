import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'

const MEBIBYTE = 1024 * 1024
/** Timers of other processes on a busy machine are late, and never early. */
const SLACK = 3

let server: Server
const relays: ChildProcess[] = []

beforeAll(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterAll(() => {
  for (const relay of relays) relay.kill()
  server.close()
})

async function startRelay(...words: string[]): Promise<number> {
  const { port } = server.address() as AddressInfo
  const relay = spawn(process.execPath, [join(import.meta.dirname, 'relay.js'), '--port', String(port), ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  relays.push(relay)
  for await (const line of createInterface({ input: relay.stdout })) return Number(line)
  throw new Error('the relay ended before it listened')
}

/** Sends bytes to the server, which sends them back, and returns them with the milliseconds that it took. */
async function echo(port: number, content: Buffer): Promise<{ received: Buffer; milliseconds: number }> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const start = performance.now()
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.end(content)
  await once(socket, 'end')
  return { received: Buffer.concat(chunks), milliseconds: performance.now() - start }
}

test('the way there and back, and the handshake before it, take their time', async () => {
  const port = await startRelay('--delay', '20')
  const { received, milliseconds } = await echo(port, Buffer.from('hello'))
  expect(received.toString()).toBe('hello')
  expect(milliseconds).toBeGreaterThan(4 * 20 - SLACK)
  expect(milliseconds).toBeLessThan(4 * 20 + 500)
})

test('an open connection costs no further handshake', async () => {
  const port = await startRelay('--delay', '20')
  const socket = connect(port, '127.0.0.1')
  const measure = async (): Promise<number> => {
    const start = performance.now()
    socket.write('hello')
    await once(socket, 'data')
    return performance.now() - start
  }
  const first = await measure()
  const second = await measure()
  socket.destroy()
  expect(first).toBeGreaterThan(4 * 20 - SLACK)
  expect(second).toBeGreaterThan(2 * 20 - SLACK)
  expect(second).toBeLessThan(first)
})

test('a connection carries no more bytes than it may, and changes none', async () => {
  const port = await startRelay('--rate', String(10 * MEBIBYTE))
  const content = createHash('shake256', { outputLength: 2 * MEBIBYTE })
    .update('content')
    .digest()
  const { received, milliseconds } = await echo(port, content)
  expect(received.equals(content)).toBe(true)
  expect(milliseconds).toBeGreaterThan(200 - SLACK)
  expect(milliseconds).toBeLessThan(1500)
})

test('several connections carry as much each', async () => {
  const port = await startRelay('--rate', String(10 * MEBIBYTE))
  const content = Buffer.alloc(2 * MEBIBYTE, 'x')
  const start = performance.now()
  const results = await Promise.all(Array.from({ length: 4 }, async () => echo(port, content)))
  const milliseconds = performance.now() - start
  expect(results.every(({ received }) => received.equals(content))).toBe(true)
  expect(milliseconds).toBeGreaterThan(200 - SLACK)
  expect(milliseconds).toBeLessThan(4 * 200 - 50)
})

test('a far end that closes is seen at this end', async () => {
  const port = await startRelay('--delay', '5')
  const socket = connect(port, '127.0.0.1')
  socket.end()
  socket.resume()
  await once(socket, 'end')
  expect(socket.readableEnded).toBe(true)
})
