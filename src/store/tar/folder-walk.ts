import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { GantryError } from '../../errors.js'
import { fileError, isSystemError } from '../../util/file-error.js'
import { changedWhileReading, isUnchanged } from '../file-stamp.js'

/** Something that a folder holds, or the folder itself. */
export interface FolderEntry {
  /** On disk. */
  readonly path: string
  /** Below the folder, with `/` between its parts; empty for the folder itself. */
  readonly relativePath: string
  readonly stats: Stats
  /** Where a symbolic link points; undefined for everything else. */
  readonly linkTarget: string | undefined
}

/** What a name that is not UTF-8 is decoded to. */
const REPLACEMENT_CHARACTER = '\ufffd'

/**
 * Walks a folder depth first, each folder before what it holds, in the order of the names' UTF-16 code units: the same
 * order everywhere. Links are not followed. The calls are synchronous, as each takes microseconds where its promise
 * would take ten times as long, and a folder may hold tens of thousands; the caller decides how much it does in one go.
 * @throws GantryError `file-error`; `invalid-argument` for anything but a folder; `unsupported` for sockets, pipes and
 *   devices in it; `conflict` when it changes
 */
export function* walkFolder(folder: string): Generator<FolderEntry, void, undefined> {
  const root = readRoot(folder)
  if (!root.stats.isDirectory()) throw new GantryError('invalid-argument', `${folder} is not a folder`)
  const pending: FolderEntry[] = [root]
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    yield entry
    // The last one is taken first.
    if (entry.stats.isDirectory()) pending.push(...readFolder(entry).reverse())
  }
}

function readRoot(path: string): FolderEntry {
  try {
    return { path, relativePath: '', stats: lstatSync(path), linkTarget: undefined }
  } catch (cause) {
    throw fileError(cause, 'read', path)
  }
}

function readFolder({ path, relativePath, stats }: FolderEntry): FolderEntry[] {
  const names = readNames(path)
  // A folder that was swapped for a link would have been followed just now.
  if (!isUnchanged(stats, readStats(path))) throw changedWhileReading(path)
  return names.map((name) => readEntry(join(path, name), relativePath === '' ? name : `${relativePath}/${name}`))
}

function readNames(path: string): string[] {
  let names: string[]
  try {
    names = readdirSync(path)
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT', 'ENOTDIR')) throw changedWhileReading(path, cause)
    throw fileError(cause, 'list', path)
  }
  const undecoded = names.find((name) => name.includes(REPLACEMENT_CHARACTER))
  if (undecoded !== undefined) {
    throw new GantryError('unsupported', `${join(path, undecoded)} has a name that is not valid UTF-8`)
  }
  return names.sort()
}

function readEntry(path: string, relativePath: string): FolderEntry {
  const stats = readStats(path)
  if (stats.isSymbolicLink()) return { path, relativePath, stats, linkTarget: readTarget(path) }
  if (!stats.isFile() && !stats.isDirectory()) {
    throw new GantryError('unsupported', `${path} is a ${kindOf(stats)}, which cannot be packed`)
  }
  return { path, relativePath, stats, linkTarget: undefined }
}

function readStats(path: string): Stats {
  try {
    return lstatSync(path)
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT', 'ENOTDIR')) throw changedWhileReading(path, cause)
    throw fileError(cause, 'read', path)
  }
}

function readTarget(path: string): string {
  let target: string
  try {
    target = readlinkSync(path)
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT', 'ENOTDIR', 'EINVAL')) throw changedWhileReading(path, cause)
    throw fileError(cause, 'read', path)
  }
  if (target.includes(REPLACEMENT_CHARACTER)) {
    throw new GantryError('unsupported', `${path} points to a name that is not valid UTF-8`)
  }
  return process.platform === 'win32' ? target.replaceAll('\\', '/') : target
}

function kindOf(stats: Stats): string {
  if (stats.isSocket()) return 'socket'
  return stats.isFIFO() ? 'pipe' : 'device'
}
