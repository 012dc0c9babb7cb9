import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { createHash } from 'node:crypto'

/** One request as it arrived. */
export interface LedgerEntry {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingMessage['headers']
  /** Bytes of body that arrived, also when the request was cut off. */
  bodySize: number
  bodySha256: string
  /** The first 64 KiB of the body as text. */
  bodyText: string
  /** Whether the whole body arrived. */
  complete: boolean
  /** Number of the connection, from 1. */
  readonly connection: number
  /** When it arrived, in milliseconds of the monotonic clock. */
  readonly at: number
}

/** What a script gets to answer one request. The body has been read already unless `readBody: false`. */
export interface ScriptedExchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly entry: LedgerEntry
  /** How many requests there were before this one. */
  readonly index: number
  /** Answers in one go; an object is sent as JSON. */
  answer(
    status: number,
    headers?: Record<string, string | string[] | undefined>,
    body?: string | Uint8Array | object,
  ): void
  readonly socket: Socket
}

/** Answers one request; a promise is waited for, and anything else that it returns is of no interest. */
export type Script = (exchange: ScriptedExchange) => unknown

export interface ScriptedServer {
  /** `127.0.0.1:port`. */
  readonly host: string
  readonly port: number
  readonly url: string
  /** Every request so far. */
  readonly ledger: LedgerEntry[]
  /** Connections that were opened so far. */
  readonly connections: () => number
  readonly openConnections: () => number
  /** Replaces the script. */
  use(script: Script): void
  close(): Promise<void>
}

export interface ScriptedServerOptions {
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca?: string; readonly requestCert?: boolean }
  /** Call the script before the body has been read. */
  readonly readBody?: boolean
  readonly maxHeaderSize?: number
  readonly hostname?: string
}

/** Starts a server on a free loopback port that answers by a script and writes down every request. */
export async function startScriptedServer(
  script: Script,
  options: ScriptedServerOptions = {},
): Promise<ScriptedServer> {
  let current = script
  const ledger: LedgerEntry[] = []
  const sockets = new Map<Socket, number>()
  let opened = 0

  const onRequest = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const index = ledger.length
    const entry: LedgerEntry = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      bodySize: 0,
      bodySha256: '',
      bodyText: '',
      complete: false,
      connection: sockets.get(request.socket) ?? 0,
      at: performance.now(),
    }
    ledger.push(entry)
    const body = record(request, entry)
    if (options.readBody !== false) await body
    const answer: ScriptedExchange['answer'] = (status, headers = {}, content = '') => {
      const isJson = typeof content === 'object' && !(content instanceof Uint8Array)
      const bytes = Buffer.from(isJson ? JSON.stringify(content) : (content as string))
      const type = isJson && headers['content-type'] === undefined ? { 'content-type': 'application/json' } : {}
      const given = Object.entries(headers).filter(
        (entry): entry is [string, string | string[]] => entry[1] !== undefined,
      )
      response.writeHead(status, { 'content-length': String(bytes.length), ...type, ...Object.fromEntries(given) })
      response.end(request.method === 'HEAD' ? undefined : bytes)
    }
    try {
      await current({ request, response, entry, index, answer, socket: request.socket })
    } catch (error) {
      response.destroy(error as Error)
    }
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void => void onRequest(request, response)
  const size = options.maxHeaderSize === undefined ? {} : { maxHeaderSize: options.maxHeaderSize }
  const server =
    options.tls === undefined
      ? createServer(size, listener)
      : createTlsServer({ ...options.tls, ...size, rejectUnauthorized: false }, listener)
  const event = options.tls === undefined ? 'connection' : 'secureConnection'
  server.on(event, (socket: Socket) => {
    sockets.set(socket, ++opened)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
  })
  // Also those that never got through the handshake have to be closed in the end.
  const rawSockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    rawSockets.add(socket)
    socket.on('close', () => rawSockets.delete(socket))
  })
  const hostname = options.hostname ?? '127.0.0.1'
  await new Promise<void>((resolve) => server.listen(0, hostname, resolve))
  const { port } = server.address() as AddressInfo
  return {
    host: `${hostname}:${port}`,
    port,
    url: `${options.tls === undefined ? 'http' : 'https'}://${hostname}:${port}`,
    ledger,
    connections: () => opened,
    openConnections: () => sockets.size,
    use: (next) => (current = next),
    close: async () => {
      server.closeAllConnections()
      for (const socket of rawSockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

async function record(request: IncomingMessage, entry: LedgerEntry): Promise<void> {
  const hash = createHash('sha256')
  await new Promise<void>((resolve) => {
    request.on('data', (chunk: Buffer) => {
      entry.bodySize += chunk.length
      hash.update(chunk)
      if (entry.bodyText.length < 64 * 1024) entry.bodyText += chunk.toString('utf8')
    })
    request.on('end', () => (entry.complete = true))
    request.on('error', () => undefined)
    request.on('close', () => resolve())
    request.on('end', () => resolve())
  })
  entry.bodySha256 = hash.digest('hex')
}
