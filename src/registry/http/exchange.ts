import type { Dispatcher } from 'undici'
import { GantryError } from '../../errors.js'
import { abortError, onAbort } from '../../util/abort.js'
import { parseContentRange } from '../content-range.js'
import { Answer, type HeaderValues } from './answer.js'
import { AnswerBody } from './answer-body.js'
import { BodyMemory } from './body-memory.js'
import type { Connection } from './connection-pool.js'
import { networkError, type Peer } from './network-error.js'
import { BodyWatch } from './body-watch.js'
import { inOnePiece, OutgoingBody } from './request-body.js'
import type { Timeouts } from './timeouts.js'
import type { Method, RequestBody } from './transport.js'

/** Bytes from which on a body gets memory that is used again. */
const WORTH_MEMORY = 1024 * 1024

/** One request to one host, as it goes on the wire. */
export interface ExchangeRequest {
  readonly method: Method
  readonly url: URL
  /** Path and query, or the whole address when the request goes to a plain proxy. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: RequestBody
  readonly slowAnswer?: boolean
  readonly transient?: boolean
  readonly signal?: AbortSignal
}

/**
 * Sends one request over a connection and waits for the headers of the answer.
 * @throws GantryError `network-error`, `timeout`, `tls-error`, `limit-exceeded`, `aborted`, and whatever the content to
 * send fails with
 */
export async function exchange(connection: Connection, request: ExchangeRequest, timeouts: Timeouts): Promise<Answer> {
  if (request.signal?.aborted === true) {
    connection.release()
    throw abortError(request.signal)
  }
  return new Promise((resolve, reject) => {
    new Exchange(connection, request, timeouts, { resolve, reject }).start()
  })
}

interface Outcome {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #connection: Connection
  readonly #request: ExchangeRequest
  readonly #timeouts: Timeouts
  readonly #outcome: Outcome
  readonly #peer: Peer
  #stopListening: () => void = () => undefined
  /** What is sent piece by piece. */
  #outgoing: OutgoingBody | undefined
  #body: AnswerBody | undefined
  /** Where the body of the answer lies in the whole. */
  #received: Place = { start: 0, size: undefined }
  #released = false
  #finished = false
  #watch: BodyWatch | undefined
  #headersTimer: NodeJS.Timeout | undefined
  /** Why this side gave up, when it did. */
  #reason: GantryError | undefined

  constructor(connection: Connection, request: ExchangeRequest, timeouts: Timeouts, outcome: Outcome) {
    this.#connection = connection
    this.#request = request
    this.#timeouts = timeouts
    this.#outcome = outcome
    this.#peer = { host: request.url.host, secure: request.url.protocol === 'https:' }
  }

  start(): void {
    const { method, target, headers, body, signal } = this.#request
    this.#stopListening = onAbort(signal, () => this.#abort())
    const piece = body === undefined ? undefined : inOnePiece(body)
    if (body !== undefined && piece === undefined) {
      this.#outgoing = new OutgoingBody(body, {
        idleTimeout: this.#timeouts.body,
        onStall: (sent) => this.#giveUp(this.#timeoutError(`took no data for ${seconds(this.#timeouts.body)}`, sent)),
        onSent: () => this.#waitForHeaders(),
      })
    }
    const options: Dispatcher.DispatchOptions = {
      path: target,
      method,
      headers,
      // Undici takes any iterable, and its types know only some of them.
      body: (this.#outgoing ?? piece ?? null) as unknown as Exclude<Dispatcher.DispatchOptions['body'], undefined>,
      // Undici closes the connection after a HEAD otherwise.
      reset: false,
      // Its own timers are coarse, and do not tell the two directions apart.
      headersTimeout: 0,
      bodyTimeout: 0,
    }
    try {
      this.#connection.dispatch(options, this)
    } catch (error) {
      this.onResponseError(undefined, error)
    }
  }

  onRequestStart(): void {
    if (this.#outgoing !== undefined) return
    const { body } = this.#request
    if (body?.size !== undefined) body.onProgress?.(body.size)
    this.#waitForHeaders()
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: HeaderValues): void {
    if (status < 200) return
    const body = new AnswerBody(controller, { onUnwanted: () => this.#drop(), onClosed: () => this.#finish() })
    this.#received = placeOf(status, headers)
    this.#body = body
    clearTimeout(this.#headersTimer)
    this.#watch = new BodyWatch(body, this.#timeouts, (what, received) =>
      this.#giveUp(this.#timeoutError(what, received)),
    )
    if (this.#request.transient === true) this.#lendMemory(body, Number(headers['content-length'] ?? 0))
    const { method, url } = this.#request
    this.#outcome.resolve(new Answer(status, method, url.href, { headers, body }))
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#watch?.refresh()
    this.#body?.receive(chunk)
  }

  onResponseEnd(): void {
    this.#watch?.stop()
    this.#outgoing?.close()
    this.#connection.receiveInto(undefined)
    this.#body?.finish()
    // From here on the connection is somebody else's, also while this body is still being read.
    this.#released = true
    this.#connection.release()
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, cause: unknown): void {
    const thrown = this.#outgoing?.failure?.error ?? this.#reason ?? networkError(cause, this.#peer)
    const error = thrown instanceof Error ? thrown : networkError(thrown, this.#peer)
    this.#finish()
    this.#leave((connection) => connection.fail(error))
    // Once there is an answer, its body is the only place left where a reader can learn of this.
    if (this.#body !== undefined) this.#body.destroy(error)
    else this.#outcome.reject(thrown)
  }

  /** Only where the length of a body is known does what arrives show which memory can be used again. */
  #lendMemory(body: AnswerBody, size: number): void {
    if (!(size >= WORTH_MEMORY)) return
    const memory = new BodyMemory(size)
    body.receiveInto(memory)
    this.#connection.receiveInto(memory)
  }

  /** The time for the answer runs from the moment when nothing is left to send. */
  #waitForHeaders(): void {
    const { slowHeaders, headers } = this.#timeouts
    const limit = this.#request.slowAnswer === true ? slowHeaders : headers
    // Undici may read on after a failure, and a timer that nobody stops keeps the process alive.
    if (limit === 0 || this.#body !== undefined || this.#finished) return
    const onTimeout = (): void => {
      this.#giveUp(this.#timeoutError(`gave no answer within ${seconds(limit)}`, this.#outgoing?.sent))
    }
    this.#headersTimer = setTimeout(onTimeout, limit)
  }

  #timeoutError(what: string, bytes?: number): GantryError {
    const { body } = this.#request
    const sent = body?.part ?? { start: 0, size: body?.size }
    // People think of the whole, however many requests it takes.
    const { start, size } = this.#body === undefined ? sent : this.#received
    const total = size === undefined ? '' : ` of ${size}`
    const progress = bytes === undefined ? '' : ` after ${start + bytes}${total} bytes`
    return new GantryError('timeout', `${this.#peer.host} ${what}${progress}`)
  }

  #abort(): void {
    if (this.#request.signal !== undefined) this.#giveUp(abortError(this.#request.signal))
  }

  #giveUp(reason: GantryError): void {
    this.#reason ??= reason
    this.#finish()
    this.#drop()
    if (this.#body === undefined) this.#outcome.reject(reason)
    else this.#body.destroy(reason)
  }

  #drop(): void {
    this.#leave((connection) => connection.drop(this.#reason ?? new GantryError('aborted', 'body was not wanted')))
  }

  #leave(how: (connection: Connection) => void): void {
    if (this.#released) return
    this.#released = true
    how(this.#connection)
  }

  #finish(): void {
    this.#finished = true
    clearTimeout(this.#headersTimer)
    this.#watch?.stop()
    this.#outgoing?.close()
    this.#stopListening()
  }
}

/** Where some bytes begin in the whole that they belong to, and how large that is, in bytes. */
interface Place {
  readonly start: number
  readonly size: number | undefined
}

function placeOf(status: number, headers: HeaderValues): Place {
  const [length, range] = [headers['content-length'], headers['content-range']]
  const part = status === 206 && typeof range === 'string' ? parseContentRange(range) : undefined
  if (part !== undefined) return { start: part.start, size: part.total }
  return { start: 0, size: typeof length === 'string' ? Number(length) : undefined }
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1000} s`
}
