import { messageOf } from '../errors.js'
import { isSystemError } from '../util/file-error.js'

/** Told of an optional file that exists and may not be read, with the reason in words. */
export type OnSkippedFile = (path: string, reason: string) => void

/**
 * Reads something that nobody has named: what belongs to another user is passed over.
 * @returns undefined for what may not be read, of which `onSkippedFile` is told
 */
export async function readUnlessForbidden<Value>(
  path: string,
  read: () => Promise<Value>,
  onSkippedFile: OnSkippedFile | undefined,
): Promise<Value | undefined> {
  try {
    return await read()
  } catch (error) {
    if (!isSystemError(error, 'EACCES', 'EPERM')) throw error
    onSkippedFile?.(path, messageOf(error))
    return undefined
  }
}
