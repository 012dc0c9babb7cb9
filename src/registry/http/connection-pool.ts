import type { Client, Dispatcher } from 'undici'
import { GantryError } from '../../errors.js'
import type { BodyMemory } from './body-memory.js'
import { Connector, type ConnectorSettings } from './connector.js'

/** Bytes of headers that an answer may have; signed addresses and tokens need more than Node's 16 KiB. */
const MAX_HEADER_SIZE = 64 * 1024
/** Connections without work that are kept. */
const MAX_IDLE = 32
/** Requests that wait for their answers at once where they follow each other on one connection. */
const MAX_IN_ORDER = 64

/** What carries a request: a connection that does nothing else, or one that is shared by requests in order. */
export interface Connection {
  /** Sends a request; a connection that was closed meanwhile is opened again. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void
  /** Lends memory for what is received from now on, or takes it back; those that are shared take none. */
  receiveInto(memory: BodyMemory | undefined): void
  /** The answer has arrived whole: the next request may have the connection. */
  release(): void
  /** Closes the connection at once, whatever it is doing; the request under way fails with the reason. */
  drop(reason: Error): void
  /** The connection has failed by itself, and the request with it. */
  fail(reason: Error): void
}

/**
 * The connections of one origin: as many as there are requests at a time, used again in the order last in, first out.
 * Undici's own pool is not used, since it opens a new connection for each one that had to be cut.
 */
export class ConnectionPool {
  readonly #origin: string
  readonly #settings: ConnectorSettings
  readonly #idle: PooledConnection[] = []
  readonly #open = new Set<PooledConnection>()
  #clientClass: typeof Client | undefined
  #inOrder: PooledConnection | undefined
  #closed: Error | undefined

  constructor(origin: string, settings: ConnectorSettings) {
    this.#origin = origin
    this.#settings = settings
  }

  /** A connection that does nothing else. */
  async take(): Promise<Connection> {
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle.take()
    const clientClass = await this.#loadClient()
    return this.#create(clientClass, { pipelining: 1 }, (released) => this.#keep(released)).take()
  }

  /** Begins to open a connection for a request that is about to come, unless there are `most` already. */
  openAhead(most: number): void {
    if (this.#clientClass === undefined || this.#open.size >= most || this.#idle.length >= MAX_IDLE) return
    const connection = this.#create(this.#clientClass, { pipelining: 1 }, (released) => this.#keep(released))
    connection.openAhead(this.#origin)
    // Those that are open already go first.
    this.#idle.unshift(connection)
  }

  /** The connection on which requests follow each other, each without waiting for the answer to the one before. */
  async takeInOrder(): Promise<Connection> {
    const clientClass = await this.#loadClient()
    if (this.#inOrder === undefined || !this.#open.has(this.#inOrder)) {
      this.#inOrder = this.#create(clientClass, { pipelining: MAX_IN_ORDER }, () => undefined)
    }
    return new SharedConnection(this.#inOrder)
  }

  /** Closes every connection; requests under way fail with the reason. */
  close(reason: Error): void {
    this.#closed = reason
    this.#idle.length = 0
    for (const connection of [...this.#open]) connection.drop(reason)
  }

  /** Loaded only now: a command that contacts nobody does not pay for it. */
  async #loadClient(): Promise<typeof Client> {
    this.#clientClass ??= (await import('undici/lib/dispatcher/client.js')).default
    if (this.#closed !== undefined) throw this.#closed
    return this.#clientClass
  }

  #create(
    ClientClass: typeof Client,
    { pipelining }: { readonly pipelining: number },
    onReleased: (connection: PooledConnection) => void,
  ): PooledConnection {
    const connector = new Connector(this.#settings)
    const client = new ClientClass(this.#origin, {
      connect: connector.connect,
      pipelining,
      maxHeaderSize: MAX_HEADER_SIZE,
    })
    const connection = new PooledConnection(client, connector, {
      onReleased,
      onDropped: (dropped) => this.#open.delete(dropped),
    })
    this.#open.add(connection)
    return connection
  }

  #keep(connection: PooledConnection): void {
    if (!this.#open.has(connection)) return
    if (this.#idle.length < MAX_IDLE) this.#idle.push(connection)
    else connection.drop(new GantryError('aborted', 'connection not needed any more'))
  }
}

class PooledConnection implements Connection {
  readonly #client: Client
  readonly #connector: Connector
  readonly #owner: PoolOwner
  #busy = false

  constructor(client: Client, connector: Connector, owner: PoolOwner) {
    this.#client = client
    this.#connector = connector
    this.#owner = owner
  }

  take(): this {
    this.#busy = true
    return this
  }

  openAhead(origin: string): void {
    this.#connector.openAhead(origin)
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#client.dispatch(options, handler)
  }

  receiveInto(memory: BodyMemory | undefined): void {
    this.#connector.receiveInto(memory)
  }

  release(): void {
    if (!this.#busy) return
    this.#busy = false
    this.#owner.onReleased(this)
  }

  drop(reason: Error): void {
    if (this.#client.destroyed) return
    this.#busy = false
    this.#owner.onDropped(this)
    this.#connector.close(reason)
    this.#client.destroy(reason, () => undefined)
  }

  fail(reason: Error): void {
    this.drop(reason)
  }
}

/** What one of the requests in order has of their connection. */
class SharedConnection implements Connection {
  readonly #connection: PooledConnection

  constructor(connection: PooledConnection) {
    this.#connection = connection
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    // What is sent again when the connection breaks, and what goes out before the last answer has come.
    this.#connection.dispatch({ ...options, idempotent: true, blocking: false }, handler)
  }

  receiveInto(): void {
    // Nobody knows whose bytes come next.
  }

  release(): void {
    // The others go on.
  }

  /** The others fail as if the server had closed it, which makes them try again. */
  drop(reason: Error): void {
    const closed = new Error(`closed for another request: ${reason.message}`, { cause: reason })
    this.#connection.drop(Object.assign(closed, { code: 'ECONNRESET' }))
  }

  fail(): void {
    // Undici opens it again for those that were not answered yet.
  }
}

interface PoolOwner {
  readonly onReleased: (connection: PooledConnection) => void
  readonly onDropped: (connection: PooledConnection) => void
}
