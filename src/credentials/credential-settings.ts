import { posix, win32 } from 'node:path'
import type { Credential } from '../registry/auth/credential.js'
import { environmentCredentialsOf, type EnvironmentCredential } from './environment-credentials.js'
import type { Environment } from './helper-program.js'

/** What a program knows when it starts; everything else about credentials follows from it. */
export interface CredentialContext {
  readonly env: Environment
  /** The user's home folder. */
  readonly homeFolder: string
  /** A credential given by the user; nothing else is looked at then. */
  readonly credential?: Credential
  /** Credential files named by the user; the first is where logins are written. */
  readonly registryConfig?: readonly string[]
  /** Default: the platform that this runs on. */
  readonly platform?: NodeJS.Platform
  /** Numeric user id, for Podman's folder below /run where XDG_RUNTIME_DIR is not set (Linux). */
  readonly userId?: number
  /** Ends credential helpers that run, and waiting for files that others write. */
  readonly signal?: AbortSignal
}

/** Where credentials are looked for and written. Made by {@link credentialSettingsOf}, or by hand. */
export interface CredentialSettings {
  readonly credential?: Credential
  /** The only files that are read when there are any; the first is where logins are written. */
  readonly registryConfigs: readonly string[]
  /** REGISTRY_AUTH_FILE: the only file that is read when it is set. */
  readonly registryAuthFile?: string
  /** DOCKER_AUTH_CONFIG: the text of a credential file. */
  readonly dockerAuthConfig?: string
  /** Docker's config.json. */
  readonly dockerConfig: string
  /** Podman's auth.json files, in the order in which they are read. */
  readonly containersAuthFiles: readonly string[]
  /** What a CI system hands to its jobs. */
  readonly environmentCredentials: readonly EnvironmentCredential[]
  /** What credential helpers see; PATH says where they are. */
  readonly environment: Environment
  readonly platform: NodeJS.Platform
  /** Ends credential helpers that run, and waiting for files that others write. */
  readonly signal?: AbortSignal
}

/**
 * The settings that follow from the environment: REGISTRY_AUTH_FILE, DOCKER_AUTH_CONFIG, DOCKER_CONFIG (a folder),
 * XDG_RUNTIME_DIR, XDG_CONFIG_HOME, and the variables of CI systems. A variable that is set to nothing counts as not
 * set. Pure: nothing is read from disk.
 */
export function credentialSettingsOf(context: CredentialContext): CredentialSettings {
  const { env, homeFolder, credential, registryConfig = [], platform = process.platform, signal } = context
  const path = platform === 'win32' ? win32 : posix
  const registryAuthFile = textOf(env.REGISTRY_AUTH_FILE)
  const dockerAuthConfig = textOf(env.DOCKER_AUTH_CONFIG)
  return {
    ...(credential === undefined ? {} : { credential }),
    ...(registryAuthFile === undefined ? {} : { registryAuthFile }),
    ...(dockerAuthConfig === undefined ? {} : { dockerAuthConfig }),
    registryConfigs: registryConfig,
    dockerConfig: path.join(textOf(env.DOCKER_CONFIG) ?? path.join(homeFolder, '.docker'), 'config.json'),
    containersAuthFiles: containersAuthFilesOf(context, platform),
    environmentCredentials: environmentCredentialsOf(env),
    environment: env,
    platform,
    ...(signal === undefined ? {} : { signal }),
  }
}

/** The file that a login is written to. */
export function loginFileOf(settings: CredentialSettings): string {
  return settings.registryConfigs[0] ?? settings.registryAuthFile ?? settings.dockerConfig
}

/** containers-auth.json(5), section "FORMAT": macOS and Windows have the file in the home folder alone. */
function containersAuthFilesOf({ env, homeFolder, userId }: CredentialContext, platform: NodeJS.Platform): string[] {
  const path = platform === 'win32' ? win32 : posix
  const homeFile = path.join(homeFolder, '.config', 'containers', 'auth.json')
  if (platform === 'win32' || platform === 'darwin') return [homeFile]
  const files = [homeFile]
  const configFolder = textOf(env.XDG_CONFIG_HOME)
  if (configFolder !== undefined) files.unshift(path.join(configFolder, 'containers', 'auth.json'))
  const runtimeFolder = textOf(env.XDG_RUNTIME_DIR)
  if (runtimeFolder !== undefined) files.unshift(path.join(runtimeFolder, 'containers', 'auth.json'))
  else if (userId !== undefined) files.unshift(`/run/containers/${userId}/auth.json`)
  return [...new Set(files)]
}

function textOf(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}
