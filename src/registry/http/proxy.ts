import { BlockList, isIP, isIPv6 } from 'node:net'
import { GantryError } from '../../errors.js'
import { defaultPort, hostPortOf } from './destination.js'
import { classifyHost } from './host-class.js'
import type { ProxyOptions } from './transport-options.js'

/** The port of SOCKS (RFC 1928). */
const SOCKS_PORT = 1080

/** A proxy as it is contacted. */
export interface Proxy {
  readonly hostname: string
  readonly port: number
  /** The proxy itself speaks TLS. */
  readonly secure: boolean
  /** The proxy speaks SOCKS5, so that also plain requests take a tunnel. */
  readonly isSocks: boolean
  /** `host:port` for people, with the variable that its address comes from. */
  readonly name: string
  readonly user: { readonly name: string; readonly password: string } | undefined
  /** Value of `Proxy-Authorization`, when its address carries a user. */
  readonly authorization: string | undefined
}

/**
 * The proxy for an address, or undefined to connect directly: loopback and what `noProxy` names always is.
 * @throws GantryError `invalid-argument` for a proxy address that cannot be used
 */
export function proxyOf(url: URL, options: ProxyOptions = {}): Proxy | undefined {
  const kind = url.protocol === 'https:' ? 'https' : 'http'
  const address = options[kind]
  if (address === undefined || address.trim() === '') return undefined
  if (classifyHost(url.hostname) === 'loopback' || isExcepted(url, options.noProxy ?? '')) return undefined
  return parseProxy(address.trim(), options.origin?.[kind])
}

function parseProxy(address: string, origin: string | undefined): Proxy {
  const source = origin === undefined ? '' : ` (from ${origin})`
  let url: URL
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `http://${address}`)
  } catch {
    throw new GantryError('invalid-argument', `proxy address is not valid${source}`)
  }
  const isSocks = url.protocol === 'socks5:' || url.protocol === 'socks5h:'
  if (url.protocol !== 'http:' && url.protocol !== 'https:' && !isSocks) {
    throw new GantryError('invalid-argument', `proxy of type ${url.protocol.slice(0, -1)} is not supported${source}`, {
      hint: 'use a proxy that speaks http, https, socks5 or socks5h',
    })
  }
  const user = url.username === '' && url.password === '' ? undefined : userOf(url)
  const port = url.port === '' ? (isSocks ? SOCKS_PORT : defaultPort(url.protocol)) : Number(url.port)
  const authorization = user === undefined || isSocks ? undefined : basicOf(user)
  return {
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    secure: url.protocol === 'https:',
    isSocks,
    name: `${url.hostname}:${port}${source}`,
    user,
    authorization,
  }
}

function basicOf({ name, password }: { readonly name: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
}

function userOf(url: URL): { readonly name: string; readonly password: string } {
  try {
    return { name: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }
  } catch {
    throw new GantryError('invalid-argument', 'user in the proxy address is not percent-encoded correctly')
  }
}

function isExcepted(url: URL, noProxy: string): boolean {
  const host = url.hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
  const port = Number(hostPortOf(url).slice(url.hostname.length + 1))
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '')
    .some((entry) => matches(entry, host, port))
}

function matches(entry: string, host: string, port: number): boolean {
  if (entry === '*') return true
  if (entry.includes('/')) return isInBlock(entry, host)
  const { name, port: wantedPort } = splitPort(entry)
  if (wantedPort !== undefined && wantedPort !== port) return false
  if (isIP(host) !== 0 || isIP(name) !== 0) return host === canonicalAddress(name)
  const suffix = name.replace(/^\*?\./, '')
  // A leading dot means the names below it only, as in Go.
  return host.endsWith(`.${suffix}`) || (suffix === name && host === suffix)
}

/** The spelling that a URL parser gives an address, so that `::1` and `0:0:0:0:0:0:0:1` are the same. */
function canonicalAddress(name: string): string {
  if (!isIPv6(name)) return name
  return new URL(`http://[${name}]/`).hostname.slice(1, -1)
}

function splitPort(entry: string): { readonly name: string; readonly port: number | undefined } {
  const bracketed = entry.startsWith('[') ? entry.indexOf(']') : -1
  const colon = bracketed === -1 ? entry.lastIndexOf(':') : entry.indexOf(':', bracketed)
  const isPlainIPv6 = bracketed === -1 && isIPv6(entry)
  if (colon === -1 || isPlainIPv6) return { name: entry.replace(/^\[|\]$/g, ''), port: undefined }
  return { name: entry.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(entry.slice(colon + 1)) }
}

function isInBlock(entry: string, host: string): boolean {
  const [network = '', prefix = ''] = entry.split('/')
  const family = isIP(network)
  const bits = Number(prefix)
  const isBlock =
    family !== 0 && prefix !== '' && Number.isInteger(bits) && bits >= 0 && bits <= (family === 6 ? 128 : 32)
  if (!isBlock || isIP(host) === 0) return false
  const list = new BlockList()
  list.addSubnet(network, bits, family === 6 ? 'ipv6' : 'ipv4')
  return list.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
}
