import { GantryError } from '../../errors.js'
import { untilAborted } from '../../util/abort.js'
import { checkExpiredToken } from '../auth/expired-token.js'
import { Authenticator, type Authorization, type Need } from '../auth/authenticate.js'
import { refusalDetails, refusalHint } from '../auth/refused-credentials.js'
import { TokenClient } from '../auth/token.js'
import { RegistryState } from '../registry-state.js'
import type { Answer } from './answer.js'
import { HttpClient, type HttpRequest } from './client.js'
import { SYSTEM_CLOCK, type Clock } from './clock.js'
import { PacedClient } from './paced-client.js'
import { PlainHttpGuard } from './plain-http-guard.js'
import { checkDestination } from './destination.js'
import { sendFollowing } from './redirect.js'
import { registryOrigin } from './registry-origin.js'
import { checkUserHeaders, publicHeadersOf } from './request-headers.js'
import { FinalError, Retrier, retryLimitsOf } from './retry.js'
import { timeoutsOf } from './timeouts.js'
import type { ElsewhereRequest, RegistryAnswer, RegistryRequest, RegistryTransport, Repetition } from './transport.js'
import type { TransportOptions } from './transport-options.js'
import { SentSecrets } from './sent-secrets.js'
import { Warnings } from './warning.js'
import { requireObject, requireText } from '../../util/require-kind.js'

/** Times that one attempt may be answered with a new authorization. */
const MAX_AUTHORIZATIONS = 4
const DEFAULT_USER_AGENT = 'gantry'
const PING: RegistryRequest = { method: 'GET', url: '/v2/', scopes: [], retry: 'free' }

/** What a registry asked for when someone logged in. */
export interface LoginResult {
  /** `none`: the registry lets anybody in, so the credential has not been proved. */
  readonly scheme: 'none' | 'basic' | 'bearer'
}

/** Puts the parts together: what is sent to whom, with which authorization, how often. */
export class HttpTransport implements RegistryTransport {
  readonly registry: string
  readonly origin: string
  readonly repetition: Repetition
  readonly state: RegistryState
  readonly #origin: URL
  readonly #userAgent: string
  readonly #userHeaders: Readonly<Record<string, string>>
  readonly #secrets: SentSecrets
  readonly #client: HttpClient
  readonly #paced: PacedClient
  readonly #retrier: Retrier
  readonly #authenticator: Authenticator
  readonly #warnings: Warnings
  readonly shown = (text: string): string => this.#secrets.shown(text)
  readonly #guard: PlainHttpGuard
  /** Ends what no single request owns, such as a token that several wait for. */
  readonly #lifetime = new AbortController()

  constructor(options: TransportOptions, clock: Clock = SYSTEM_CLOCK) {
    requireObject('what a transport is made with', options)
    requireText('the registry', options.registry)
    const limits = retryLimitsOf(options.retry)
    this.registry = options.registry
    this.#origin = registryOrigin(options.registry, options.plainHttp ?? false)
    this.origin = this.#origin.origin
    const backoff = { base: limits.firstDelay, cap: limits.maxDelay, random: () => clock.random() }
    this.state = new RegistryState({ chunkSize: options.chunkSize })
    this.#userAgent = options.userAgent ?? DEFAULT_USER_AGENT
    this.#userHeaders = checkUserHeaders(options.headers)
    checkUserHeaders({ 'user-agent': this.#userAgent })
    this.#secrets = new SentSecrets(this.#userHeaders)
    const onEvent = options.onEvent ?? ((): void => undefined)
    this.repetition = { attempts: limits.attempts, backoff, onEvent }
    this.#client = new HttpClient(this.#origin, options, this.#secrets)
    this.#paced = new PacedClient(this.#client, {
      clock,
      limits,
      concurrency: options.concurrency,
      onEvent: options.trace === false ? undefined : options.onEvent,
      secretHeaders: new Set(Object.keys(this.#userHeaders)),
      mask: this.shown,
    })
    this.#guard = new PlainHttpGuard(this.#client, (hop) => this.#paced.send(hop), this.#lifetime.signal)
    this.#retrier = new Retrier(limits, clock, onEvent)
    this.#warnings = new Warnings(onEvent)
    this.#authenticator = this.#createAuthenticator(options, clock)
  }

  notice(message: string): void {
    this.#warnings.report(message)
  }

  async requestElsewhere({ url: text, transient = false, signal }: ElsewhereRequest): Promise<RegistryAnswer> {
    const url = checkDestination(text, this.#origin, this.#client.pointing, 'layer address')
    const publicHeaders = publicHeadersOf(PING, this.#userAgent)
    const first: HttpRequest = { method: 'GET', url, headers: publicHeaders, transient, signal, trust: 'other' }
    const run = (): Promise<Answer> =>
      sendFollowing(first, {
        send: (hop) => this.#sendNoting(hop),
        pointing: () => this.#client.pointing,
        publicHeaders,
        place: 'layer address',
      })
    return this.#retrier.run({ method: 'GET', url: () => this.shown(url.href), repeat: true, run, signal })
  }

  async request(request: RegistryRequest): Promise<RegistryAnswer> {
    const url = this.#ownUrl(request.url)
    const { method, signal } = request
    return this.#retrier.run({
      method,
      url: () => this.shown(url.href),
      repeat: request.retry === 'free',
      run: () => this.#attempt(request, url),
      signal,
    })
  }

  /**
   * Proves the credentials by asking the registry for its version, as `docker login` does.
   * @throws GantryError `unauthorized` when they are refused, `registry-error` when this is no registry
   */
  async login(): Promise<LoginResult> {
    const answer = await this.request(PING)
    await answer.discard()
    const { status } = answer
    if (status === 401 || status === 403) {
      const { refusal = { reason: 'refused-credentials', host: this.registry, origins: [] } } = answer
      throw new GantryError('unauthorized', `${this.registry} refused the credentials with status ${status}`, {
        hint: refusalHint(refusal),
        details: refusalDetails(refusal),
        response: { status, method: 'GET', url: answer.url, errors: [] },
      })
    }
    if (status !== 200) {
      throw new GantryError('registry-error', `${this.registry} answered /v2/ with status ${status}`, {
        hint: 'is this a registry?',
        response: { status, method: 'GET', url: answer.url, errors: [] },
      })
    }
    return { scheme: this.#authenticator.scheme }
  }

  async close(): Promise<void> {
    this.#lifetime.abort(new GantryError('aborted', 'transport closed'))
    this.#client.close()
  }

  /** One attempt: sends, and answers what the registry asks for until it is content or nothing is left to try. */
  async #attempt(request: RegistryRequest, url: URL): Promise<Answer> {
    const need: Need = { method: request.method, url, scopes: request.scopes }
    const ownAuthorization = this.#userHeaders.authorization !== undefined
    let sent: Authorization | undefined
    if (!ownAuthorization)
      sent = await this.#settled(this.#authenticator.prepare(need, request.body !== undefined), request)
    for (let tries = 1; ; tries++) {
      const received = await this.#send(request, url, sent)
      const mayBeExpired = sent?.token !== undefined && !sent.fresh && received.status === 400
      const { answer, expired } = mayBeExpired
        ? await checkExpiredToken(received)
        : { answer: received, expired: false }
      const isRefused = answer.status === 401 || expired
      const isRefusedGuess = answer.status === 403 && sent?.isGuess === true && isReading(request)
      if (!isRefused && !isRefusedGuess) {
        this.#authenticator.noteOpen()
        return answer.status === 403 ? this.#explained(answer, need) : answer
      }
      if (ownAuthorization || tries > MAX_AUTHORIZATIONS) return this.#explained(answer, need)
      const next = await this.#settled(
        isRefused ? this.#authenticator.respond(need, answer, sent) : this.#authenticator.withoutGuess(need),
        request,
      )
      if (next === undefined) return this.#explained(answer, need)
      await answer.discard()
      sent = next
    }
  }

  /** A refusal with what was tried to get in. */
  async #explained(answer: Answer, need: Need): Promise<Answer> {
    if (this.#userHeaders.authorization !== undefined) {
      return answer.withRefusal({
        reason: 'refused-credentials',
        host: this.registry,
        origins: ['the header Authorization'],
      })
    }
    const refusal = await this.#authenticator.refusalOf(need)
    return refusal === undefined ? answer : answer.withRefusal(refusal)
  }

  /** Errors on the way to an authorization are final: getting tokens has its own repetitions. */
  async #settled<T>(work: Promise<T>, { signal }: RegistryRequest): Promise<T> {
    try {
      return await untilAborted(work, signal)
    } catch (error) {
      throw new FinalError(error)
    }
  }

  async #send(request: RegistryRequest, url: URL, authorization: Authorization | undefined): Promise<Answer> {
    const publicHeaders = publicHeadersOf(request, this.#userAgent)
    const headers: Record<string, string> = { ...publicHeaders, ...this.#userHeaders }
    if (authorization !== undefined && authorization.type !== 'none') headers.authorization = authorization.value
    const { method, body, slowAnswer, inOrder, transient, signal } = request
    const outgoing: HttpRequest = {
      method,
      url,
      headers,
      body,
      slowAnswer,
      inOrder,
      transient,
      signal,
      trust: 'registry',
    }
    const send = (hop: HttpRequest): Promise<Answer> => this.#sendNoting(hop)
    const isReading = method === 'GET' || method === 'HEAD'
    if (isReading && request.followRedirects !== true) return send(outgoing)
    return sendFollowing(outgoing, { send, pointing: () => this.#client.pointing, publicHeaders })
  }

  async #sendNoting(hop: HttpRequest): Promise<Answer> {
    const answer = await this.#guard.send(hop)
    if (hop.trust === 'registry') this.#warnings.note(answer)
    return answer
  }

  #createAuthenticator(options: TransportOptions, clock: Clock): Authenticator {
    const publicHeaders = publicHeadersOf(PING, this.#userAgent)
    const registryHeaders = { ...publicHeaders, ...this.#userHeaders }
    const tokens = new TokenClient({
      send: (request) => this.#sendOften(request),
      pointing: () => this.#client.pointing,
      trustedAuthHosts: options.trustedAuthHosts ?? [],
      publicHeaders,
      registryHeaders,
      timeLimit: timeoutsOf(options.timeouts).token,
      date: () => clock.date(),
    })
    return new Authenticator({
      registry: options.registry,
      credentials: options.credentials,
      requestToken: (service, scopes, found) => tokens.request(service, scopes, found),
      probe: async () => {
        const url = new URL('/v2/', this.#origin)
        const answer = await this.#sendOften({ method: 'GET', url, headers: registryHeaders, trust: 'registry' })
        await answer.discard()
        return answer
      },
      now: () => clock.now(),
    })
  }

  /** For requests that several others wait for: repeated as often as needed, and bound to no single signal. */
  async #sendOften(request: HttpRequest): Promise<Answer> {
    const { signal } = this.#lifetime
    const run = (): Promise<Answer> => this.#guard.send({ ...request, signal })
    return this.#retrier.run({
      method: request.method,
      url: () => this.shown(request.url.href),
      repeat: true,
      run,
      signal,
    })
  }

  #ownUrl(text: string): URL {
    const url = URL.canParse(text, this.origin) ? new URL(text, this.origin) : undefined
    if (url?.origin === this.origin && url.username === '' && url.password === '') return url
    throw new GantryError('untrusted-destination', `request to another host than ${this.#origin.host} refused`)
  }
}

/** Whether a request only reads, so that anybody might be allowed what a credential is not. */
function isReading({ method }: RegistryRequest): boolean {
  return method === 'GET' || method === 'HEAD'
}
