import { isIP } from 'node:net'
import { connect } from 'node:tls'
import { defaultPort } from './destination.js'

/** Milliseconds after which a server without a response is no TLS server. */
const TIMEOUT = 2000

/**
 * Greets a server in TLS. Nothing else is sent over the connection, so its certificate need not be trusted.
 * @returns what the server speaks, with whatever certificate; `refused` where nobody listens
 */
export function greetInTls(origin: URL, signal?: AbortSignal): Promise<'tls' | 'plain' | 'refused'> {
  const host = origin.hostname.replace(/^\[|\]$/g, '')
  const port = origin.port === '' ? defaultPort(origin.protocol) : Number(origin.port)
  return new Promise((resolve) => {
    const servername = isIP(host) === 0 ? host : ''
    const socket = connect({ host, port, servername, rejectUnauthorized: false, timeout: TIMEOUT })
    const finish = (spoken: 'tls' | 'plain' | 'refused'): void => {
      signal?.removeEventListener('abort', onAbort)
      socket.destroy()
      resolve(spoken)
    }
    const onAbort = (): void => finish('plain')
    signal?.addEventListener('abort', onAbort)
    socket.once('secureConnect', () => finish('tls'))
    socket.once('timeout', () => finish('plain'))
    // A server without TLS shows it by whatever error this is.
    socket.once('error', ({ code }: NodeJS.ErrnoException) => finish(code === 'ECONNREFUSED' ? 'refused' : 'plain'))
  })
}
