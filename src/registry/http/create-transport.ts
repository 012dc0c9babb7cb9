import { HttpClient } from './client.js'
import { registryOrigin } from './registry-origin.js'
import type { RegistryAnswer, RegistryRequest, RegistryTransport } from './transport.js'
import type { TransportOptions } from './transport-options.js'

/** A transport that can be closed. */
export interface Transport extends RegistryTransport {
  /** Closes every connection; requests under way fail with `aborted`. */
  close(): Promise<void>
}

/**
 * Makes the transport to one registry. Nothing is contacted before the first request.
 * @throws GantryError `invalid-argument` for options that make no sense
 */
export function createTransport(options: TransportOptions): Transport {
  const origin = registryOrigin(options.registry, options.plainHttp ?? false)
  const client = new HttpClient(origin, options)
  return {
    registry: options.registry,
    origin: origin.origin,
    request: async (request: RegistryRequest): Promise<RegistryAnswer> => {
      const { method, headers = {}, body, signal, slowAnswer } = request
      return client.send({
        method,
        url: new URL(request.url, origin),
        headers: {
          'accept-encoding': 'identity',
          'user-agent': options.userAgent ?? 'gantry',
          ...headers,
          ...(body === undefined ? {} : { 'content-type': body.contentType }),
          ...(body?.size === undefined ? {} : { 'content-length': String(body.size) }),
        },
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
        ...(slowAnswer === undefined ? {} : { slowAnswer }),
        trust: 'registry',
      })
    },
    close: () => client.close(),
  }
}
