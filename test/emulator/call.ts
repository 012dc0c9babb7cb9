import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { parseAuthorization, type Authorization } from '../../src/server/auth/authorization-header.js'
import { splitUrl } from '../../src/server/exchange.js'
import { parseRoute, type Route } from '../../src/server/route.js'
import { isGantryError } from '../../src/errors.js'
import type { EmulatedAnswer } from './answer.js'

/** The connection is to be closed without an answer. */
export class HangUp extends Error {}

/** One request on its way through the switches; they may change what the registry behind them gets to see. */
export class Call {
  readonly request: IncomingMessage
  method: string
  /** Path and query as they came. */
  readonly url: string
  path: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  body: Readable | Buffer
  /** Whether who sends this may push; registries tell others less about what is there. */
  isWriter = false

  constructor(request: IncomingMessage) {
    this.request = request
    this.method = request.method ?? 'GET'
    this.url = request.url ?? '/'
    const { path, query } = splitUrl(this.url)
    this.path = path
    this.query = query
    this.headers = { ...request.headers }
    this.body = request
  }

  /** What the path names in the distribution API; undefined when it is none of its endpoints. */
  get route(): Route | undefined {
    try {
      return parseRoute(this.path)
    } catch (error) {
      if (isGantryError(error)) return undefined
      throw error
    }
  }

  get isRead(): boolean {
    return this.method === 'GET' || this.method === 'HEAD'
  }

  get authorization(): Authorization {
    return parseAuthorization(this.request.headers.authorization)
  }

  header(name: string): string | undefined {
    const value = this.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  /** Another call in the name of this one, without a body. */
  derive(method: string, path: string, query: Readonly<Record<string, string>> = {}): Call {
    const call = new Call(this.request)
    const { accept } = this.headers
    const own = method === 'GET' || method === 'HEAD' ? {} : { 'content-length': '0' }
    const headers = accept === undefined ? own : { ...own, accept }
    return Object.assign(call, { method, path, query: new URLSearchParams(query), headers, body: Buffer.alloc(0) })
  }

  /** Length of the body as announced; undefined when it is chunked. */
  get bodyLength(): number | undefined {
    const text = this.header('content-length')
    return text === undefined ? undefined : Number(text)
  }

  /** Reads the whole body, which is still passed on. */
  async readBody(): Promise<Buffer> {
    if (Buffer.isBuffer(this.body)) return this.body
    const chunks: Buffer[] = []
    for await (const chunk of this.body) chunks.push(chunk as Buffer)
    this.body = Buffer.concat(chunks)
    return this.body
  }
}

/** Hands a call on to what stands behind. */
export type Next = (call: Call) => Promise<EmulatedAnswer>

/** One switch, or a few that belong together: answers a call itself, or changes it, or changes its answer. */
export type Layer = (call: Call, next: Next) => Promise<EmulatedAnswer>

/** Puts layers in front of what answers in the end; the first one sees a call first and its answer last. */
export function composeLayers(layers: readonly Layer[], last: Next): Next {
  return layers.reduceRight<Next>((next, layer) => (call) => layer(call, next), last)
}
