import { createServer as createHttpServer, type Server, type ServerOptions } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { GantryError } from '../errors.js'
import { createRegistryHandler, type RegistryHandler, type RegistryHandlerOptions } from './registry-handler.js'
import { openFolderStorage } from './storage/folder-storage.js'
import { createMemoryStorage } from './storage/memory-storage.js'

export interface RegistryServerOptions extends Omit<RegistryHandlerOptions, 'localOnly'> {
  /** Address to listen on; default `127.0.0.1`. Anything but loopback needs `allowRemote`. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  /** Keep the content in this folder; in memory when absent. One process at a time uses a folder. */
  readonly folder?: string
  /**
   * Let other machines connect: this registry is made for tests, demonstrations and small private use. Without it, web
   * pages that are open in a browser of this machine are kept out as well; default false.
   */
  readonly allowRemote?: boolean
  /** PEM texts; plain HTTP when absent. */
  readonly tls?: { readonly certificate: string; readonly key: string }
}

export interface RegistryServer {
  /** `http://host:port` or `https://host:port`. */
  readonly url: string
  /** `host:port`, as references begin. */
  readonly registry: string
  /** Ends all connections and lets go of the storage. */
  close(): Promise<void>
}

const SERVER_OPTIONS: ServerOptions = {
  headersTimeout: 30_000,
  // An upload may take hours; a stalled one ends by the time limit on idle connections.
  requestTimeout: 0,
  keepAliveTimeout: 60_000,
}

/** A connection on which nothing moves for this long is closed, in milliseconds. */
const IDLE_TIMEOUT = 120_000

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])

/**
 * Starts a registry in this process.
 * @throws GantryError `invalid-argument` for a host that is not loopback without `allowRemote`; `network-error` when
 *   the address cannot be listened on; those of opening the folder
 */
export async function startRegistryServer(options: RegistryServerOptions = {}): Promise<RegistryServer> {
  const { host = '127.0.0.1', port = 0, folder, allowRemote = false, tls, ...handlerOptions } = options
  if (!LOOPBACK.has(host) && !allowRemote) {
    throw new GantryError('invalid-argument', `the registry does not listen on ${host}: other machines could connect`, {
      hint: 'Allow remote connections explicitly, and set up authentication.',
    })
  }
  const storage = folder === undefined ? createMemoryStorage() : await openFolderStorage(folder)
  let server: Server
  try {
    server = createServer(createRegistryHandler(storage, { ...handlerOptions, localOnly: !allowRemote }), tls)
    await listen(server, port, host)
  } catch (error) {
    await storage.close()
    throw error
  }
  const { port: ownPort } = server.address() as AddressInfo
  const registry = `${host.includes(':') ? `[${host}]` : host}:${ownPort}`
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${registry}`,
    registry,
    close: async () => {
      await close(server)
      await storage.close()
    },
  }
}

function createServer(handler: RegistryHandler, tls: RegistryServerOptions['tls']): Server {
  const server = tls === undefined ? createHttpServer(SERVER_OPTIONS, handler) : createTlsServer(handler, tls)
  server.timeout = IDLE_TIMEOUT
  return server
}

function createTlsServer(handler: RegistryHandler, tls: NonNullable<RegistryServerOptions['tls']>): Server {
  try {
    return createHttpsServer({ ...SERVER_OPTIONS, cert: tls.certificate, key: tls.key }, handler)
  } catch (cause) {
    throw new GantryError('invalid-argument', 'the certificate or its key cannot be read', { cause })
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void => {
      reject(
        new GantryError('network-error', `the registry cannot listen on ${host}:${port}: ${cause.message}`, { cause }),
      )
    }
    server.once('error', failed)
    server.listen(port, host, () => {
      server.off('error', failed)
      resolve()
    })
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
