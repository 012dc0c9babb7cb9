import { GantryError } from '../../errors.js'

const DOCKER_HUB_NAMES = new Set(['docker.io', 'index.docker.io'])
const DOCKER_HUB_HOST = 'registry-1.docker.io'

/**
 * The address that a registry is contacted at.
 * @param registry `host[:port]` as in references
 * @throws GantryError `invalid-argument` for anything else
 */
export function registryOrigin(registry: string, plainHttp: boolean): URL {
  const host = DOCKER_HUB_NAMES.has(registry.toLowerCase()) ? DOCKER_HUB_HOST : registry
  let url: URL
  try {
    url = new URL(`${plainHttp ? 'http' : 'https'}://${host}/`)
  } catch {
    throw new GantryError('invalid-argument', `registry name "${registry}" is not valid`)
  }
  const isBare =
    url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  const hostname = host.replace(/:\d+$/, '').toLowerCase()
  if (!isBare || url.hostname !== hostname) {
    throw new GantryError('invalid-argument', `registry name "${registry}" is not valid`)
  }
  return url
}
