import { GantryError, isGantryError } from '../../errors.js'
import type { Answer } from './answer.js'
import type { HttpClient, HttpRequest } from './client.js'
import { codeOf } from './network-error.js'
import { FinalError } from './retry.js'
import { greetInTls } from './tls-greeting.js'

/**
 * Notices a registry that wants TLS and is asked in plain HTTP. Such servers answer in odd ways, or hang up, and no
 * retry is of any use.
 */
export class PlainHttpGuard {
  readonly #client: HttpClient
  readonly #send: (hop: HttpRequest) => Promise<Answer>
  readonly #signal: AbortSignal
  /** Whether the registry has answered anything but a 400. */
  #hasAnswered = false

  /** @param signal ends the question whether the registry speaks TLS */
  constructor(client: HttpClient, send: (hop: HttpRequest) => Promise<Answer>, signal: AbortSignal) {
    this.#client = client
    this.#send = send
    this.#signal = signal
  }

  /** @throws FinalError of `tls-error` when the registry has not answered before, and speaks TLS */
  async send(hop: HttpRequest): Promise<Answer> {
    if (this.#hasAnswered || hop.trust !== 'registry' || hop.url.protocol !== 'http:') return this.#send(hop)
    let answer: Answer
    try {
      answer = await this.#send(hop)
    } catch (error) {
      const isBroken = isGantryError(error, 'network-error') && codeOf(error.cause) !== 'ECONNREFUSED'
      throw isBroken && (await this.#wantsTls()) ? this.#tlsWanted() : error
    }
    if (answer.status !== 400) this.#hasAnswered = true
    else if (await this.#wantsTls()) {
      answer.body.destroy()
      throw this.#tlsWanted()
    }
    return answer
  }

  async #wantsTls(): Promise<boolean> {
    return this.#client.isDirect && (await greetInTls(this.#client.registry, this.#signal)) === 'tls'
  }

  #tlsWanted(): FinalError {
    const message = `${this.#client.registry.host} speaks TLS, and was asked in plain HTTP`
    return new FinalError(
      new GantryError('tls-error', message, { hint: 'use HTTPS for this registry', details: { reason: 'tls-server' } }),
    )
  }
}
