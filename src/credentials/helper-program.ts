import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { posix, win32 } from 'node:path'
import { GantryError } from '../errors.js'
import { visibleLine } from '../util/visible-text.js'

/** What a program sees of the environment; the library reads none itself. */
export type Environment = Readonly<Record<string, string | undefined>>

const HELPER_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/
const MAX_NAME_LENGTH = 128

/** A program with its arguments, to be started without a shell. */
export interface Command {
  readonly file: string
  readonly arguments: readonly string[]
  /** The arguments are quoted already (Windows). */
  readonly verbatim: boolean
}

/**
 * The name of the program behind a helper: `docker-credential-<name>`.
 * @param origin the file that names the helper, for errors
 * @throws GantryError `credential-store-error` for a name that could lead anywhere but to a program on PATH
 */
export function helperProgramOf(name: string, origin: string): string {
  if (HELPER_NAME.test(name) && name.length <= MAX_NAME_LENGTH) return `docker-credential-${name}`
  const shown = visibleLine(name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name)
  throw new GantryError('credential-store-error', `invalid helper name "${shown}" in ${origin}`)
}

/**
 * Finds a program in the folders of PATH. Empty and relative entries are passed over, so that nothing that lies in the
 * current folder is ever started.
 * @param origin the file that names the helper, for errors
 * @returns an absolute path
 * @throws GantryError `credential-store-error` when it is not there
 */
export async function resolveHelper(
  program: string,
  environment: Environment,
  { origin, platform = process.platform }: { readonly origin: string; readonly platform?: NodeJS.Platform },
): Promise<string> {
  const found = await findProgram(program, environment, platform)
  if (found !== undefined) return found
  throw new GantryError('credential-store-error', `credential helper ${program} not found`, {
    hint: `install it in a folder of PATH, or take it out of ${origin}`,
  })
}

/** Like {@link resolveHelper}, with undefined when the program is not there. */
export async function findProgram(
  program: string,
  environment: Environment,
  platform: NodeJS.Platform = process.platform,
): Promise<string | undefined> {
  const path = platform === 'win32' ? win32 : posix
  const endings = platform === 'win32' ? ['.exe', '.cmd', '.bat'] : ['']
  const folders = searchPathOf(environment, platform).split(path.delimiter)
  for (const folder of folders.filter((candidate) => path.isAbsolute(candidate))) {
    for (const ending of endings) {
      const candidate = path.join(folder, program + ending)
      if (await isProgram(candidate)) return candidate
    }
  }
  return undefined
}

/**
 * How to start a program. Windows runs a batch file, which is what npm and the Google Cloud CLI install there, only
 * through its command processor.
 * @param action one word
 * @throws GantryError `credential-store-error` for a batch file whose path the command processor would change
 */
export function commandOf(program: string, action: string, environment: Environment): Command {
  if (!/\.(cmd|bat)$/i.test(program)) return { file: program, arguments: [action], verbatim: false }
  if (/["%\r\n]/.test(program)) {
    throw new GantryError('credential-store-error', `cannot start ${visibleLine(program)}: its path holds " or %`)
  }
  const systemRoot = variableOf(environment, 'SystemRoot') ?? 'C:\\Windows'
  const processor = win32.join(systemRoot, 'System32', 'cmd.exe')
  return { file: processor, arguments: ['/d', '/s', '/c', `""${program}" ${action}"`], verbatim: true }
}

function searchPathOf(environment: Environment, platform: NodeJS.Platform): string {
  return (platform === 'win32' ? variableOf(environment, 'PATH') : environment.PATH) ?? ''
}

/** Names of variables have no case on Windows. */
function variableOf(environment: Environment, name: string): string | undefined {
  const key = Object.keys(environment).find((candidate) => candidate.toLowerCase() === name.toLowerCase())
  return key === undefined ? undefined : environment[key]
}

async function isProgram(path: string): Promise<boolean> {
  try {
    if (!(await stat(path)).isFile()) return false
    await access(path, constants.X_OK)
    return true
  } catch {
    // Not there, or not ours to run: the search goes on.
    return false
  }
}
