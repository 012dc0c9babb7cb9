import {
  eraseCredential,
  storeCredential,
  type ErasedCredential,
  type StoredCredential,
} from '../credentials/credential-store.js'
import { readRegistrySettings, setRegistrySettings, settingsOfRegistry } from '../credentials/registry-settings.js'
import { GantryError } from '../errors.js'
import { isRegistryName } from '../oci/reference.js'
import { checkCredential, type Credential } from '../registry/auth/credential.js'
import { classifyHost } from '../registry/http/host-class.js'
import { Registry } from '../registry/registry.js'
import { visibleLine } from '../util/visible-text.js'
import { checkArgument } from './check-arguments.js'
import type { CredentialFiles } from './connect.js'
import type { Opener } from './opener.js'

/** What somebody should know who logs in. */
export type LoginNotice =
  /** The credential is about to be sent to another machine without TLS. */
  | { readonly type: 'sent-in-clear'; readonly registry: string }
  /** Anybody who can read the file can read the secret. */
  | { readonly type: 'stored-in-clear'; readonly path: string }
  /** Others could read the file until now. */
  | { readonly type: 'file-closed'; readonly path: string }

export interface LoginOptions {
  /** Where it is stored. Default: the client's own, where those are files, else where Docker would store it. */
  readonly credentials?: CredentialFiles
  readonly onNotice?: (notice: LoginNotice) => void
  readonly signal?: AbortSignal
}

export interface LogoutOptions {
  /** Default: the client's own, where those are files, else where a login would be stored. */
  readonly credentials?: CredentialFiles
  readonly signal?: AbortSignal
}

/** Tries a credential, and stores it where Docker would. */
export async function login(
  opener: Opener,
  registry: string,
  credential: Credential,
  { credentials, onNotice, signal }: LoginOptions,
): Promise<StoredCredential> {
  checkRegistry(registry)
  checkArgument('the credential', 'object', credential)
  checkCredential(credential)
  const own = opener.connections()
  const keeper = credentials === undefined ? own : opener.connections({ credentials })
  const transport = await opener.connections({ credentials: credential }).transport(registry)
  if (isReadOnTheWay(transport.origin)) onNotice?.({ type: 'sent-in-clear', registry })
  await new Registry(transport).ping({ signal })
  const settings = keeper.credentialSettings()
  const stored = await storeCredential({ ...settings, signal: signal ?? settings.signal }, registry, credential)
  if (stored.isPlainText) onNotice?.({ type: 'stored-in-clear', path: stored.path })
  if (stored.tightenedFrom !== undefined) onNotice?.({ type: 'file-closed', path: stored.path })
  await rememberAuthHosts(own.settingsFile(), registry, own.trustedAuthHosts, signal)
  return stored
}

/** Forgets the credential of a registry. */
export async function logout(
  opener: Opener,
  registry: string,
  { credentials, signal }: LogoutOptions,
): Promise<ErasedCredential> {
  checkArgument('the registry', 'text', registry)
  const settings = opener.connections({ credentials }).credentialSettings()
  return eraseCredential({ ...settings, signal: signal ?? settings.signal }, registry)
}

/** Keeps the token services that the user has named for a registry, so that later calls need not be told again. */
async function rememberAuthHosts(
  path: string | undefined,
  registry: string,
  authHosts: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (authHosts.length === 0) return
  const { authHosts: known = [] } = settingsOfRegistry(await readRegistrySettings(path), registry)
  await setRegistrySettings(path, registry, { authHosts: [...new Set([...known, ...authHosts])] }, { signal })
}

/** Whether what is sent to an origin passes other machines in clear. */
function isReadOnTheWay(origin: string): boolean {
  const { protocol, hostname } = new URL(origin)
  return protocol === 'http:' && classifyHost(hostname) !== 'loopback'
}

function checkRegistry(registry: string): void {
  checkArgument('the registry', 'text', registry)
  if (isRegistryName(registry)) return
  throw new GantryError('invalid-argument', `"${visibleLine(registry)}" is not the name of a registry`, {
    hint: 'Name it as references do: host[:port].',
  })
}
