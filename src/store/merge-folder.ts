import { lstatSync, readdirSync, type Dirent } from 'node:fs'
import { join } from 'node:path'
import { GantryError } from '../errors.js'
import { fileError } from '../util/file-error.js'

/** Something to be moved. */
export interface PlannedMove {
  readonly from: string
  readonly to: string
}

/**
 * Plans how a folder becomes part of one that is there: what is missing there moves whole, and files take the place of
 * files. Nothing is changed.
 * @throws GantryError `unsafe-path` where a link is there in the place of a folder; `file-error` where a file is in the
 *   place of a folder, or a folder in that of a file
 */
export function planMerge(from: string, to: string): PlannedMove[] {
  return list(from).flatMap((entry) => planEntry(entry, join(from, entry.name), join(to, entry.name)))
}

function planEntry(entry: Dirent, from: string, to: string): PlannedMove[] {
  const existing = lstatSync(to, { throwIfNoEntry: false })
  if (existing === undefined) return [{ from, to }]
  if (entry.isDirectory()) {
    if (existing.isDirectory()) return planMerge(from, to)
    if (existing.isSymbolicLink()) {
      throw new GantryError('unsafe-path', `cannot write below ${to}: a link is in the place of the folder`)
    }
    throw new GantryError('file-error', `cannot write ${to}: a file is in the place of the folder`)
  }
  if (existing.isDirectory()) throw new GantryError('file-error', `cannot write ${to}: it is a folder`)
  return [{ from, to }]
}

function list(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (cause) {
    throw fileError(cause, 'list', folder)
  }
}
