import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { buildConnector } from 'undici'
import { GantryError } from '../../errors.js'
import { defaultPort } from './destination.js'
import { networkError } from './network-error.js'
import type { Proxy } from './proxy.js'
import type { TlsSettings } from './tls-settings.js'
import { openTunnel } from './tunnel.js'
import type { Timeouts } from './timeouts.js'

/** Newer versions of Node have this default; smaller pieces cost a fifth of the speed. */
const READ_SIZE = { highWaterMark: 64 * 1024 }

/** How connections of one origin are made. */
export interface ConnectorSettings {
  readonly timeouts: Timeouts
  /** Made when the first TLS connection is. */
  readonly tls: () => TlsSettings
  /** Settings towards a proxy that itself speaks TLS. */
  readonly proxyTls: () => TlsSettings
  readonly proxy: Proxy | undefined
  /** Where to connect instead of host and port. */
  readonly override: { readonly address: string; readonly port: number } | undefined
  /** Refuses addresses that may not be connected to. */
  readonly lookup: LookupFunction
  /** Told of the address of each direct connection. */
  readonly onConnected: (address: string) => void
  /** The last TLS session, which makes the next handshake shorter. */
  readonly sessions: { last?: Buffer }
}

type Place = Pick<buildConnector.Options, 'hostname' | 'protocol' | 'port'>

/** Opens connections, and can drop those that are being opened. */
export class Connector {
  readonly #settings: ConnectorSettings
  readonly #opening = new Set<Socket>()
  /** A connection that nobody has asked for yet. */
  #ahead: Promise<Socket> | undefined
  #closed: Error | undefined

  constructor(settings: ConnectorSettings) {
    this.#settings = settings
  }

  /** The form in which undici takes it. */
  readonly connect: buildConnector.connector = (options, callback) => {
    this.#take(options).then(
      (socket) => callback(null, socket),
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
    )
  }

  /** Begins to open the connection that will be asked for next; a failure shows when it is. */
  openAhead(origin: string): void {
    const { hostname, protocol, port } = new URL(origin)
    // Undici names IPv6 addresses without the brackets that they have in addresses of the web.
    this.#ahead ??= this.#open({ hostname: hostname.replace(/^\[|\]$/g, ''), protocol, port })
    // Without work it keeps no process alive.
    this.#ahead.then(
      (socket) => socket.unref(),
      () => undefined,
    )
  }

  /** Drops every connection that is not in use yet, and opens no more. */
  close(reason: Error): void {
    this.#closed = reason
    for (const socket of this.#opening) socket.destroy(reason)
    this.#ahead?.then(
      (socket) => socket.destroy(reason),
      () => undefined,
    )
  }

  async #take(options: Place): Promise<Socket> {
    const ahead = this.#ahead
    this.#ahead = undefined
    const socket = await ahead
    // The server need not have waited.
    return socket === undefined || socket.destroyed || !socket.readable ? this.#open(options) : socket.ref()
  }

  async #open({ hostname, protocol, port: givenPort }: Place): Promise<Socket> {
    const secure = protocol === 'https:'
    const port = givenPort === '' ? defaultPort(protocol) : Number(givenPort)
    const host = `${isIP(hostname) === 6 ? `[${hostname}]` : hostname}:${port}`
    try {
      const settings = secure ? this.#settings.tls() : undefined
      const socket = await this.#openTransport(hostname, port, secure)
      return settings === undefined ? socket : await this.#startTls(socket, hostname, { host, settings })
    } catch (error) {
      throw networkError(error, { host, secure })
    }
  }

  /** A connection to the server itself, or to the proxy that stands for it. */
  async #openTransport(hostname: string, port: number, secure: boolean): Promise<Socket> {
    const { proxy, override } = this.#settings
    if (proxy !== undefined) {
      const socket = await this.#openProxy(proxy)
      return secure ? this.#tunnel(socket, proxy, { hostname, port }) : socket
    }
    const socket = await this.#openTcp(override?.address ?? hostname, override?.port ?? port)
    this.#settings.onConnected(socket.remoteAddress ?? '')
    return socket
  }

  async #openProxy(proxy: Proxy): Promise<Socket> {
    const { hostname, port, secure, name } = proxy
    const settings = secure ? this.#settings.proxyTls() : undefined
    const socket = await this.#openTcp(hostname, port, false)
    return settings === undefined ? socket : this.#startTls(socket, hostname, { host: name, settings }, false)
  }

  async #tunnel(socket: Socket, proxy: Proxy, target: { hostname: string; port: number }): Promise<Socket> {
    const limit = this.#settings.timeouts.connect
    return this.#untilOpen(socket, { limit, what: `proxy ${proxy.name} opened no tunnel` }, (settle, fail) => {
      openTunnel(socket, proxy, target).then(settle, fail)
    })
  }

  async #openTcp(hostname: string, port: number, checked = true): Promise<Socket> {
    const { lookup, timeouts } = this.#settings
    const socket = connectTcp({
      host: hostname,
      port,
      ...(checked ? { lookup } : {}),
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
      autoSelectFamily: true,
      ...READ_SIZE,
    })
    const wait = { limit: timeouts.connect, what: `no connection to ${hostname}:${port}` }
    return this.#untilOpen(socket, wait, (settle) => socket.once('connect', () => settle(socket)))
  }

  async #startTls(
    socket: Socket,
    hostname: string,
    { host, settings }: { readonly host: string; readonly settings: TlsSettings },
    keepSession = true,
  ): Promise<Socket> {
    const { sessions } = this.#settings
    const secured = connectTls({
      socket,
      host: hostname,
      servername: isIP(hostname) === 0 ? hostname : '',
      secureContext: settings.secureContext,
      rejectUnauthorized: settings.verify,
      ALPNProtocols: ['http/1.1'],
      ...(keepSession && sessions.last !== undefined ? { session: sessions.last } : {}),
    })
    if (keepSession) secured.on('session', (session) => (sessions.last = session))
    const wait = { limit: this.#settings.timeouts.tls, what: `no TLS handshake with ${host}` }
    return this.#untilOpen(secured, wait, (settle) => secured.once('secureConnect', () => settle(secured)))
  }

  /** Waits for a stage of the connection, and destroys what was reached so far when it fails or takes too long. */
  async #untilOpen(
    socket: Socket,
    { limit, what }: { readonly limit: number; readonly what: string },
    start: (settle: (socket: Socket) => void, fail: (error: Error) => void) => void,
  ): Promise<Socket> {
    this.#opening.add(socket)
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<Socket>((resolve, reject) => {
        const fail = (error: unknown): void => {
          reject(error instanceof Error ? error : new Error(String(error)))
          socket.destroy()
        }
        // Stays on the socket, so that an error between two stages does not go without a listener.
        socket.on('error', fail)
        socket.once('close', () => fail(closedEarly()))
        if (limit > 0)
          timer = setTimeout(() => fail(new GantryError('timeout', `${what} within ${limit / 1000} s`)), limit)
        if (this.#closed !== undefined) fail(this.#closed)
        else start(resolve, fail)
      })
    } finally {
      clearTimeout(timer)
      this.#opening.delete(socket)
    }
  }
}

function closedEarly(): Error {
  return Object.assign(new Error('connection closed'), { code: 'ECONNRESET' })
}
