import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Bytes } from '../util/bytes.js'
import { OPEN_ACCESS, type Access } from './auth/access.js'

/** Headers of an answer; those that are undefined are not sent. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** One request and its answer, as the endpoints see them. */
export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly method: string
  /** The path as sent, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** What the sender may do; set before any endpoint sees the exchange. */
  access: Access = OPEN_ACCESS

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request
    this.response = response
    this.method = request.method ?? 'GET'
    const { path, query } = splitUrl(request.url ?? '/')
    this.path = path
    this.query = query
  }

  /** A header of the request; several values are joined as Node joins them. */
  header(name: string): string | undefined {
    const value = this.request.headers[name.toLowerCase()]
    return Array.isArray(value) ? value.join(', ') : value
  }

  /** The body of the request. Leaving off in the middle keeps the connection, so that there can be an answer. */
  body(): Bytes {
    return this.request.iterator({ destroyOnReturn: false }) as Bytes
  }

  /** Answers without a body. */
  send(status: number, headers: AnswerHeaders = {}): void {
    const hasLength = status !== 204 && status !== 304 && this.method !== 'HEAD'
    this.writeHead(status, { 'Content-Length': hasLength ? '0' : undefined, ...headers })
    this.response.end()
  }

  /** Answers with bytes that are there already; a HEAD gets the headers alone. */
  sendBytes(status: number, bytes: Uint8Array, headers: AnswerHeaders): void {
    this.writeHead(status, { 'Content-Length': String(bytes.byteLength), ...headers })
    this.response.end(this.method === 'HEAD' ? undefined : bytes)
  }

  /** Begins an answer whose body the caller writes. */
  writeHead(status: number, headers: AnswerHeaders): void {
    const defined = Object.entries(headers).filter(([, value]) => value !== undefined)
    this.response.writeHead(status, Object.fromEntries(defined) as Record<string, string | string[]>)
  }

  sendJson(status: number, value: unknown, headers: AnswerHeaders = {}): void {
    const bytes = new TextEncoder().encode(JSON.stringify(value))
    this.sendBytes(status, bytes, { 'Content-Type': 'application/json', ...headers })
  }
}

/** Parts of a request's address. */
export function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const mark = url.indexOf('?')
  return mark === -1
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) }
}
