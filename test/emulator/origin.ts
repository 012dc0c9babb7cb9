import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { EmulatedAnswer } from './answer.js'
import { Call, HangUp, type Next } from './call.js'
import type { RequestLog, Role } from './request-log.js'

export interface OriginOptions {
  readonly role: Role
  readonly log: RequestLog
  /** The name that clients know it by; its address without one. */
  readonly name?: string
  /** Spoken when there is a name: PEM texts of a certificate for it. */
  readonly tls?: { readonly cert: string; readonly key: string }
}

/** One server of an emulator: scheme, host and port. */
export class Origin {
  readonly port: number
  /** `http://127.0.0.1:port`, or `https://name`. */
  readonly origin: string
  /** `127.0.0.1:port`, or the name. */
  readonly host: string
  readonly #server: Server

  private constructor(server: Server, name: string | undefined) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    this.host = name ?? `127.0.0.1:${this.port}`
    this.origin = name === undefined ? `http://${this.host}` : `https://${name}`
  }

  /** @param answer may be set later than the start: the addresses of all servers are needed for it */
  static async start({ role, log, name, tls }: OriginOptions, answer: Next): Promise<Origin> {
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      const entry = log.add(role, request)
      response.on('error', () => undefined)
      answer(new Call(request)).then(
        (answered) => {
          entry.status = answered.status
          send(request, response, answered)
        },
        (error: unknown) => {
          if (!(error instanceof HangUp)) entry.status = 500
          response.destroy()
        },
      )
    }
    const server = tls === undefined ? createPlainServer(listener) : createTlsServer(tls, listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new Origin(server, name)
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: EmulatedAnswer): void {
  response.writeHead(status, headers as Record<string, string | string[]>)
  response.on('finish', () => {
    // A body that nobody read would keep the connection from being used again.
    if (!request.complete) request.resume()
  })
  if (Buffer.isBuffer(body)) {
    response.end(request.method === 'HEAD' ? undefined : body)
    return
  }
  body.on('error', () => response.destroy())
  if (request.method === 'HEAD') {
    body.resume()
    response.end()
    return
  }
  response.on('close', () => body.destroy())
  // A body that breaks at once must not take the status with it.
  response.flushHeaders()
  body.pipe(response)
}
