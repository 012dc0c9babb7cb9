import type { Credential, CredentialScope } from '../registry/auth/credential.js'
import { decodeAuthEntry } from './auth-entry.js'
import type { AuthFile } from './auth-file.js'
import { isAddressOf, repositoryKeysOf, serverKeysOf } from './server-keys.js'

/** A credential, and the key of the entry that holds it. */
export interface FoundEntry {
  readonly credential: Credential
  readonly key: string
}

/**
 * The credential that a file holds in plain text for one repository: the longest key that the repository lies under,
 * as Podman has them (`reg:5000/a/b` before `reg:5000/a`, containers-auth.json(5)). The host's own keys come after.
 * @throws GantryError `credential-store-error` when the entry is broken
 */
export function findRepositoryCredential(file: AuthFile, scope: CredentialScope): FoundEntry | undefined {
  return firstCredential(file, repositoryKeysOf(scope))
}

/**
 * The credential that a file holds in plain text for a host: its exact name first, then the addresses that tools have
 * written instead of it, then any other address on this host.
 * @throws GantryError `credential-store-error` when the entry is broken
 */
export function findHostCredential(file: AuthFile, host: string): FoundEntry | undefined {
  const addresses = [...file.auths.keys()].filter((key) => isAddressOf(key, host))
  return firstCredential(file, [...serverKeysOf(host), ...addresses])
}

/** The helper that a file names for a host, or undefined; an empty name among `credHelpers` means none. */
export function findHelperName(file: AuthFile, host: string): string | undefined {
  const addresses = [...file.credHelpers.keys()].filter((key) => isAddressOf(key, host))
  const own = [...serverKeysOf(host), ...addresses].find((key) => file.credHelpers.has(key))
  const name = own === undefined ? file.credsStore : file.credHelpers.get(own)
  return name === '' ? undefined : name
}

/** Every key under which a file holds something for a host itself, paths below it left alone. */
export function hostKeysIn(file: AuthFile, host: string): readonly string[] {
  const known = new Set(serverKeysOf(host))
  return [...file.auths.keys()].filter((key) => known.has(key) || isAddressOf(key, host))
}

function firstCredential(file: AuthFile, keys: readonly string[]): FoundEntry | undefined {
  for (const key of keys) {
    const entry = file.auths.get(key)
    const credential = entry === undefined ? undefined : decodeAuthEntry(entry, `entry "${key}" in ${file.origin}`)
    if (credential !== undefined) return { credential, key }
  }
  return undefined
}
