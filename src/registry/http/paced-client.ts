import { messageOf } from '../../errors.js'
import { redactUrl } from '../../util/redact.js'
import type { Answer } from './answer.js'
import type { HttpClient, HttpRequest } from './client.js'
import type { Clock } from './clock.js'
import { originOf } from './destination.js'
import { HostGate } from './host-gate.js'
import { Pacer } from './pacing.js'
import type { RetryLimits } from './retry.js'
import { shownHeaders } from './trace.js'
import type { OnTransportEvent } from './transport-event.js'

export interface PacedClientSettings {
  readonly clock: Clock
  readonly limits: RetryLimits
  /** Requests in flight per host; it follows the host without. */
  readonly concurrency: number | undefined
  readonly onEvent: OnTransportEvent | undefined
  /** Names in lower case of headers whose values are never shown. */
  readonly secretHeaders: ReadonlySet<string>
  /** Removes secrets that were sent from what comes back. */
  readonly mask: (text: string) => string
}

interface HostTraffic {
  readonly gate: HostGate
  readonly pacer: Pacer
}

/** Counted over all clients of the process, so that a log of several registries has each number once. */
let lastId = 0

/** Sends requests no faster than each host wants them, and tells of each one. */
export class PacedClient {
  readonly #client: HttpClient
  readonly #settings: PacedClientSettings
  readonly #hosts = new Map<string, HostTraffic>()

  constructor(client: HttpClient, settings: PacedClientSettings) {
    this.#client = client
    this.#settings = settings
  }

  /**
   * Waits for a place, sends the request and waits for the headers of the answer; the body is not waited for, so that
   * content can flow from one request into another.
   */
  async send(request: HttpRequest): Promise<Answer> {
    const { gate, pacer } = this.#trafficOf(request.url)
    await gate.pass(request.signal)
    const lane = request.body === undefined ? 'without-body' : 'with-body'
    // Its connection can be there when its turn has come.
    if (pacer.isFull(lane)) this.#client.openAhead(request, pacer.nextLimit)
    const permit = await pacer.acquire(lane, request.signal)
    try {
      // While this one waited for its place, another may have been told to hold back.
      await gate.pass(request.signal)
      const answer = await this.#sendTraced(request)
      gate.note(answer)
      permit.release(answer.status === 429 || answer.status === 503 ? 'throttled' : 'fine')
      return answer
    } finally {
      permit.release('unknown')
    }
  }

  #trafficOf(url: URL): HostTraffic {
    const { limits, clock, concurrency } = this.#settings
    const key = originOf(url)
    const known = this.#hosts.get(key)
    if (known !== undefined) return known
    const traffic = { gate: new HostGate(limits, clock), pacer: new Pacer(concurrency) }
    this.#hosts.set(key, traffic)
    return traffic
  }

  async #sendTraced(request: HttpRequest): Promise<Answer> {
    const { onEvent, secretHeaders, mask, clock } = this.#settings
    if (onEvent === undefined) return this.#client.send(request)
    const id = ++lastId
    const place = { id, method: request.method, url: redactUrl(mask(request.url.href)) }
    const start = clock.now()
    onEvent({ type: 'request', ...place, headers: shownHeaders(request.headers, secretHeaders) })
    try {
      const answer = await this.#client.send(request)
      onEvent({
        type: 'response',
        ...place,
        status: answer.status,
        headers: shownHeaders(answer.content.headers, secretHeaders, mask),
        milliseconds: Math.round(clock.now() - start),
      })
      return answer
    } catch (error) {
      const { host } = request.url
      onEvent({ type: 'failure', ...place, reason: messageOf(error).replaceAll(host, mask(host)) })
      throw error
    }
  }
}
