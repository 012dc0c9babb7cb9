import { GantryError } from '../../errors.js'
import { redactUrl } from '../../util/redact.js'
import { classifyHost, mayPoint, type HostClass } from './host-class.js'

/** Longest address that a registry may send, in bytes. */
export const MAX_URL_LENGTH = 32 * 1024

/** The registry as the one who points somewhere. */
export interface PointingRegistry {
  readonly origin: URL
  /** The class of the address that it was really reached at, or of its name as long as it was not. */
  readonly hostClass: HostClass
  /** Removes the secrets that the registry was sent from what is shown of an address. */
  readonly mask?: (text: string) => string
}

/** What the registry calls the place, for errors. */
export type DestinationUse = 'redirect' | 'token service' | 'connection' | 'layer address'

/** Scheme, host and effective port; the empty string for what is not http. */
export function originOf(url: URL): string {
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.origin : ''
}

/** Whether two addresses lie on one origin. */
export function isSameOrigin(one: URL, other: URL): boolean {
  return originOf(one) !== '' && originOf(one) === originOf(other)
}

/** Host and effective port, which the URL parser leaves out when it is the scheme's own. */
export function hostPortOf(url: URL): string {
  return `${url.hostname}:${url.port === '' ? defaultPort(url.protocol) : url.port}`
}

/** The port of a scheme: 443 for `https:`, otherwise 80. */
export function defaultPort(protocol: string): number {
  return protocol === 'https:' ? 443 : 80
}

/**
 * Parses an address that a registry supplied and checks that it may be contacted on its word: http or https, no user
 * information, no step back from https to http, and no place more local than the registry itself. What a name
 * resolves to is checked again when the connection is made.
 * @param text absolute, or relative to `base`
 * @throws GantryError `untrusted-destination`
 */
export function checkDestination(text: string, base: URL, registry: PointingRegistry, use: DestinationUse): URL {
  const { mask = String } = registry
  const url = parseAddress(text, base, use, mask)
  const shown = redactUrl(mask(url.href))
  if (originOf(url) === '') throw refuse(`${use} to ${shown} is not http or https`)
  if (url.username !== '' || url.password !== '') throw refuse(`${use} to ${mask(url.host)} carries user information`)
  if (base.protocol === 'https:' && url.protocol !== 'https:') {
    throw refuse(`${use} to ${mask(url.host)} would leave https for plain http`)
  }
  if (hostPortOf(url) === hostPortOf(registry.origin)) return url
  const hostClass = classifyHost(url.hostname)
  if (!mayPoint(registry.hostClass, hostClass)) throw refusePlace(url.host, hostClass, registry, use)
  return url
}

/** The error for a place that the registry may not point at. */
export function refusePlace(
  place: string,
  hostClass: HostClass,
  registry: PointingRegistry,
  use: DestinationUse,
): GantryError {
  return refuse(
    `${use} to ${registry.mask?.(place) ?? place} refused: a ${hostClass} address, named by ${registry.origin.host}`,
  )
}

function refuse(message: string): GantryError {
  return new GantryError('untrusted-destination', message)
}

function parseAddress(text: string, base: URL, use: DestinationUse, mask: (text: string) => string): URL {
  if (text.length > MAX_URL_LENGTH) throw refuse(`${use} address is longer than ${MAX_URL_LENGTH} bytes`)
  try {
    return new URL(text, base)
  } catch {
    throw refuse(`${use} address is not valid: ${redactUrl(mask(text).slice(0, 200))}`)
  }
}
