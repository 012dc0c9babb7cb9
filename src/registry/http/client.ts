import { isIPv6 } from 'node:net'
import { GantryError } from '../../errors.js'
import type { Answer } from './answer.js'
import { ConnectionPool } from './connection-pool.js'
import { hostPortOf, originOf, refusePlace, type PointingRegistry } from './destination.js'
import { exchange } from './exchange.js'
import { classifyAddress, classifyHost, isLocalName, isMorePublic, mayPoint, type HostClass } from './host-class.js'
import { createLookup } from './lookup.js'
import { proxyOf, type Proxy } from './proxy.js'
import { refused } from './tunnel.js'
import { timeoutsOf, type Timeouts } from './timeouts.js'
import { SentSecrets } from './sent-secrets.js'
import { TlsSettingsFactory, type Trust } from './tls-settings.js'
import type { Method, RequestBody } from './transport.js'
import type { HostOverride, TransportOptions } from './transport-options.js'

/** One request to one host; whoever makes it decides which headers that host may see. */
export interface HttpRequest {
  readonly method: Method
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: RequestBody
  readonly slowAnswer?: boolean
  readonly inOrder?: boolean
  readonly transient?: boolean
  readonly signal?: AbortSignal
  /** `registry` uses the TLS settings that are for the registry alone. */
  readonly trust: Trust
}

interface Route {
  readonly pool: ConnectionPool
  readonly proxy: Proxy | undefined
}

/** Keeps a pool of connections for each origin, and sends requests over them. Knows nothing of retries or tokens. */
export class HttpClient {
  readonly registry: URL
  readonly #options: TransportOptions
  readonly #timeouts: Timeouts
  readonly #secrets: SentSecrets
  readonly #shown = (text: string): string => this.#secrets.shown(text)
  readonly #tls: TlsSettingsFactory
  readonly #routes = new Map<string, Route>()
  #registryClass: HostClass | undefined
  #closed = false

  /** @param secrets takes note of what requests carry, and masks what answers say */
  constructor(registry: URL, options: TransportOptions, secrets = new SentSecrets()) {
    this.registry = registry
    this.#secrets = secrets
    this.#options = options
    this.#timeouts = timeoutsOf(options.timeouts)
    this.#tls = new TlsSettingsFactory(options.tls)
  }

  /** The registry as far as it decides where it may point: with the class of the address it was reached at. */
  get pointing(): PointingRegistry {
    return {
      origin: this.registry,
      hostClass: this.#registryClass ?? classifyHost(this.registry.hostname),
      mask: this.#shown,
    }
  }

  /** Whether the registry is reached at its own name and port: through no proxy, and at no other address. */
  get isDirect(): boolean {
    const { proxy, resolve } = this.#options
    return proxyOf(this.registry, proxy) === undefined && overrideOf(this.registry, resolve) === undefined
  }

  /**
   * Sends a request and waits for the headers of the answer.
   * @throws GantryError `network-error`, `timeout`, `tls-error`, `untrusted-destination`, `limit-exceeded`, `aborted`
   */
  async send(request: HttpRequest): Promise<Answer> {
    this.#secrets.note(request)
    const answer = await this.#exchange(request)
    return answer.withShown(this.#shown)
  }

  async #exchange(request: HttpRequest): Promise<Answer> {
    const { url, headers } = request
    const { pool, proxy } = this.#routeTo(url, request.trust)
    const connection = request.inOrder === true ? await pool.takeInOrder() : await pool.take()
    const path = `${url.pathname}${url.search}`
    if (proxy === undefined || proxy.isSocks || url.protocol === 'https:') {
      return exchange(connection, { ...request, target: path }, this.#timeouts)
    }
    const authorization: Record<string, string> = {}
    if (proxy.authorization !== undefined) authorization['proxy-authorization'] = proxy.authorization
    const target = `${url.origin}${path}`
    const outgoing = { ...request, target, headers: { ...headers, ...authorization } }
    const answer = await exchange(connection, outgoing, this.#timeouts)
    if (answer.status !== 407) return answer
    // No registry answers so: the proxy means itself.
    await answer.discard()
    throw refused(proxy, answer.status)
  }

  /** Begins to open a connection for a request that waits for its turn, unless its host has `most` already. */
  openAhead({ url, trust }: HttpRequest, most: number): void {
    this.#routes.get(routeKey(url, trust))?.pool.openAhead(most)
  }

  /** Closes every connection; requests under way fail with `aborted`. */
  close(): void {
    this.#closed = true
    for (const { pool } of this.#routes.values()) pool.close(closedError())
    this.#routes.clear()
  }

  #routeTo(url: URL, trust: Trust): Route {
    if (this.#closed) throw closedError()
    const key = routeKey(url, trust)
    const known = this.#routes.get(key)
    if (known !== undefined) return known
    const route = this.#createRoute(url, trust)
    this.#routes.set(key, route)
    return route
  }

  #createRoute(url: URL, trust: Trust): Route {
    const proxy = proxyOf(url, this.#options.proxy)
    if (proxy !== undefined) this.#checkName(url)
    this.#secrets.noteAuthorization(proxy?.authorization)
    const pool = new ConnectionPool(originOf(url), {
      timeouts: this.#timeouts,
      tls: () => this.#tls.settingsOf(trust),
      proxyTls: () => this.#tls.settingsOf('other'),
      proxy,
      override: overrideOf(url, this.#options.resolve),
      lookup: createLookup(
        (hostClass) => this.#mayConnect(url, hostClass),
        (hostname, hostClass) => refusePlace(`${hostname} (by its name)`, hostClass, this.pointing, 'connection'),
      ),
      onConnected: (address) => this.#noteAddress(url, address),
      sessions: {},
    })
    return { pool, proxy }
  }

  /** A proxy resolves names itself, so that only the name shows what must not be reached. */
  #checkName(url: URL): void {
    const { hostname } = this.registry
    if (this.#isRegistry(url) || !isLocalName(url.hostname)) return
    if (isLocalName(hostname) || classifyHost(hostname) !== 'public') return
    throw new GantryError(
      'untrusted-destination',
      `connection to ${url.host} refused: a name of the local network, named by ${this.registry.host}`,
    )
  }

  /** Any address will do for the registry at first; afterwards even its own name may not move closer to this machine. */
  #mayConnect(url: URL, hostClass: HostClass): boolean {
    if (this.#isRegistry(url) && this.#registryClass === undefined) return true
    return hostClass === this.#registryClass || mayPoint(this.pointing.hostClass, hostClass)
  }

  #noteAddress(url: URL, address: string): void {
    if (!this.#isRegistry(url) || address === '') return
    const hostClass = classifyAddress(address)
    if (this.#registryClass === undefined || isMorePublic(hostClass, this.#registryClass))
      this.#registryClass = hostClass
  }

  #isRegistry(url: URL): boolean {
    return hostPortOf(url) === hostPortOf(this.registry)
  }
}

/** The last entry for a host and port wins. */
function overrideOf(url: URL, overrides: readonly HostOverride[] = []): { address: string; port: number } | undefined {
  const place = hostPortOf(url)
  const entry = overrides.findLast(
    ({ host, port }) => `${isIPv6(host) ? `[${host}]` : host.toLowerCase()}:${port}` === place,
  )
  return entry === undefined ? undefined : { address: entry.address, port: entry.addressPort ?? entry.port }
}

function routeKey(url: URL, trust: Trust): string {
  return `${trust} ${originOf(url)}`
}

function closedError(): GantryError {
  return new GantryError('aborted', 'transport closed')
}
