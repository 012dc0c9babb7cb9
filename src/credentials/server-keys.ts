import type { CredentialScope } from '../registry/auth/credential.js'

/** The key under which every tool keeps the credential of Docker Hub, for historical reasons. */
export const DOCKER_HUB_KEY = 'https://index.docker.io/v1/'

const DOCKER_HUB_HOSTS: readonly string[] = ['docker.io', 'index.docker.io', 'registry-1.docker.io']

/** Whether a host is one of the names of Docker Hub. */
export function isDockerHub(host: string): boolean {
  return DOCKER_HUB_HOSTS.includes(host)
}

/** The one key under which a host's credential is written, and that a credential helper is asked for. */
export function serverKeyOf(host: string): string {
  return isDockerHub(host) ? DOCKER_HUB_KEY : host
}

/** The keys under which a helper may hold a host's credential: Podman keeps Docker Hub's under its plain name. */
export function helperKeysOf(host: string): readonly string[] {
  return isDockerHub(host) ? [DOCKER_HUB_KEY, 'docker.io'] : [host]
}

/**
 * The spellings of a host (with its port) that tools have written as key of a credential file, in the order in which
 * they are tried. Hosts and ports are compared exactly: a credential never serves a subdomain or another port.
 */
export function serverKeysOf(host: string): readonly string[] {
  const hosts = isDockerHub(host) ? DOCKER_HUB_HOSTS : [host]
  const keys = hosts.flatMap((name) => [
    name,
    `https://${name}`,
    `http://${name}`,
    ...['v1', 'v2'].flatMap((version) => [
      `https://${name}/${version}/`,
      `http://${name}/${version}/`,
      `${name}/${version}/`,
    ]),
  ])
  return isDockerHub(host) ? [DOCKER_HUB_KEY, ...keys.filter((key) => key !== DOCKER_HUB_KEY)] : keys
}

/**
 * Whether a key is an address of this host: the last resort that Docker and Podman agree on. With a scheme any path may
 * follow. Without one only the path of an API may, as Podman keeps credentials for repositories under other paths.
 */
export function isAddressOf(key: string, host: string): boolean {
  const [, scheme, named = '', path = ''] = /^(https?:\/\/)?([^/]+)(.*)$/i.exec(key) ?? []
  const isWholeHost = scheme !== undefined || /^\/+(?:v[12]\/*)?$/.test(path)
  return isWholeHost && (named === host || (isDockerHub(named) && isDockerHub(host)))
}

/**
 * The keys that are more specific than the host, longest first: `reg:5000/a/b` and `reg:5000/a` for the repository
 * `a/b` (containers-auth.json(5)), each also with a slash at its end.
 */
export function repositoryKeysOf({ registry, repository }: CredentialScope): readonly string[] {
  if (repository === undefined || repository === '') return []
  const host = isDockerHub(registry) ? 'docker.io' : registry
  const parts = repository.split('/')
  return parts.flatMap((_, index) => {
    const key = `${host}/${parts.slice(0, parts.length - index).join('/')}`
    return [key, `${key}/`]
  })
}
