import { isAbsolute, join } from 'node:path'
import { CodeCache } from './code-cache.js'
import { CodeLoader } from './code-loader.js'
import type { Context } from './context.js'
import { engineTag } from './tune-engine.js'
import type * as Program from './program.js'
import { VERSION } from './version.js'

/** The folder of the program's files beside this one, filled in by the build; not there when it runs from its sources. */
declare const GANTRY_CODE_FOLDER: string | undefined

let loader: CodeLoader | undefined

/** Loads all that is not needed to print the version. */
export async function loadProgram({
  environment,
  homeFolder,
}: Pick<Context, 'environment' | 'homeFolder'>): Promise<typeof Program> {
  if (typeof GANTRY_CODE_FOLDER === 'undefined') return import('./program.js')
  loader ??= openLoader(join(__dirname, GANTRY_CODE_FOLDER), cacheFolderOf(environment, homeFolder))
  return loader.load('./start.cjs') as typeof Program
}

function openLoader(folder: string, cacheFolder: string | undefined): CodeLoader {
  const key = [VERSION, process.version, process.arch, engineTag(), folder].join('\0')
  return new CodeLoader(folder, require, cacheFolder === undefined ? undefined : CodeCache.open(cacheFolder, key))
}

/** Keeps the code that was compiled for this command, so that the next one starts sooner. */
export function keepCode(): void {
  loader?.keep()
}

/**
 * Where compiled code is kept. Undefined where it is not to be: as for Node's own cache, and when coverage is measured.
 */
function cacheFolderOf(environment: Context['environment'], homeFolder: string | undefined): string | undefined {
  const { NODE_DISABLE_COMPILE_CACHE, NODE_V8_COVERAGE, XDG_CACHE_HOME, LOCALAPPDATA } = environment
  if (NODE_DISABLE_COMPILE_CACHE !== undefined || NODE_V8_COVERAGE !== undefined) return undefined
  if (XDG_CACHE_HOME !== undefined && isAbsolute(XDG_CACHE_HOME)) return join(XDG_CACHE_HOME, 'gantry')
  if (process.platform === 'win32') return LOCALAPPDATA === undefined ? undefined : join(LOCALAPPDATA, 'gantry-cache')
  if (homeFolder === undefined || !isAbsolute(homeFolder)) return undefined
  return join(homeFolder, process.platform === 'darwin' ? 'Library/Caches' : '.cache', 'gantry')
}
