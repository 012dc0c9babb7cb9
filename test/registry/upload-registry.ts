import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Script, ScriptedExchange } from './http/scripted-server.js'
import { NAME, startTestRegistry, type TestRegistry, type TestRegistryOptions } from './test-registry.js'

/** What an upload-capable registry does differently from the specification. */
export interface UploadQuirks {
  /** Takes part in the request to finish or to add; answers it itself when it returns true. */
  readonly intercept?: (upload: UploadStep) => boolean | Promise<boolean>
  readonly location?: (id: number, step: number) => string
  /** The Range header of the answer to a status request; default what has arrived. */
  readonly range?: (received: number) => string | undefined
  readonly statusLocation?: boolean
  readonly headers?: Record<string, string>
}

export interface UploadStep {
  readonly exchange: ScriptedExchange
  readonly method: string
  readonly session: UploadState
  /** How many requests with content there were before this one. */
  readonly index: number
  readonly registry: UploadRegistry
}

export interface UploadState {
  readonly id: number
  received: Buffer
  step: number
}

export interface UploadRegistry extends TestRegistry {
  /** What was committed, by digest. */
  readonly blobs: Map<string, Buffer>
  readonly sessions: Map<number, UploadState>
  /** Methods and paths in a short form: `POST`, `PUT 1 0+100`, `PATCH 1 0-9`, `GET 1`, `DELETE 1`, `HEAD`. */
  readonly steps: string[]
}

const UPLOADS = `/v2/${NAME}/blobs/uploads/`

/** A small registry that takes uploads, keeps what has arrived of a broken one, and can misbehave. */
export async function startUploadRegistry(
  quirks: UploadQuirks = {},
  options: TestRegistryOptions = {},
): Promise<UploadRegistry> {
  const blobs = new Map<string, Buffer>()
  const sessions = new Map<number, UploadState>()
  const steps: string[] = []
  let count = 0
  let contents = 0
  const locate = quirks.location ?? ((id, step) => `${UPLOADS}${id}?_state=${step}`)

  const script: Script = async (exchange) => {
    const { request, answer } = exchange
    bodies.set(request, new Body(request))
    const { method = '', url = '' } = request
    const path = url.split('?')[0] ?? ''
    const digest = new URLSearchParams(url.split('?')[1]).get('digest')
    if (method === 'HEAD') {
      steps.push('HEAD')
      answer(blobs.has(path.split('/').at(-1) ?? '') ? 200 : 404)
      return
    }
    if (method === 'POST') {
      steps.push('POST')
      const session = { id: ++count, received: Buffer.alloc(0), step: 0 }
      sessions.set(session.id, session)
      answer(202, { location: locate(session.id, 0), range: '0-0', ...quirks.headers })
      return
    }
    const session = sessions.get(Number(/uploads\/(\d+)/.exec(url)?.[1] ?? NaN))
    const id = session?.id ?? '?'
    const range = request.headers['content-range']
    const isContent = method === 'PUT' || method === 'PATCH'
    steps.push(
      `${method} ${id}${range === undefined ? '' : ` ${range}`}${isContent && range === undefined ? ` ${request.headers['content-length']}` : ''}`,
    )
    if (session === undefined) {
      request.resume()
      answer(404, {}, { errors: [{ code: 'BLOB_UPLOAD_UNKNOWN' }] })
      return
    }
    if (isContent) {
      const step = { exchange, method, session, index: contents++, registry }
      if (quirks.intercept !== undefined && (await quirks.intercept(step))) return
    }
    if (method === 'DELETE') {
      sessions.delete(session.id)
      answer(204)
      return
    }
    if (method === 'GET') {
      const value =
        quirks.range === undefined ? `0-${session.received.length - 1}` : quirks.range(session.received.length)
      const location = quirks.statusLocation === false ? {} : { location: locate(session.id, ++session.step) }
      answer(204, { ...(value === undefined ? {} : { range: value }), ...location })
      return
    }
    if (range !== undefined && !range.startsWith(`${session.received.length}-`)) {
      request.resume()
      answer(416, { range: `0-${session.received.length - 1}` })
      return
    }
    await receive(exchange, session)
    if (method === 'PATCH') {
      answer(202, { location: locate(session.id, ++session.step), range: `0-${session.received.length - 1}` })
      return
    }
    sessions.delete(session.id)
    const actual = `sha256:${createHash('sha256').update(session.received).digest('hex')}`
    if (actual !== digest) {
      answer(400, {}, { errors: [{ code: 'DIGEST_INVALID' }] })
      return
    }
    blobs.set(digest, session.received)
    answer(201, { location: `/v2/${NAME}/blobs/${digest}`, 'docker-content-digest': digest })
  }
  const server = await startTestRegistry(script, { readBody: false, ...options })
  const registry: UploadRegistry = { ...server, blobs, sessions, steps }
  return registry
}

/** Reads the body into the session, up to a number of bytes. */
export async function receive(
  { request }: ScriptedExchange,
  session: UploadState,
  limit = Number.MAX_SAFE_INTEGER,
): Promise<void> {
  const body = await bodies.get(request)!.upTo(limit)
  session.received = Buffer.concat([session.received, body])
}

/** The body of a request from its first byte on, whenever it is asked for. */
class Body {
  readonly #chunks: Buffer[] = []
  #size = 0
  #isEnded = false
  #notify: () => void = () => undefined

  constructor(request: IncomingMessage) {
    request.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#size += chunk.length
      this.#notify()
    })
    const end = (): void => {
      this.#isEnded = true
      this.#notify()
    }
    request.on('end', end).on('close', end).on('error', end)
  }

  async upTo(limit: number): Promise<Buffer> {
    while (!this.#isEnded && this.#size < limit) await new Promise<void>((resolve) => (this.#notify = resolve))
    return Buffer.concat(this.#chunks).subarray(0, limit)
  }
}

const bodies = new WeakMap<IncomingMessage, Body>()
