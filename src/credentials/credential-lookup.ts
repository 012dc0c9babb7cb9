import type { Credential, CredentialLookup, CredentialScope } from '../registry/auth/credential.js'
import { parseAuthFile, readAuthFile, readOptionalAuthFile, type AuthFile } from './auth-file.js'
import { CredentialHelper } from './credential-helper.js'
import type { CredentialSettings } from './credential-settings.js'
import { findHelperName, findHostCredential, findRepositoryCredential } from './find-auth-entry.js'
import { helperKeysOf } from './server-keys.js'

/**
 * Looks credentials up in this order, and takes the first that it finds:
 *
 * 1. the credential given by the user;
 * 2. the credential files named by the user, in their order, and nothing after them;
 * 3. the file in REGISTRY_AUTH_FILE, and nothing after it;
 * 4. DOCKER_AUTH_CONFIG;
 * 5. Docker's config.json;
 * 6. Podman's auth.json files;
 * 7. what a CI system hands to its jobs, for exactly the host that it names.
 *
 * Whoever names a file (2, 3) means that file, so another account is never used in its place. Within a file, an entry for
 * a path that the repository lies under comes first, the longest one winning; then for the host its helper in
 * `credHelpers`, else `credsStore`, and, when the helper holds nothing, its entry in `auths`. A file that does not exist,
 * or that nobody has named and may not be read, is passed over; one that is broken, and a helper that fails, are errors and never "anonymous".
 *
 * Files are read and helpers asked at most once in the life of a lookup.
 */
export function createCredentialLookup(settings: CredentialSettings): CredentialLookup {
  const sources = sourcesOf(settings)
  const answers = new Map<string, Promise<Credential | undefined>>()

  const askHelper = (name: string, key: string, origin: string): Promise<Credential | undefined> => {
    const question = `${name}\0${key}`
    const { environment, platform, signal } = settings
    const answer =
      answers.get(question) ?? new CredentialHelper(name, { environment, platform, origin, signal }).get(key)
    answers.set(question, answer)
    return answer
  }

  const findInHelper = async (file: AuthFile, host: string): Promise<Credential | undefined> => {
    const name = findHelperName(file, host)
    if (name === undefined) return undefined
    for (const key of helperKeysOf(host)) {
      const credential = await askHelper(name, key, file.origin)
      if (credential !== undefined) return credential
    }
    return undefined
  }

  const findInFile = async (file: AuthFile, scope: CredentialScope): Promise<Credential | undefined> =>
    findRepositoryCredential(file, scope) ??
    (await findInHelper(file, scope.registry)) ??
    findHostCredential(file, scope.registry)

  return async (scope) => {
    if (settings.credential !== undefined) return settings.credential
    for (const open of sources) {
      const file = await open()
      const credential = file === undefined ? undefined : await findInFile(file, scope)
      if (credential !== undefined) return credential
    }
    if (isFileNamed(settings)) return undefined
    return settings.environmentCredentials.find(({ registry }) => registry === scope.registry)?.credential
  }
}

/** The files that a lookup reads, for messages about a credential that is missing or wrong. */
export function lookupFilesOf(settings: CredentialSettings): readonly string[] {
  if (settings.registryConfigs.length > 0) return settings.registryConfigs
  if (settings.registryAuthFile !== undefined) return [settings.registryAuthFile]
  return [settings.dockerConfig, ...settings.containersAuthFiles].filter((path) => path !== undefined)
}

/** Reads one of the files of {@link lookupFilesOf}; one that the user has not named need not be readable. */
export async function readLookupFile(path: string, settings: CredentialSettings): Promise<AuthFile | undefined> {
  return isFileNamed(settings) ? readAuthFile(path) : readOptionalAuthFile(path, settings.onSkippedFile)
}

function isFileNamed(settings: CredentialSettings): boolean {
  return settings.registryConfigs.length > 0 || settings.registryAuthFile !== undefined
}

function sourcesOf(settings: CredentialSettings): readonly (() => Promise<AuthFile | undefined>)[] {
  const files = lookupFilesOf(settings).map((path) => once(() => readLookupFile(path, settings)))
  const { dockerAuthConfig } = settings
  if (dockerAuthConfig === undefined || isFileNamed(settings)) return files
  return [once(async () => parseAuthFile(new TextEncoder().encode(dockerAuthConfig), 'DOCKER_AUTH_CONFIG')), ...files]
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () => (made ??= make())
}
