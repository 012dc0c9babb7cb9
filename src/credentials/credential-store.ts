import { isDeepStrictEqual } from 'node:util'
import { GantryError, isGantryError } from '../errors.js'
import type { Credential } from '../registry/auth/credential.js'
import { visibleLine } from '../util/visible-text.js'
import { decodeAuthEntry, encodeAuthEntry } from './auth-entry.js'
import { memberNameInText, parseCheckedText, readAuthFile } from './auth-file.js'
import { CredentialHelper } from './credential-helper.js'
import { loginFileOf, type CredentialSettings } from './credential-settings.js'
import { findDefaultHelper, isWithoutCredentials } from './default-helper.js'
import { findHelperName, hostKeysIn } from './find-auth-entry.js'
import { removeJsonMember, setJsonMember } from './json-text.js'
import { helperKeysOf, isDockerHub, serverKeyOf } from './server-keys.js'
import { updateAuthFile } from './update-auth-file.js'

/** Where a credential went, for a message. */
export interface StoredCredential {
  /** The file that holds it, or that says which helper does. */
  readonly path: string
  /** The program that holds it; absent when the file does. */
  readonly helper?: string | undefined
  /** Whether anybody who can read the file can read the secret. */
  readonly isPlainText: boolean
  /** The permission bits that the file had, when others could read it until now. */
  readonly tightenedFrom?: number | undefined
}

/** What a logout found. */
export interface ErasedCredential {
  readonly path: string
  /** The program that was told to forget the credential. */
  readonly helper?: string | undefined
  /** Whether the file held an entry. A helper does not say whether it held anything. */
  readonly erased: boolean
}

/**
 * Keeps a credential for later: in the first file named by the user, else in that of REGISTRY_AUTH_FILE, else in
 * Docker's config.json. A helper that this file names for the host gets the secret, and the file an empty entry, as
 * Docker writes it. A first login to Docker's config.json chooses the helper of the system's keychain where there is one.
 * @param registry host with its port, or that and a path below it, which only Podman's family of tools understands
 * @throws GantryError `invalid-argument`, `credential-store-error`, `file-error`, `locked`, `aborted`, or
 *   `unsupported` when a helper would have to hold a credential for a path
 */
export async function storeCredential(
  settings: CredentialSettings,
  registry: string,
  credential: Credential,
): Promise<StoredCredential> {
  const place = parsePlace(registry)
  const entry = encodeAuthEntry(credential)
  const path = loginFileOf(settings)
  const helper = await findHelperFor(settings, place, 'store')
  const authsIn = (text: string) => memberNameInText(text, 'auths', path)
  if (helper === undefined) {
    const change = (text: string) =>
      holds(text, path, place.key, credential) ? text : setJsonMember(text, [authsIn(text), place.key], entry)
    const { path: written, tightenedFrom } = await updateAuthFile(path, change, settings)
    return { path: written, isPlainText: true, tightenedFrom }
  }
  await storeInHelper(helper, place.key, credential)
  const mark = (text: string) => {
    const isMarked = holds(text, path, place.key, undefined)
    const marked = isMarked ? text : setJsonMember(text, [authsIn(text), place.key], {})
    return helper.isChosen ? setJsonMember(marked, ['credsStore'], helper.name) : marked
  }
  const stored = { path, helper: helper.client.program, isPlainText: false }
  try {
    const { path: written, tightenedFrom } = await updateAuthFile(path, mark, settings)
    return { ...stored, path: written, tightenedFrom }
  } catch (error) {
    // The empty entry is for other tools; a file that names the helper already leads to the credential without it.
    if (helper.isChosen || !isGantryError(error, 'file-error')) throw error
    return stored
  }
}

/**
 * Forgets the credential that {@link storeCredential} would replace: in the helper, and every entry of the file for this
 * host, however it is spelled. Fine when there is none.
 * @throws GantryError as {@link storeCredential}
 */
export async function eraseCredential(settings: CredentialSettings, registry: string): Promise<ErasedCredential> {
  const place = parsePlace(registry)
  const path = loginFileOf(settings)
  const helper = place.path === undefined ? await findHelperFor(settings, place, 'erase') : undefined
  if (helper !== undefined) {
    for (const key of helperKeysOf(place.host)) await helper.client.erase(key)
  }
  const update = await updateAuthFile(
    path,
    (text) => {
      const auths = memberNameInText(text, 'auths', path)
      return keysToErase(text, path, place).reduce((rest, key) => removeJsonMember(rest, [auths, key]), text)
    },
    settings,
  )
  return { path: update.path, erased: update.changed, helper: helper?.client.program }
}

interface Place {
  readonly host: string
  /** Below the host; absent for the host itself. */
  readonly path?: string
  /** The key of the entry. */
  readonly key: string
}

interface FoundHelper {
  readonly name: string
  readonly client: CredentialHelper
  /** Not named by the file, but chosen now. */
  readonly isChosen: boolean
}

function parsePlace(registry: string): Place {
  const slash = registry.indexOf('/')
  const host = slash === -1 ? registry : registry.slice(0, slash)
  const path = slash === -1 ? undefined : registry.slice(slash + 1)
  if (!/^[A-Za-z0-9.:[\]_-]+$/.test(host) || (path !== undefined && !/^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/.test(path))) {
    throw new GantryError('invalid-argument', `"${visibleLine(registry)}" is not the name of a registry`)
  }
  if (path === undefined) return { host, key: serverKeyOf(host) }
  return { host, path, key: `${isDockerHub(host) ? 'docker.io' : host}/${path}` }
}

async function findHelperFor(
  settings: CredentialSettings,
  { host, path, key }: Place,
  purpose: 'store' | 'erase',
): Promise<FoundHelper | undefined> {
  const origin = loginFileOf(settings)
  const file = await readAuthFile(origin)
  const named = file === undefined ? undefined : findHelperName(file, host)
  const mayChoose = purpose === 'store' && origin === settings.dockerConfig && isWithoutCredentials(file)
  const { environment, platform, signal } = settings
  const chosen = named === undefined && mayChoose ? await findDefaultHelper(environment, platform) : undefined
  const name = named ?? chosen
  if (name === undefined) return undefined
  const client = new CredentialHelper(name, { environment, platform, origin, signal })
  if (path !== undefined) {
    throw new GantryError('unsupported', `${client.program} cannot hold a credential for ${key}`, {
      hint: `helpers know whole hosts only: log in to ${host}, or use a file that names no helper`,
    })
  }
  return { name, client, isChosen: named === undefined }
}

async function storeInHelper({ client, isChosen }: FoundHelper, key: string, credential: Credential): Promise<void> {
  try {
    await client.store(key, credential)
  } catch (error) {
    if (!isChosen || !isGantryError(error)) throw error
    throw new GantryError(error.code, error.message, {
      hint: 'this keychain was chosen because no other is named; "credsStore": "" in the file keeps credentials there instead',
      cause: error,
    })
  }
}

/**
 * Whether a file holds just this under a key: it need not be written then, and a file that cannot be written is no error.
 * @param credential undefined for the empty entry that stands for a helper
 */
function holds(text: string, origin: string, key: string, credential: Credential | undefined): boolean {
  const entry = parseCheckedText(text, origin).auths.get(key)
  if (entry === undefined) return false
  try {
    return isDeepStrictEqual(decodeAuthEntry(entry, key), credential)
  } catch (error) {
    // A broken entry holds nothing, and is replaced.
    if (!isGantryError(error, 'credential-store-error')) throw error
    return false
  }
}

function keysToErase(text: string, origin: string, { host, path, key }: Place): readonly string[] {
  if (path !== undefined) return [key]
  return hostKeysIn(parseCheckedText(text, origin), host)
}
