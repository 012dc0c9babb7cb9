import {
  connect as connectTcp,
  isIP,
  type LookupFunction,
  type OnReadOpts,
  type Socket,
  type TcpNetConnectOpts,
} from 'node:net'
import { checkServerIdentity, connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { buildConnector } from 'undici'
import { GantryError } from '../../errors.js'
import type { BodyMemory } from './body-memory.js'
import { defaultPort } from './destination.js'
import { Inbox } from './inbox.js'
import { networkError } from './network-error.js'
import type { Proxy } from './proxy.js'
import type { TlsSettings } from './tls-settings.js'
import { openTunnel, proxyError } from './tunnel.js'
import type { Timeouts } from './timeouts.js'

/** Newer versions of Node have this default; smaller pieces cost a fifth of the speed. */
const READ_SIZE = { highWaterMark: 64 * 1024 }
/** Milliseconds without data after which a connection is probed. */
const KEEP_ALIVE_DELAY = 60_000

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

/** Where a TCP connection goes. */
interface Address {
  readonly hostname: string
  readonly port: number
  /** Absent where any address will do. */
  readonly lookup?: LookupFunction
}

/** The other end of a TLS connection. */
interface TlsPeer {
  readonly hostname: string
  /** With the port, for messages. */
  readonly host: string
  readonly settings: TlsSettings
  /** Whether its sessions are remembered. */
  readonly keepSession: boolean
}

/** Opens connections, and can drop those that are being opened. */
export class Connector {
  readonly #settings: ConnectorSettings
  readonly #opening = new Set<Socket>()
  /** A connection that nobody has asked for yet. */
  #ahead: Promise<Socket> | undefined
  #closed: Error | undefined
  /** Of the connection that was opened last. */
  #inbox: Inbox | undefined

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

  /** Lends memory to the open connection for what it receives from now on, or takes it back. */
  receiveInto(memory: BodyMemory | undefined): void {
    this.#inbox?.receiveInto(memory)
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
      const peer = secure ? { hostname, host, settings: this.#settings.tls(), keepSession: true } : undefined
      const { proxy } = this.#settings
      if (proxy === undefined) return await this.#openDirectly({ hostname, port }, peer)
      const socket = await this.#throughProxy(proxy, { hostname, port, isSecure: peer !== undefined })
      return peer === undefined ? socket : await this.#startTls(socket, peer)
    } catch (error) {
      throw networkError(error, { host, secure })
    }
  }

  async #openDirectly(server: Address, peer: TlsPeer | undefined): Promise<Socket> {
    const { override, lookup, onConnected } = this.#settings
    const { address: hostname = server.hostname, port = server.port } = override ?? {}
    const address = { hostname, port, lookup }
    const socket = peer === undefined ? await this.#openTcp(address) : await this.#openTcpForTls(address, peer)
    onConnected(socket.remoteAddress ?? '')
    return peer === undefined ? socket : this.#secured(socket, peer)
  }

  /** A connection to the proxy for plain requests, and otherwise one to the server. */
  async #throughProxy(
    proxy: Proxy,
    { isSecure, ...target }: { readonly hostname: string; readonly port: number; readonly isSecure: boolean },
  ): Promise<Socket> {
    try {
      const socket = await this.#openProxy(proxy)
      return isSecure || proxy.isSocks ? await this.#tunnel(socket, proxy, target) : socket
    } catch (error) {
      throw proxyError(error, proxy)
    }
  }

  async #openProxy({ hostname, port, secure, name }: Proxy): Promise<Socket> {
    const settings = secure ? this.#settings.proxyTls() : undefined
    const socket = await this.#openTcp({ hostname, port })
    return settings === undefined
      ? socket
      : this.#startTls(socket, { hostname, host: name, settings, keepSession: false })
  }

  async #tunnel(socket: Socket, proxy: Proxy, target: { hostname: string; port: number }): Promise<Socket> {
    const limit = this.#settings.timeouts.connect
    return this.#untilOpen(socket, { limit, what: `proxy ${proxy.name} opened no tunnel` }, (settle, fail) => {
      if (proxy.isSocks) this.#openSocks(socket, proxy, target).then(settle, fail)
      else openTunnel(socket, proxy, target).then(settle, fail)
    })
  }

  async #openSocks(socket: Socket, proxy: Proxy, target: { hostname: string; port: number }): Promise<Socket> {
    const { openSocks } = await import('./socks-client.js')
    return openSocks(socket, proxy, { host: target.hostname, port: target.port })
  }

  async #openTcp(address: Address): Promise<Socket> {
    const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_DELAY, ...dial(address) }
    const socket = this.#withInbox((onread) => connectTcp({ ...options, onread }))
    return this.#connected(socket, address)
  }

  /** TLS that opens its connection itself can receive into memory of ours. */
  async #openTcpForTls(address: Address, peer: TlsPeer): Promise<Socket> {
    const options = { ...dial(address), ...this.#tlsOptions(peer) }
    const socket = this.#withInbox((onread) => {
      // Node's types do not know that TLS takes it too.
      const receiving: ConnectionOptions & { readonly onread: OnReadOpts } = { ...options, onread }
      return connectTls(receiving)
    })
    this.#keepSessions(socket, peer)
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_DELAY)
    return this.#connected(socket, address)
  }

  /** TLS over a connection that is open. */
  async #startTls(socket: Socket, peer: TlsPeer): Promise<Socket> {
    this.#inbox = undefined
    const secured = connectTls({ socket, ...this.#tlsOptions(peer) })
    this.#keepSessions(secured, peer)
    return this.#secured(secured, peer)
  }

  #tlsOptions({ hostname, settings, keepSession }: TlsPeer): ConnectionOptions {
    const { last } = this.#settings.sessions
    return {
      servername: isIP(hostname) === 0 ? hostname : '',
      // Whatever address stands for the name, the certificate has to be for the name.
      checkServerIdentity: (_, certificate) => checkServerIdentity(hostname, certificate),
      secureContext: settings.secureContext,
      rejectUnauthorized: settings.verify,
      ALPNProtocols: ['http/1.1'],
      session: keepSession ? last : undefined,
    }
  }

  #keepSessions(socket: Socket, { keepSession }: TlsPeer): void {
    const { sessions } = this.#settings
    if (keepSession) socket.on('session', (session: Buffer) => (sessions.last = session))
  }

  #withInbox<S extends Socket>(open: (onread: OnReadOpts) => S): S {
    const inbox = new Inbox()
    const socket = open(inbox.onread)
    inbox.attach(socket)
    this.#inbox = inbox
    return socket
  }

  async #connected<S extends Socket>(socket: S, { hostname, port }: Address): Promise<S> {
    const wait = { limit: this.#settings.timeouts.connect, what: `no connection to ${hostname}:${port}` }
    return this.#untilOpen(socket, wait, (settle) => socket.once('connect', () => settle(socket)))
  }

  async #secured(socket: Socket, { host }: TlsPeer): Promise<Socket> {
    const wait = { limit: this.#settings.timeouts.tls, what: `no TLS handshake with ${host}` }
    return this.#untilOpen(socket, wait, (settle) => socket.once('secureConnect', () => settle(socket)))
  }

  /** Waits for a stage of the connection, and destroys what was reached so far when it fails or takes too long. */
  async #untilOpen<S extends Socket>(
    socket: S,
    { limit, what }: { readonly limit: number; readonly what: string },
    start: (settle: (socket: S) => void, fail: (error: Error) => void) => void,
  ): Promise<S> {
    this.#opening.add(socket)
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<S>((resolve, reject) => {
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

function dial({ hostname, port, lookup }: Address): TcpNetConnectOpts {
  return { host: hostname, port, lookup, autoSelectFamily: true, ...READ_SIZE }
}

function closedEarly(): Error {
  return Object.assign(new Error('connection closed'), { code: 'ECONNRESET' })
}
