import type { Stats } from 'node:fs'
import { GantryError } from '../errors.js'

/** What tells whether a file is still the same: its identity, its size and the time of its last change. */
export type FileStamp = Pick<Stats, 'dev' | 'ino' | 'size' | 'mtimeMs' | 'ctimeMs'>

/** Whether two looks at a file saw the same content. */
export function isUnchanged(before: FileStamp, after: FileStamp): boolean {
  return (
    before.ino === after.ino &&
    before.dev === after.dev &&
    before.size === after.size &&
    before.mtimeMs === after.mtimeMs &&
    before.ctimeMs === after.ctimeMs
  )
}

/** What is thrown when a file that is being pushed is written to, replaced or removed. */
export function changedWhileReading(path: string, cause?: unknown): GantryError {
  return new GantryError('conflict', `${path} changed while reading`, cause === undefined ? {} : { cause })
}
