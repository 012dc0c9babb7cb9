import type { IncomingMessage, ServerResponse } from 'node:http'
import { messageOf } from '../errors.js'
import { redactUrl } from '../util/redact.js'
import type { AuthenticationOptions } from './auth/authenticator.js'
import { createAuthenticator } from './auth/create-authenticator.js'
import { permissionsFor } from './auth/permissions.js'
import { createEndpoints, type EndpointOptions } from './endpoints.js'
import { answerError, hangUpOnRest } from './error-answer.js'
import { Exchange } from './exchange.js'
import { refuseWebPages } from './local-guard.js'
import { Refusal } from './refusal.js'
import { parseRoute } from './route.js'
import type { RegistryStorage } from './storage/storage.js'

export interface RegistryHandlerOptions extends EndpointOptions {
  /** Who may do what; default: everybody everything. */
  readonly authentication?: AuthenticationOptions
  /** Refuse everything that would change content; default false. */
  readonly readOnly?: boolean
  /** Refuse requests of web pages, and those that are not addressed to this machine; default false. */
  readonly localOnly?: boolean
  /** Told about every request once its connection is done with it. */
  readonly onRequest?: (entry: RequestLogEntry) => void
}

/** One request for a log, without anything secret. */
export interface RequestLogEntry {
  readonly method: string
  /** Path and query; the values of query parameters that could be secret are left out. */
  readonly url: string
  /** Status of the answer; 0 when the sender was gone before there was one. */
  readonly status: number
  /** Milliseconds from the request to the end of its answer. */
  readonly duration: number
  /** The scheme of the Authorization header in lower case, `none` without one. */
  readonly authorization: string
  /** What went wrong inside the registry or on the connection; absent for everything that was answered as it should. */
  readonly error?: string | undefined
}

/** A listener for the requests of a node:http server. */
export type RegistryHandler = (request: IncomingMessage, response: ServerResponse) => void

/**
 * Makes the distribution API over a storage. The caller closes the storage, after the server.
 * @throws GantryError `invalid-argument` for options that make no sense
 */
export function createRegistryHandler(storage: RegistryStorage, options: RegistryHandlerOptions = {}): RegistryHandler {
  const { authentication, readOnly = false, localOnly = false, onRequest } = options
  const endpoints = createEndpoints(storage, options)
  const authenticator = createAuthenticator(authentication)

  async function answer(exchange: Exchange): Promise<void> {
    if (localOnly) refuseWebPages(exchange.request)
    if (await authenticator.answerTokenRequest?.(exchange)) return
    const route = parseRoute(exchange.path)
    const methods = endpoints(route, exchange)
    const name = exchange.method === 'HEAD' ? 'GET' : exchange.method
    const endpoint = Object.hasOwn(methods, name) ? methods[name as keyof typeof methods] : undefined
    if (endpoint === undefined) {
      const Allow = Object.keys(methods).join(', ').replace('GET', 'GET, HEAD')
      throw new Refusal('UNSUPPORTED', 'the endpoint does not know this method', { headers: { Allow } })
    }
    exchange.access = await authenticator.authorize(exchange.request, permissionsFor(route, name))
    if (readOnly && name !== 'GET') throw new Refusal('UNSUPPORTED', 'this registry is read-only')
    await endpoint()
  }

  return (request, response) => {
    const start = performance.now()
    const exchange = new Exchange(request, response)
    let failure: unknown
    response.setHeader('Docker-Distribution-API-Version', 'registry/2.0')
    // It says what everything is; a browser must not take content for anything else.
    response.setHeader('X-Content-Type-Options', 'nosniff')
    // A connection that breaks is seen by whoever reads or writes at that moment.
    response.on('error', () => undefined)
    response.on('finish', () => hangUpOnRest(request))
    response.on('close', () => onRequest?.(logEntry(exchange, performance.now() - start, failure)))
    answer(exchange).catch((error: unknown) => {
      failure = error
      answerError(exchange, error)
    })
  }
}

function logEntry({ request, response, method }: Exchange, duration: number, failure: unknown): RequestLogEntry {
  const { authorization } = request.headers
  return {
    method,
    url: redactUrl(request.url ?? ''),
    status: response.headersSent ? response.statusCode : 0,
    duration,
    authorization: authorization === undefined ? 'none' : schemeOf(authorization),
    error: failure === undefined || failure instanceof Refusal ? undefined : messageOf(failure),
  }
}

/** A header without a scheme could be a secret as a whole. */
function schemeOf(authorization: string): string {
  const scheme = /^(basic|bearer) /i.exec(authorization)?.[1]
  return scheme?.toLowerCase() ?? 'other'
}
