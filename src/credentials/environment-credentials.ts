import type { Credential } from '../registry/auth/credential.js'
import type { Environment } from './helper-program.js'

/** A credential that is good for exactly one host. */
export interface EnvironmentCredential {
  /** Host with its port, compared exactly. */
  readonly registry: string
  readonly credential: Credential
  /** The variable that holds its secret. */
  readonly variable: string
}

/** The variables that could offer a credential for a host, for messages about one that is missing. */
export function environmentVariablesFor(registry: string, env: Environment): readonly string[] {
  if (registry === 'ghcr.io') return ['GITHUB_TOKEN']
  return registry === env.CI_REGISTRY ? ['CI_REGISTRY_PASSWORD', 'CI_JOB_TOKEN'] : []
}

/**
 * What CI systems hand to their jobs: GITHUB_TOKEN (with GITHUB_ACTOR) for ghcr.io, and for the host in CI_REGISTRY the
 * pair CI_REGISTRY_USER and CI_REGISTRY_PASSWORD, else CI_JOB_TOKEN (GitLab, "Authenticate with the container registry").
 */
export function environmentCredentialsOf(env: Environment): readonly EnvironmentCredential[] {
  return [...gitHubCredentials(env), ...gitLabCredentials(env)]
}

function gitHubCredentials(env: Environment): readonly EnvironmentCredential[] {
  const token = env.GITHUB_TOKEN ?? ''
  if (token === '') return []
  // The registry looks at the token alone; it only asks for some name beside it.
  const username = env.GITHUB_ACTOR === undefined || env.GITHUB_ACTOR === '' ? 'token' : env.GITHUB_ACTOR
  return [{ registry: 'ghcr.io', credential: { type: 'basic', username, password: token }, variable: 'GITHUB_TOKEN' }]
}

function gitLabCredentials(env: Environment): readonly EnvironmentCredential[] {
  const registry = env.CI_REGISTRY ?? ''
  if (!/^[A-Za-z0-9.:[\]-]+$/.test(registry)) return []
  const [username, password, jobToken] = ['CI_REGISTRY_USER', 'CI_REGISTRY_PASSWORD', 'CI_JOB_TOKEN'].map(
    (name) => env[name] ?? '',
  )
  if (username && password) {
    return [{ registry, credential: { type: 'basic', username, password }, variable: 'CI_REGISTRY_PASSWORD' }]
  }
  if (!jobToken) return []
  const credential = { type: 'basic', username: 'gitlab-ci-token', password: jobToken } as const
  return [{ registry, credential, variable: 'CI_JOB_TOKEN' }]
}
