import { isIP } from 'node:net'
import { GantryError } from '../../errors.js'
import { checkDestination, hostPortOf, isSameOrigin, type PointingRegistry } from '../http/destination.js'
import { registrableDomainOf } from './registrable-domain.js'

export interface RealmRule {
  readonly registry: PointingRegistry
  /** Whether a password or a refresh token would be sent there. */
  readonly hasCredential: boolean
  /** Hosts (`host[:port]`) that the user trusts with credentials of this registry. */
  readonly trustedAuthHosts: readonly string[]
}

/**
 * Decides whether the token service that a registry names may be contacted. Anonymous requests may go wherever a
 * registry may point; credentials only to the registry's own host name on any port, over https to its own domain, and
 * to hosts that the user has named. An address is no host name: others may listen on its other ports.
 * @param base the address of the request that was challenged
 * @throws GantryError `untrusted-destination`
 */
export async function checkRealm(realm: string, base: URL, rule: RealmRule): Promise<URL> {
  const { registry } = rule
  const url = checkDestination(realm, base, registry, 'token service')
  url.hash = ''
  if (!rule.hasCredential || (await isTrusted(url, rule))) return url
  const hint = 'trust it as an authentication host of this registry, if it is one'
  const host = registry.mask?.(url.host) ?? url.host
  const message = `token service ${host} is not trusted for ${registry.origin.host}`
  throw new GantryError('untrusted-destination', message, { hint, details: { reason: 'token-service' } })
}

async function isTrusted(url: URL, { registry, trustedAuthHosts }: RealmRule): Promise<boolean> {
  const { hostname } = registry.origin
  if (isSameOrigin(url, registry.origin) || hostPortOf(url) === hostPortOf(registry.origin)) return true
  if (trustedAuthHosts.some((host) => isNamed(url, host))) return true
  if (url.hostname === hostname && isIP(hostname.replace(/^\[|\]$/g, '')) === 0) return true
  if (url.protocol !== 'https:') return false
  const domain = await registrableDomainOf(url.hostname)
  return domain !== undefined && domain === (await registrableDomainOf(hostname))
}

/** A host without a port means the port of the scheme. */
function isNamed(url: URL, host: string): boolean {
  try {
    return hostPortOf(new URL(`${url.protocol}//${host}/`)) === hostPortOf(url)
  } catch {
    // A name that is no host names nothing.
    return false
  }
}
