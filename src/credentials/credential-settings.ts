import { posix, win32, type PlatformPath } from 'node:path'
import { GantryError } from '../errors.js'
import type { Credential } from '../registry/auth/credential.js'
import { environmentCredentialsOf, type EnvironmentCredential } from './environment-credentials.js'
import type { Environment } from './helper-program.js'
import type { OnSkippedFile } from './optional-file.js'

/** What a program knows when it starts; everything else about credentials follows from it. */
export interface CredentialContext {
  readonly env: Environment
  /** The user's home folder; undefined where there is none, and then no file of it is looked at. */
  readonly homeFolder: string | undefined
  /** A credential given by the user; nothing else is looked at then. */
  readonly credential?: Credential | undefined
  /** Credential files named by the user; the first is where logins are written. */
  readonly registryConfig?: readonly string[]
  /** Default: the platform that this runs on. */
  readonly platform?: NodeJS.Platform
  /** Numeric user id, for Podman's folder below /run where XDG_RUNTIME_DIR is not set (Linux). */
  readonly userId?: number | undefined
  /** Ends credential helpers that run, and waiting for files that others write. */
  readonly signal?: AbortSignal | undefined
  /** Told of each file that is passed over because it may not be read. */
  readonly onSkippedFile?: OnSkippedFile | undefined
}

/** Where credentials are looked for and written. Made by {@link credentialSettingsOf}, or by hand. */
export interface CredentialSettings {
  readonly credential?: Credential | undefined
  /** The only files that are read when there are any; the first is where logins are written. */
  readonly registryConfigs: readonly string[]
  /** REGISTRY_AUTH_FILE: the only file that is read when it is set. */
  readonly registryAuthFile?: string | undefined
  /** DOCKER_AUTH_CONFIG: the text of a credential file. */
  readonly dockerAuthConfig?: string | undefined
  /** Docker's config.json; undefined where neither DOCKER_CONFIG nor a home folder says where it is. */
  readonly dockerConfig: string | undefined
  /** Podman's auth.json files, in the order in which they are read. */
  readonly containersAuthFiles: readonly string[]
  /** What a CI system hands to its jobs. */
  readonly environmentCredentials: readonly EnvironmentCredential[]
  /** What credential helpers see; PATH says where they are. */
  readonly environment: Environment
  readonly platform: NodeJS.Platform
  /** Ends credential helpers that run, and waiting for files that others write. */
  readonly signal?: AbortSignal | undefined
  /** Told of each file that is passed over because it may not be read. */
  readonly onSkippedFile?: OnSkippedFile | undefined
}

/**
 * The settings that follow from the environment: REGISTRY_AUTH_FILE, DOCKER_AUTH_CONFIG, DOCKER_CONFIG (a folder),
 * XDG_RUNTIME_DIR, XDG_CONFIG_HOME, and the variables of CI systems. A variable that is set to nothing counts as not
 * set, and so does a folder of XDG that is no absolute path (XDG Base Directory Specification, "Basics"). Pure: nothing
 * is read from disk.
 */
export function credentialSettingsOf(context: CredentialContext): CredentialSettings {
  const { env, homeFolder, credential, registryConfig = [], platform = process.platform } = context
  const { signal, onSkippedFile } = context
  const path = platform === 'win32' ? win32 : posix
  const dockerFolder = textOf(env.DOCKER_CONFIG) ?? below(path, homeFolder, '.docker')
  return {
    credential,
    registryAuthFile: textOf(env.REGISTRY_AUTH_FILE),
    dockerAuthConfig: textOf(env.DOCKER_AUTH_CONFIG),
    registryConfigs: registryConfig,
    dockerConfig: below(path, dockerFolder, 'config.json'),
    containersAuthFiles: containersAuthFilesOf(context, platform),
    environmentCredentials: environmentCredentialsOf(env),
    environment: env,
    platform,
    signal,
    onSkippedFile,
  }
}

/**
 * The file that a login is written to.
 * @throws GantryError `credential-store-error` where there is none
 */
export function loginFileOf(settings: CredentialSettings): string {
  const path = settings.registryConfigs[0] ?? settings.registryAuthFile ?? settings.dockerConfig
  if (path !== undefined) return path
  throw new GantryError('credential-store-error', 'there is no place for credentials: this user has no home folder', {
    hint: 'Set HOME, or name a folder with DOCKER_CONFIG or a file with REGISTRY_AUTH_FILE.',
  })
}

/** containers-auth.json(5), section "FORMAT": macOS and Windows have the file in the home folder alone. */
function containersAuthFilesOf({ env, homeFolder, userId }: CredentialContext, platform: NodeJS.Platform): string[] {
  const path = platform === 'win32' ? win32 : posix
  const files = [below(path, homeFolder, '.config', 'containers', 'auth.json')]
  if (platform !== 'win32' && platform !== 'darwin') {
    files.unshift(below(path, absoluteOf(path, env.XDG_CONFIG_HOME), 'containers', 'auth.json'))
    const ofUser = userId === undefined ? undefined : `/run/containers/${userId}/auth.json`
    files.unshift(below(path, absoluteOf(path, env.XDG_RUNTIME_DIR), 'containers', 'auth.json') ?? ofUser)
  }
  return [...new Set(files.filter((file) => file !== undefined))]
}

function below(path: PlatformPath, folder: string | undefined, ...names: readonly string[]): string | undefined {
  return folder === undefined ? undefined : path.join(folder, ...names)
}

function absoluteOf(path: PlatformPath, folder: string | undefined): string | undefined {
  return folder !== undefined && path.isAbsolute(folder) ? folder : undefined
}

function textOf(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}
