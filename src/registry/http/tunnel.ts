import { request } from 'node:http'
import { isIPv6, type Socket } from 'node:net'
import { GantryError, isGantryError } from '../../errors.js'
import { networkError } from './network-error.js'
import type { Proxy } from './proxy.js'

/**
 * Asks a proxy for a tunnel to host and port (RFC 9110, section 9.3.6). The credentials of the proxy are sent here and
 * nowhere else.
 * @param socket an open connection to the proxy
 * @throws GantryError `network-error` when the proxy refuses
 */
export async function openTunnel(
  socket: Socket,
  proxy: Proxy,
  target: { readonly hostname: string; readonly port: number },
): Promise<Socket> {
  const host = `${isIPv6(target.hostname) ? `[${target.hostname}]` : target.hostname}:${target.port}`
  const headers: Record<string, string> = { host }
  if (proxy.authorization !== undefined) headers['proxy-authorization'] = proxy.authorization
  return new Promise((resolve, reject) => {
    const connect = request({
      createConnection: () => socket,
      method: 'CONNECT',
      path: host,
      headers,
    })
    connect.once('connect', (answer, opened: Socket, head) => {
      if (answer.statusCode !== 200) {
        opened.destroy()
        reject(refused(proxy, answer.statusCode ?? 0))
        return
      }
      if (head.length > 0) opened.unshift(head)
      resolve(opened)
    })
    connect.once('response', (answer) => {
      socket.destroy()
      reject(refused(proxy, answer.statusCode ?? 0))
    })
    connect.once('error', reject)
    connect.end()
  })
}

const PROXY_HINT = 'check the address of the proxy, or name the registry in NO_PROXY to reach it directly'

/** The error for a connection to a proxy that failed: it says nothing about the registry. */
export function proxyError(error: unknown, { name, secure }: Proxy): GantryError {
  if (isGantryError(error, 'network-error') && error.hint !== undefined) return error
  const failure = networkError(error, { host: `proxy ${name}`, secure })
  return new GantryError(failure.code, failure.message, { hint: PROXY_HINT, cause: failure.cause ?? failure })
}

/** The error for a proxy that did not do what it was asked for. */
export function refused(proxy: Proxy, status: number): GantryError {
  return new GantryError('network-error', `proxy ${proxy.name} refused the connection with status ${status}`, {
    hint: status === 407 ? 'the proxy wants a user and a password in its address' : PROXY_HINT,
  })
}
