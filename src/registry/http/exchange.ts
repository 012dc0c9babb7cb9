import type { Dispatcher } from 'undici'
import { GantryError } from '../../errors.js'
import { abortError, throwIfAborted } from '../../util/abort.js'
import { Answer, type HeaderValues } from './answer.js'
import { AnswerBody } from './answer-body.js'
import { codeOf, networkError, type Peer } from './network-error.js'
import { watchRate } from './rate-watch.js'
import { OutgoingBody } from './request-body.js'
import type { Timeouts } from './timeouts.js'
import type { Method, RequestBody } from './transport.js'

/** One request to one host, as it goes on the wire. */
export interface ExchangeRequest {
  readonly method: Method
  readonly url: URL
  /** Path and query, or the whole address when the request goes to a plain proxy. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: RequestBody
  readonly slowAnswer?: boolean
  readonly signal?: AbortSignal
}

/**
 * Sends one request over a pool of connections and waits for the headers of the answer.
 * @throws GantryError `network-error`, `timeout`, `tls-error`, `limit-exceeded`, `aborted`, and whatever the content to
 * send fails with
 */
export async function exchange(pool: Dispatcher, request: ExchangeRequest, timeouts: Timeouts): Promise<Answer> {
  throwIfAborted(request.signal)
  return new Promise((resolve, reject) => {
    const running = new Exchange(request, timeouts, { resolve, reject })
    running.start(pool)
  })
}

interface Outcome {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: ExchangeRequest
  readonly #timeouts: Timeouts
  readonly #outcome: Outcome
  readonly #peer: Peer
  readonly #onAbort = (): void => this.#abort()
  #outgoing: OutgoingBody | undefined
  #controller: Dispatcher.DispatchController | undefined
  #body: AnswerBody | undefined
  #bodySize: number | undefined
  #stopRateWatch: (() => void) | undefined
  /** Why this side gave up, when it did. */
  #reason: GantryError | undefined

  constructor(request: ExchangeRequest, timeouts: Timeouts, outcome: Outcome) {
    this.#request = request
    this.#timeouts = timeouts
    this.#outcome = outcome
    this.#peer = { host: request.url.host, secure: request.url.protocol === 'https:' }
  }

  start(pool: Dispatcher): void {
    const { method, target, headers, body, signal, slowAnswer } = this.#request
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (body !== undefined) {
      this.#outgoing = new OutgoingBody(body, {
        idleTimeout: this.#timeouts.body,
        onStall: (sent) => this.#giveUp(this.#timeoutError(`took no data for ${seconds(this.#timeouts.body)}`, sent)),
      })
    }
    const options: Dispatcher.DispatchOptions = {
      path: target,
      method,
      headers,
      // Undici takes any iterable, and its types know only some of them.
      body: (this.#outgoing ?? null) as unknown as Exclude<Dispatcher.DispatchOptions['body'], undefined>,
      // Undici closes the connection after a HEAD otherwise.
      reset: false,
      headersTimeout: slowAnswer === true ? this.#timeouts.slowHeaders : this.#timeouts.headers,
      bodyTimeout: this.#timeouts.body,
    }
    try {
      pool.dispatch(options, this)
    } catch (error) {
      this.onResponseError(undefined, error)
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#reason !== undefined) controller.abort(this.#reason)
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: HeaderValues): void {
    if (status < 200) return
    const body = new AnswerBody(controller)
    const length = headers['content-length']
    this.#bodySize = typeof length === 'string' ? Number(length) : undefined
    this.#body = body
    this.#stopRateWatch = watchRate(body, this.#timeouts, (received) => {
      this.#giveUp(this.#timeoutError(`sent less than ${this.#timeouts.minimumRate} bytes per second`, received))
    })
    body.once('close', () => this.#finish())
    const { method, url } = this.#request
    this.#outcome.resolve(new Answer(status, method, url.href, { headers, body }))
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#body?.receive(chunk)
  }

  onResponseEnd(): void {
    this.#stopRateWatch?.()
    this.#outgoing?.close()
    this.#body?.push(null)
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, cause: unknown): void {
    const error = this.#outgoing?.failure?.error ?? this.#reason ?? this.#explain(cause)
    this.#finish()
    // Once there is an answer, its body is the only place left where a reader can learn of this.
    if (this.#body !== undefined) this.#body.destroy(error instanceof Error ? error : new Error(String(error)))
    else this.#outcome.reject(error)
  }

  #explain(cause: unknown): unknown {
    const code = codeOf(cause)
    if (code === 'UND_ERR_HEADERS_TIMEOUT') {
      const limit = this.#request.slowAnswer === true ? this.#timeouts.slowHeaders : this.#timeouts.headers
      return this.#timeoutError(`gave no answer within ${seconds(limit)}`, this.#outgoing?.sent)
    }
    if (code === 'UND_ERR_BODY_TIMEOUT') {
      return this.#timeoutError(`sent no data for ${seconds(this.#timeouts.body)}`, this.#body?.received)
    }
    return networkError(cause, this.#peer)
  }

  #timeoutError(what: string, bytes?: number): GantryError {
    const total = this.#body === undefined ? this.#request.body?.size : this.#bodySize
    const progress = bytes === undefined ? '' : ` after ${bytes}${total === undefined ? '' : ` of ${total}`} bytes`
    return new GantryError('timeout', `${this.#peer.host} ${what}${progress}`)
  }

  #abort(): void {
    if (this.#request.signal !== undefined) this.#giveUp(abortError(this.#request.signal))
  }

  #giveUp(reason: GantryError): void {
    this.#reason ??= reason
    this.#controller?.abort(reason)
    // A request that still waits for its connection is not known to undici's abort.
    if (this.#body === undefined) this.#outcome.reject(reason)
    else this.#body.destroy(reason)
    this.#finish()
  }

  #finish(): void {
    this.#stopRateWatch?.()
    this.#outgoing?.close()
    this.#request.signal?.removeEventListener('abort', this.#onAbort)
  }
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1000} s`
}
