import type { IncomingMessage } from 'node:http'
import { isIPv4 } from 'node:net'
import { TLSSocket } from 'node:tls'
import { Refusal } from './refusal.js'

/**
 * Refuses requests that a web page makes a browser send. A registry without passwords on the loopback interface trusts
 * everybody who reaches it, and a browser on the same machine reaches it for every page that is open in it.
 * @throws Refusal `DENIED` for a Host that is not this machine (DNS rebinding), and for a request of another site
 */
export function refuseWebPages({ headers, socket }: IncomingMessage): void {
  const { host, origin } = headers
  const scheme = socket instanceof TLSSocket ? 'https' : 'http'
  if (host !== undefined && !isLocalHost(host, `${scheme}:`, socket.localPort)) {
    throw new Refusal(
      'DENIED',
      'this registry is for this machine: the Host is not localhost or a loopback address with its port; another name or a forwarded port needs remote access to be allowed',
    )
  }
  if (headers['sec-fetch-site'] === 'cross-site') {
    throw new Refusal('DENIED', 'this registry takes no requests of web pages')
  }
  if (origin !== undefined && origin.toLowerCase() !== `${scheme}://${host ?? ''}`.toLowerCase()) {
    throw new Refusal('DENIED', 'this registry takes no requests of web pages: the Origin is not the Host')
  }
}

/** `localhost` or a loopback address, with the port that the registry listens on. */
function isLocalHost(host: string, scheme: string, port: number | undefined): boolean {
  const [, name = '', written] = /^(\[[0-9a-f:.]+\]|[^:[\]@/\\]*)(?::(\d{1,5}))?$/i.exec(host) ?? []
  const usual = scheme === 'https:' ? 443 : 80
  if ((written === undefined ? usual : Number(written)) !== port) return false
  return isIPv4(name) ? name.startsWith('127.') : LOCAL_NAMES.has(name.toLowerCase())
}

const LOCAL_NAMES: ReadonlySet<string> = new Set(['localhost', 'localhost.', '[::1]', '[0:0:0:0:0:0:0:1]'])
