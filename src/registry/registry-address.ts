import { GantryError } from '../errors.js'
import { redactUrl } from '../util/redact.js'
import { visibleLine } from '../util/visible-text.js'
import { MAX_URL_LENGTH } from './http/destination.js'

export interface AddressContext {
  /** The registry's scheme, host and port. */
  readonly origin: string
  /** Absolute address of the request that was answered; what relative addresses are relative to. */
  readonly base: string
  /** Names the address in errors, such as `upload location`. */
  readonly what: string
  /** Removes the secrets that the registry was sent from what is shown of the address. */
  readonly mask?: (text: string) => string
}

/**
 * Resolves an address that a registry sent (RFC 3986) and that has to lie on the registry's own origin. A registry behind a
 * proxy that ends TLS or maps ports names itself with `http:` or without its port: same host name, so the registry's
 * origin is put in its place, and nothing is ever sent elsewhere.
 * @throws GantryError `untrusted-destination`
 */
export function resolveRegistryAddress(text: string, { origin, base, what, mask = String }: AddressContext): string {
  if (text.length > MAX_URL_LENGTH) throw untrusted(`${what} is longer than ${MAX_URL_LENGTH} bytes`)
  const shown = visibleLine(redactUrl(mask(text).slice(0, 200)))
  // URL parsers read a backslash as a slash, and drop tabs and line feeds: two readers, two hosts.
  if (/[\\\s]/.test(text.trim())) throw untrusted(`${what} "${shown}" is malformed`)
  let address: URL
  try {
    address = new URL(text.trim(), base)
  } catch {
    throw untrusted(`${what} "${shown}" is malformed`)
  }
  if (address.protocol !== 'http:' && address.protocol !== 'https:') {
    throw untrusted(`${what} "${shown}" is neither http nor https`)
  }
  if (address.username !== '' || address.password !== '') throw untrusted(`${what} "${shown}" carries user information`)
  const own = new URL(origin)
  if (address.origin !== own.origin && !isOwnNameBehindProxy(address, own)) {
    const isSameHost = address.host === own.host
    const place = (url: URL): string => (isSameHost ? url.origin : url.host)
    throw untrusted(`${what} is on another host: ${visibleLine(mask(place(address)))} instead of ${place(own)}`)
  }
  return `${own.origin}${address.pathname}${address.search}`
}

function isOwnNameBehindProxy(address: URL, own: URL): boolean {
  if (address.hostname !== own.hostname) return false
  // From plain http to https would be somewhere else: the registry has been asked without TLS on purpose.
  if (own.protocol === 'http:' && address.protocol === 'https:') return false
  return address.port === '' || address.port === own.port
}

function untrusted(message: string): GantryError {
  return new GantryError('untrusted-destination', message)
}
