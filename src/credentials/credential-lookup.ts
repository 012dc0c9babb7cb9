import type { Credential, CredentialLookup, CredentialScope, FoundCredential } from '../registry/auth/credential.js'
import { parseAuthFile, readAuthFile, readOptionalAuthFile, type AuthFile } from './auth-file.js'
import { CredentialHelper } from './credential-helper.js'
import type { CredentialSettings } from './credential-settings.js'
import type { OnSkippedFile } from './optional-file.js'
import { environmentVariablesFor } from './environment-credentials.js'
import { findHelperName, findHostCredential, findRepositoryCredential, type FoundEntry } from './find-auth-entry.js'
import { helperProgramOf } from './helper-program.js'
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
  const lookup = new Lookup(settings)
  const explain = (scope: CredentialScope): Promise<FoundCredential> => lookup.find(scope)
  return Object.assign(async (scope: CredentialScope) => (await explain(scope)).credential, { explain })
}

class Lookup {
  readonly #settings: CredentialSettings
  readonly #sources: readonly Source[]
  readonly #answers = new Map<string, Promise<Credential | undefined>>()

  constructor(settings: CredentialSettings) {
    this.#settings = settings
    this.#sources = sourcesOf(settings)
  }

  async find(scope: CredentialScope): Promise<FoundCredential> {
    const { credential, environmentCredentials, environment } = this.#settings
    if (credential !== undefined) return { credential, origins: [], isGuess: false }
    const places: string[] = []
    for (const source of this.#sources) {
      const found = await this.#findInSource(source, scope, places)
      if (found !== undefined) return found
    }
    if (isFileNamed(this.#settings)) return { credential: undefined, origins: places, isGuess: false }
    const offered = environmentCredentials.find(({ registry }) => registry === scope.registry)
    if (offered !== undefined) {
      return { credential: offered.credential, origins: [`the variable ${offered.variable}`], isGuess: true }
    }
    const variables = ['REGISTRY_AUTH_FILE', 'DOCKER_AUTH_CONFIG'].filter((name) => (environment[name] ?? '') === '')
    const unset = [...variables, ...environmentVariablesFor(scope.registry, environment)]
    places.push(...unset.map((name) => `${name} (not set)`))
    return { credential: undefined, origins: places, isGuess: false }
  }

  /** @param places gets where nothing was found */
  async #findInSource(
    { name, open }: Source,
    scope: CredentialScope,
    places: string[],
  ): Promise<FoundCredential | undefined> {
    const { file, problem } = await open()
    if (file === undefined) {
      places.push(`${name} (${problem})`)
      return undefined
    }
    const ofEntry = ({ credential, key }: FoundEntry): FoundCredential => {
      return { credential, origins: [`the entry "${key}" in ${name}`], isGuess: false }
    }
    const ofRepository = findRepositoryCredential(file, scope)
    if (ofRepository !== undefined) return ofEntry(ofRepository)
    const helper = findHelperName(file, scope.registry)
    const program = helper === undefined ? undefined : helperProgramOf(helper, file.origin)
    const held = helper === undefined ? undefined : await this.#askHelper(helper, scope.registry, file.origin)
    if (held !== undefined) {
      return { credential: held, origins: [`the credential helper ${program}, which ${name} names`], isGuess: false }
    }
    const ofHost = findHostCredential(file, scope.registry)
    if (ofHost !== undefined) return ofEntry(ofHost)
    places.push(...(program === undefined ? [name] : [`the credential helper ${program}`, name]))
    return undefined
  }

  async #askHelper(name: string, host: string, origin: string): Promise<Credential | undefined> {
    const { environment, platform, signal } = this.#settings
    for (const key of helperKeysOf(host)) {
      const question = `${name}\0${key}`
      const answer =
        this.#answers.get(question) ?? new CredentialHelper(name, { environment, platform, origin, signal }).get(key)
      this.#answers.set(question, answer)
      const credential = await answer
      if (credential !== undefined) return credential
    }
    return undefined
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

/** A place that has the form of a credential file. */
interface Source {
  /** As people know it. */
  readonly name: string
  readonly open: () => Promise<OpenedSource>
}

type OpenedSource =
  { readonly file: AuthFile; readonly problem?: undefined } | { readonly file: undefined; readonly problem: string }

function sourcesOf(settings: CredentialSettings): readonly Source[] {
  const files = lookupFilesOf(settings).map((path) => ({ name: path, open: once(() => openFile(path, settings)) }))
  const { dockerAuthConfig } = settings
  if (dockerAuthConfig === undefined || isFileNamed(settings)) return files
  const name = 'DOCKER_AUTH_CONFIG'
  const open = once(async () => ({ file: await parseAuthFile(new TextEncoder().encode(dockerAuthConfig), name) }))
  return [{ name, open }, ...files]
}

async function openFile(path: string, settings: CredentialSettings): Promise<OpenedSource> {
  let problem = 'does not exist'
  const onSkippedFile: OnSkippedFile = (skipped, reason) => {
    problem = 'may not be read'
    settings.onSkippedFile?.(skipped, reason)
  }
  const file = await readLookupFile(path, { ...settings, onSkippedFile })
  return file === undefined ? { file, problem } : { file }
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () => (made ??= make())
}
