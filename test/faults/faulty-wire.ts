import { once } from 'node:events'
import { Agent, request as sendRequest, type IncomingMessage } from 'node:http'
import {
  startScriptedServer,
  type LedgerEntry,
  type ScriptedExchange,
  type ScriptedServer,
  type ScriptedServerOptions,
} from '../registry/http/scripted-server.js'

/** What the registry behind the wire answered, whole. */
export interface WireAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** One request on its way. A fault decides what becomes of it. */
export interface Passage extends ScriptedExchange {
  /** Hands the request to the registry, without one of its headers where one is named, and waits for the answer. */
  ask(withoutHeader?: string): Promise<WireAnswer>
  /** Hands the first bytes of the body to the registry and breaks off; the registry has them for certain afterwards. */
  askPartly(bytes: number): Promise<void>
  /** Hands an answer to the client. */
  send(answer: WireAnswer): void
}

export type Fault = (passage: Passage) => unknown

export interface FaultPlace {
  /** Requests that get through before the fault begins; default none. */
  readonly skip?: number
  /** Requests that it befalls; default one. */
  readonly times?: number
  /** What else has to be true of a request. */
  readonly when?: (exchange: ScriptedExchange) => boolean
}

interface Rule extends Required<FaultPlace> {
  readonly method: string
  readonly path: RegExp
  readonly fault: Fault
  seen: number
}

/** Headers that belong to one connection. */
const HOP_HEADERS = new Set(['connection', 'keep-alive', 'transfer-encoding', 'expect'])

/**
 * What stands between a client and a real registry: it hands everything through, writes everything down, and lets
 * some requests meet with faults of a network or of a registry.
 */
export class FaultyWire {
  readonly #server: ScriptedServer
  readonly #target: URL
  readonly #agent = new Agent({ keepAlive: true })
  readonly #rules: Rule[] = []
  readonly #uploads = new Set<string>()
  readonly #requests = new Set<IncomingMessage>()

  private constructor(server: ScriptedServer, target: URL) {
    this.#server = server
    this.#target = target
  }

  /** @param target address of the registry, such as `http://127.0.0.1:5000` */
  static async start(target: string, options: ScriptedServerOptions = {}): Promise<FaultyWire> {
    const server = await startScriptedServer(() => undefined, { ...options, readBody: false })
    const wire = new FaultyWire(server, new URL(target))
    server.use((exchange) => wire.#pass(exchange))
    return wire
  }

  /** `127.0.0.1:port`. */
  get host(): string {
    return this.#server.host
  }

  get url(): string {
    return this.#server.url
  }

  get ledger(): readonly LedgerEntry[] {
    return this.#server.ledger
  }

  /** Addresses of the uploads that the registry has opened. */
  get uploads(): ReadonlySet<string> {
    return this.#uploads
  }

  get openConnections(): number {
    return this.#server.openConnections()
  }

  /** Lets requests with a method and a path (without its query) meet with a fault. Of several that fit, the first counts. */
  on(method: string, path: RegExp, fault: Fault, place: FaultPlace = {}): void {
    const { skip = 0, times = 1, when = () => true } = place
    this.#rules.push({ method, path, fault, skip, times, when, seen: 0 })
  }

  /** Requests by method and path (without the query). */
  find(method: string, path: RegExp): readonly LedgerEntry[] {
    return this.ledger.filter((entry) => entry.method === method && path.test(pathOf(entry.url)))
  }

  /** Goes on reading where a fault had stopped: an end cannot be seen by who does not look. */
  thaw(): void {
    for (const request of this.#requests) request.resume()
  }

  async close(): Promise<void> {
    await this.#server.close()
    this.#agent.destroy()
  }

  async #pass(exchange: ScriptedExchange): Promise<void> {
    this.#requests.add(exchange.request)
    const passage: Passage = {
      ...exchange,
      ask: (withoutHeader) => this.#ask(exchange, withoutHeader),
      askPartly: (bytes) => this.#askPartly(exchange, bytes),
      send: (answer) => send(exchange, answer),
    }
    const fault = this.#faultFor(exchange)
    if (fault === undefined) passage.send(await passage.ask())
    else await fault(passage)
  }

  #faultFor(exchange: ScriptedExchange): Fault | undefined {
    const { method, url } = exchange.entry
    for (const rule of this.#rules) {
      if (rule.method !== method || !rule.path.test(pathOf(url)) || !rule.when(exchange)) continue
      if (rule.seen >= rule.skip + rule.times) continue
      rule.seen++
      if (rule.seen > rule.skip) return rule.fault
    }
    return undefined
  }

  async #ask({ request }: ScriptedExchange, withoutHeader?: string): Promise<WireAnswer> {
    const outgoing = this.#open(request, withoutHeader)
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>
    // What breaks off in front breaks off behind.
    request.on('close', () => {
      if (!request.complete) outgoing.destroy()
    })
    request.pipe(outgoing)
    const [answer] = await answered
    const chunks: Buffer[] = []
    for await (const chunk of answer) chunks.push(chunk as Buffer)
    const kept = Object.entries(answer.headers).filter(([name]) => !HOP_HEADERS.has(name))
    const { location } = answer.headers
    if (answer.statusCode === 202 && location?.includes('/uploads/') === true) this.#uploads.add(pathOf(location))
    return { status: answer.statusCode ?? 0, headers: Object.fromEntries(kept), body: Buffer.concat(chunks) }
  }

  async #askPartly({ request }: ScriptedExchange, bytes: number): Promise<void> {
    const outgoing = this.#open(request)
    outgoing.on('error', () => undefined)
    let left = bytes
    await new Promise<void>((resolve) => {
      request.on('data', (chunk: Buffer) => {
        if (left === 0) return
        const part = chunk.subarray(0, left)
        left -= part.length
        outgoing.write(part, () => {
          if (left === 0) resolve()
        })
      })
    })
    const closed = once(outgoing, 'close')
    outgoing.socket?.destroySoon()
    await closed
  }

  #open(request: IncomingMessage, withoutHeader = ''): ReturnType<typeof sendRequest> {
    const { hostname, port } = this.#target
    const kept = Object.entries(request.headers).filter(([name]) => !HOP_HEADERS.has(name) && name !== withoutHeader)
    const headers = Object.fromEntries(kept)
    return sendRequest({ hostname, port, agent: this.#agent, method: request.method, path: request.url, headers })
  }
}

function send({ request, response }: ScriptedExchange, { status, headers, body }: WireAnswer): void {
  const given = Object.entries(headers).filter((entry): entry is [string, string | string[]] => entry[1] !== undefined)
  response.writeHead(status, Object.fromEntries(given))
  response.end(request.method === 'HEAD' || status === 204 ? undefined : body)
}

function pathOf(url: string): string {
  return new URL(url, 'http://registry').pathname
}
