import type { AuthFile } from './auth-file.js'
import { findProgram, helperProgramOf, type Environment } from './helper-program.js'

/** The helper of the system's own keychain, as Docker's tools name them. */
const NATIVE_HELPERS: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: 'osxkeychain', win32: 'wincred' }

/**
 * The helper that a first login should use: that of the system's keychain, on Linux `pass` where it is installed and
 * else `secretservice`; undefined when its program is not on PATH. Docker, ORAS and crane choose in the same way.
 */
export async function findDefaultHelper(
  environment: Environment,
  platform: NodeJS.Platform,
): Promise<string | undefined> {
  const name =
    NATIVE_HELPERS[platform] ?? ((await findProgram('pass', environment, platform)) ? 'pass' : 'secretservice')
  const program = await findProgram(helperProgramOf(name, 'PATH'), environment, platform)
  return program === undefined ? undefined : name
}

/** Whether a file says nothing about credentials yet, so that a helper may be chosen for it. */
export function isWithoutCredentials(file: AuthFile | undefined): boolean {
  return file === undefined || (file.auths.size === 0 && file.credHelpers.size === 0 && file.credsStore === undefined)
}
