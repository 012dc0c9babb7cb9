import { GantryError } from '../errors.js'

/** What was being done to a file, for the message: `cannot write /x: no space left on device`. */
export type FileAction = 'read' | 'write' | 'create' | 'remove' | 'rename' | 'lock' | 'list'

/** Codes of failed writes after which a person wonders what is left of the old content. */
const WRITE_ACTIONS: ReadonlySet<FileAction> = new Set(['write', 'create', 'rename', 'lock'])

/**
 * Turns what `node:fs` threw into a GantryError `file-error` that names the path; for writes it says that what was
 * there is unchanged, so it belongs where content is written aside first. Anything else comes back as it is.
 */
export function fileError(cause: unknown, action: FileAction, path: string): Error {
  const text = systemErrorText(cause)
  if (text === undefined) return cause instanceof Error ? cause : new Error(String(cause))
  return new GantryError('file-error', `cannot ${action} ${path}: ${text}`, {
    cause,
    hint: WRITE_ACTIONS.has(action) ? 'what was there before is unchanged' : undefined,
  })
}

/** Runs file operations, with their failures turned into GantryErrors by {@link fileError}. */
export async function withFileErrors<T>(action: FileAction, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    throw fileError(cause, action, path)
  }
}

/** Like {@link withFileErrors} for operations that are done when they return. */
export function withFileErrorsSync<T>(action: FileAction, path: string, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    throw fileError(cause, action, path)
  }
}

/** The code of a system error (`ENOENT`, …), of the error itself or of the one that a GantryError was made from. */
export function systemErrorCode(error: unknown): string | undefined {
  if (error instanceof GantryError) return systemErrorCode(error.cause)
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Whether `error` is a system error with one of these codes. */
export function isSystemError(error: unknown, ...codes: readonly string[]): boolean {
  const code = systemErrorCode(error)
  return code !== undefined && codes.includes(code)
}

/** `ENOSPC: no space left on device, write` without its code and its tail. */
function systemErrorText(error: unknown): string | undefined {
  if (error instanceof GantryError || !(error instanceof Error) || systemErrorCode(error) === undefined)
    return undefined
  return /^E[A-Z0-9]+: ([^,]+)/.exec(error.message)?.[1] ?? error.message
}

/** What the operating system said of a file that was asked for, without the repetition of the path. */
export function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'ENOENT') return 'no such file or directory'
  if (code === 'EACCES') return 'permission denied'
  if (code === 'EISDIR') return 'is a directory'
  return cause instanceof Error ? cause.message : String(cause)
}
