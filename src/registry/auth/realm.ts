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
 * registry may point; credentials only to the registry's own host and port, over https to its own domain, and to
 * hosts that the user has named.
 * @param base the address of the request that was challenged
 * @throws GantryError `untrusted-destination`
 */
export function checkRealm(realm: string, base: URL, rule: RealmRule): URL {
  const { registry } = rule
  const url = checkDestination(realm, base, registry, 'token service')
  url.hash = ''
  if (!rule.hasCredential || isTrusted(url, rule)) return url
  const hint = 'trust it as an authentication host of this registry, if it is one'
  const host = registry.mask?.(url.host) ?? url.host
  const message = `token service ${host} is not trusted for ${registry.origin.host}`
  throw new GantryError('untrusted-destination', message, { hint })
}

function isTrusted(url: URL, { registry, trustedAuthHosts }: RealmRule): boolean {
  if (isSameOrigin(url, registry.origin) || hostPortOf(url) === hostPortOf(registry.origin)) return true
  if (trustedAuthHosts.some((host) => isNamed(url, host))) return true
  const domain = registrableDomainOf(url.hostname)
  return url.protocol === 'https:' && domain !== undefined && domain === registrableDomainOf(registry.origin.hostname)
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
