import { readFile } from 'node:fs/promises'
import { GantryError } from '../../index.js'

/**
 * Reads a file that a flag names.
 * @throws GantryError `file-error` in the words of the operating system
 */
export async function readTextFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new GantryError('file-error', `open ${path}: ${reasonOf(cause)}`, { cause })
  }
}

/** What the operating system said, without the repetition of the path. */
export function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'ENOENT') return 'no such file or directory'
  if (code === 'EACCES') return 'permission denied'
  if (code === 'EISDIR') return 'is a directory'
  return cause instanceof Error ? cause.message : String(cause)
}
