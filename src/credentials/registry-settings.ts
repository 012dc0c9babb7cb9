import { join } from 'node:path'
import { GantryError } from '../errors.js'
import { isJsonObject, parseJsonObject, type JsonObject } from '../util/json.js'
import { visibleLine } from '../util/visible-text.js'
import { decodeAuthText, readAuthBytes } from './auth-file.js'
import type { Environment } from './helper-program.js'
import { readUnlessForbidden, type OnSkippedFile } from './optional-file.js'
import { isDockerHub } from './server-keys.js'
import { updateAuthFile } from './update-auth-file.js'

/** What a user has settled for one registry, so that no command has to be told again. */
export interface RegistrySettings {
  /** Token services (`host[:port]`) that may see the credentials, besides those of the registry's own domain. */
  readonly authHosts?: readonly string[] | undefined
  /** Speak HTTP instead of HTTPS, or never do. */
  readonly plainHttp?: boolean | undefined
  /** Absolute path of a file with the certificate authorities to trust instead of the system's. */
  readonly caFile?: string | undefined
  /** Largest body of an upload request, in bytes. */
  readonly chunkSize?: number | undefined
  /** Requests in flight. */
  readonly concurrency?: number | undefined
  /** Registries (`host[:port]`) that are asked for content before this one, in this order. */
  readonly mirrors?: readonly string[] | undefined
}

/** The name of one setting. */
export type RegistrySettingName = keyof RegistrySettings

/** Why a value is none for a setting; undefined where it is one. */
type Check = (value: unknown) => string | undefined

const CHECKS: Readonly<Record<RegistrySettingName, Check>> = {
  authHosts: checkHosts,
  plainHttp: (value) => (typeof value === 'boolean' ? undefined : 'has to be true or false'),
  caFile: (value) => (typeof value === 'string' && isAbsolutePath(value) ? undefined : 'has to be an absolute path'),
  chunkSize: (value) => checkCount(value, 'a whole number of bytes above 0'),
  concurrency: (value) => checkCount(value, 'a whole number above 0'),
  mirrors: checkHosts,
}

/** The names of all settings. */
export const REGISTRY_SETTING_NAMES = Object.keys(CHECKS) as readonly RegistrySettingName[]

export interface RegistrySettingsPlace {
  readonly environment: Environment
  /** Undefined where the user has none. */
  readonly homeFolder: string | undefined
}

/**
 * The file with the settings of registries: `gantry/registries.json` in XDG_CONFIG_HOME, else in `~/.config`.
 * @returns undefined where there is neither
 */
export function registrySettingsFileOf({ environment, homeFolder }: RegistrySettingsPlace): string | undefined {
  const { XDG_CONFIG_HOME: folder = '' } = environment
  if (isAbsolutePath(folder)) return join(folder, 'gantry', 'registries.json')
  return homeFolder === undefined ? undefined : join(homeFolder, '.config', 'gantry', 'registries.json')
}

/** Told of a setting that is unknown, with its file and name: a later version may know it. */
type OnUnknownSetting = (problem: string) => void

/**
 * Reads the settings of all registries.
 * @param path the file of {@link registrySettingsFileOf}; undefined and a missing file mean no settings
 * @param options.onSkippedFile is told of a file that may not be read, which means no settings as well
 * @param options.onUnknownSetting is told of unknown settings, which are left out
 * @returns settings by registry, in the order of the file
 * @throws GantryError `invalid-content` for what is no settings; `credential-store-error` for what is no JSON
 */
export async function readRegistrySettings(
  path: string | undefined,
  {
    onSkippedFile,
    onUnknownSetting,
  }: {
    readonly onSkippedFile?: OnSkippedFile | undefined
    readonly onUnknownSetting?: ((problem: string) => void) | undefined
  } = {},
): Promise<ReadonlyMap<string, RegistrySettings>> {
  if (path === undefined) return new Map()
  const bytes = await readUnlessForbidden(path, () => readAuthBytes(path), onSkippedFile)
  return bytes === undefined ? new Map() : parseSettings(await decodeAuthText(bytes, path), path, onUnknownSetting)
}

/** The settings of one registry among those of {@link readRegistrySettings}; empty where there are none. */
export function settingsOfRegistry(
  settings: ReadonlyMap<string, RegistrySettings>,
  registry: string,
): RegistrySettings {
  return settings.get(settingsKeyOf(registry)) ?? {}
}

/**
 * Changes settings of one registry, in one step and under a lock that other processes respect.
 * @param path the file of {@link registrySettingsFileOf}; made when it is missing
 * @param registry `host[:port]`
 * @param change what is set; members that are undefined stay as they are
 * @returns all settings of the registry
 * @throws GantryError `invalid-argument` for a value that is none, before anything is written; `invalid-content`,
 *   `file-error`, `locked`, `aborted`
 */
export async function setRegistrySettings(
  path: string | undefined,
  registry: string,
  change: RegistrySettings,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<RegistrySettings> {
  const key = checkedKey(registry)
  const wanted = REGISTRY_SETTING_NAMES.filter((name) => change[name] !== undefined)
  for (const name of wanted) {
    const problem = CHECKS[name](change[name])
    if (problem !== undefined) throw new GantryError('invalid-argument', `${name} for ${key} ${problem}`)
  }
  const file = requiredPath(path)
  let result: RegistrySettings = {}
  const { setJsonMember } = await import('./json-text.js')
  await updateSettings(file, signal, (text) => {
    // What is broken is not written over.
    parseSettings(text, file)
    const changed = wanted.reduce((rest, name) => setJsonMember(rest, ['registries', key, name], change[name]), text)
    result = parseSettings(changed, file).get(key) ?? {}
    return changed
  })
  return result
}

/**
 * Takes settings of one registry away.
 * @param names the settings; none for all of them
 * @returns whether there was anything to take away
 * @throws GantryError as {@link setRegistrySettings}
 */
export async function unsetRegistrySettings(
  path: string | undefined,
  registry: string,
  names: readonly RegistrySettingName[] = [],
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<boolean> {
  const key = checkedKey(registry)
  const file = requiredPath(path)
  const { removeJsonMember } = await import('./json-text.js')
  return updateSettings(file, signal, (text) => {
    const rest = names.reduce((left, name) => removeJsonMember(left, ['registries', key, name]), text)
    const left = parseSettings(rest, file).get(key)
    const isEmpty = names.length === 0 || (left !== undefined && Object.keys(left).length === 0)
    return isEmpty ? removeJsonMember(rest, ['registries', key]) : rest
  })
}

async function updateSettings(
  path: string,
  signal: AbortSignal | undefined,
  change: (text: string) => string,
): Promise<boolean> {
  const { changed } = await updateAuthFile(path, change, {
    signal,
    elsewhere: 'name another folder with XDG_CONFIG_HOME',
  })
  return changed
}

function requiredPath(path: string | undefined): string {
  if (path !== undefined) return path
  throw new GantryError('file-error', 'there is no place for settings: this user has no home folder', {
    hint: 'Set HOME or XDG_CONFIG_HOME.',
  })
}

function parseSettings(
  text: string,
  path: string,
  onUnknown: OnUnknownSetting = () => undefined,
): ReadonlyMap<string, RegistrySettings> {
  if (text.trim() === '') return new Map()
  const { registries = {}, ...others } = parseJsonObject(new TextEncoder().encode(text), path)
  for (const other of Object.keys(others)) {
    onUnknown(`${path}: "${visibleLine(other)}" is unknown and left out; settings stand below "registries"`)
  }
  if (!isJsonObject(registries)) throw invalid(path, '"registries" is not an object')
  return new Map(Object.entries(registries).map(([key, value]) => [key, parseEntry(key, value, path, onUnknown)]))
}

function parseEntry(key: string, entry: unknown, path: string, onUnknown: OnUnknownSetting): RegistrySettings {
  const shown = visibleLine(key)
  if (hostProblem(key) !== undefined) throw invalid(path, `"${shown}" is not the name of a registry`)
  if (!isJsonObject(entry)) throw invalid(path, `"${shown}" is not an object`)
  for (const [name, value] of Object.entries(entry)) {
    if (!isSettingName(name)) {
      const known = REGISTRY_SETTING_NAMES.join(', ')
      onUnknown(`${path}: "${visibleLine(name)}" of "${shown}" is unknown and left out; the settings are ${known}`)
      continue
    }
    const problem = CHECKS[name](value)
    if (problem !== undefined) throw invalid(path, `"${name}" of "${shown}" ${problem}`)
  }
  const settings = Object.entries(entry as JsonObject & RegistrySettings).filter(([name]) => isSettingName(name))
  return Object.fromEntries(settings)
}

function isSettingName(name: string): name is RegistrySettingName {
  return Object.hasOwn(CHECKS, name)
}

function invalid(path: string, problem: string): GantryError {
  return new GantryError('invalid-content', `${path}: ${problem}`)
}

/** Docker Hub has several names, and one of them in the file. */
function settingsKeyOf(registry: string): string {
  return isDockerHub(registry) ? 'docker.io' : registry
}

function checkedKey(registry: string): string {
  if (hostProblem(registry) === undefined) return settingsKeyOf(registry)
  throw new GantryError('invalid-argument', `"${visibleLine(registry)}" is not the name of a registry`)
}

function checkHosts(value: unknown): string | undefined {
  if (!Array.isArray(value) || value.length === 0) return 'has to be a list of hosts'
  const wrong = (value as readonly unknown[]).find((host) => hostProblem(host) !== undefined)
  return wrong === undefined ? undefined : `has ${visibleLine(JSON.stringify(wrong))}, which is no host[:port]`
}

function hostProblem(host: unknown): string | undefined {
  const isHost = typeof host === 'string' && /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(host)
  return isHost && URL.canParse(`https://${host}`) ? undefined : 'is no host[:port]'
}

function checkCount(value: unknown, what: string): string | undefined {
  return Number.isSafeInteger(value) && Number(value) > 0 ? undefined : `has to be ${what}`
}

/** Either kind of absolute path, as the file may be shared between systems. */
function isAbsolutePath(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:[\\/]|^\\\\/.test(path)
}
