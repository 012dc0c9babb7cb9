import { connect } from 'node:tls'
import type { RemoteOptions } from './remote.js'

/** Loopback answers at once; whatever takes longer is not a TLS server that waits for us. */
const PROBE_TIMEOUT = 2000

/**
 * Decides between HTTPS and plain HTTP: the flag decides; `localhost` is plain, as `oras` has it; other loopback
 * addresses are asked, without sending anything secret; everything else is HTTPS and never falls back.
 */
export async function usesPlainHttp(
  registry: string,
  remote: Pick<RemoteOptions, 'plainHttp' | 'tls'>,
  hasCertificates: boolean,
): Promise<boolean> {
  if (remote.plainHttp !== undefined) return remote.plainHttp
  const { hostname, port } = new URL(`https://${registry}`)
  if (hostname === 'localhost') return true
  const isLoopback = hostname === '[::1]' || hostname.startsWith('127.')
  const wantsTls = hasCertificates || remote.tls.insecure === true || remote.tls.ca !== undefined
  if (!isLoopback || wantsTls) return false
  return !(await speaksTls(hostname.replace(/^\[|\]$/g, ''), port === '' ? 443 : Number(port)))
}

/** Whether a server answers a TLS greeting, with whatever certificate; true as well where nobody listens. */
function speaksTls(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    // Nothing is sent over this connection, so its certificate need not be trusted.
    const socket = connect({ host, port, rejectUnauthorized: false, timeout: PROBE_TIMEOUT })
    const finish = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('secureConnect', () => finish(true))
    socket.once('timeout', () => finish(false))
    socket.once('error', (error: NodeJS.ErrnoException) => finish(error.code === 'ECONNREFUSED'))
  })
}
