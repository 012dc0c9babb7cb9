import { rmSync } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileError, isSystemError } from './file-error.js'
import { formatOwner, livenessOf, ownIdentity, parseOwner } from './process-identity.js'
import { removeTree } from './remove-tree.js'

const PREFIX = '.gantry-'
const SUFFIX = '.tmp'

/** After this time without a change, what a process that cannot be seen has left behind counts as abandoned. */
const ABANDONED_AFTER = 24 * 60 * 60 * 1000

/** How often the removal of a folder is tried that other threads put files into meanwhile. */
const REMOVALS = 100

/** How long whoever ends at once waits for what is being made, in milliseconds, should there always be something. */
const LONGEST_MAKING = 1000

/** Temporary files and folders that this process has open; the one thing that a dying process has to find again. */
const openPaths = new Set<string>()
/** What other threads are making at this moment, and may not be there yet. */
const beingMade = new Set<Promise<unknown>>()

/** A fresh name in the folder of `target`, which says who it belongs to: `.gantry-<owner>.tmp`. */
export function tempPathBeside(target: string): string {
  return join(dirname(target), `${PREFIX}${formatOwner(ownIdentity())}${SUFFIX}`)
}

/** Notes a path that {@link removeOpenTempFiles} is to remove. */
export function rememberTempPath(path: string): void {
  openPaths.add(path)
}

/** Makes a temporary file or folder on another thread, so that {@link endWithoutTempFiles} waits for it. */
export async function whileMaking<Made>(make: () => Promise<Made>): Promise<Made> {
  const making = make()
  beingMade.add(making)
  try {
    return await making
  } finally {
    beingMade.delete(making)
  }
}

/** The path has its final name or is gone. */
export function forgetTempPath(path: string): void {
  openPaths.delete(path)
}

/**
 * Removes, synchronously, every temporary file and folder that this process has not published yet, and the locks that
 * it holds: for the moment before the process has to end at once. Failures are passed over, as nothing can be done.
 */
export function removeOpenTempFiles(): void {
  for (const path of openPaths) removeAtOnce(path)
  openPaths.clear()
}

/**
 * Ends the process without the files, folders and locks that {@link removeOpenTempFiles} removes, and without those
 * that are being made at this moment: a process that ends does first what its threads have been asked for, so that they
 * would appear after the removal.
 * @param end ends the process; nothing new is begun between the removal and this call
 */
export async function endWithoutTempFiles(end: () => void): Promise<void> {
  const deadline = performance.now() + LONGEST_MAKING
  while (beingMade.size > 0 && performance.now() < deadline) await Promise.allSettled(beingMade)
  removeOpenTempFiles()
  end()
}

/** Once a folder is gone, what other threads are still to put into it fails. */
function removeAtOnce(path: string): void {
  for (let removal = 0; removal < REMOVALS; removal++) {
    try {
      rmSync(path, { recursive: true, force: true })
      return
    } catch (cause) {
      // The process ends now; whoever comes next sweeps.
      if (!isSystemError(cause, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return
    }
  }
}

/**
 * Removes temporary files and folders that dead processes of this user have left in a folder. Those of processes on
 * other hosts or in other containers go after a day without a change. A folder that does not exist has none.
 */
export async function sweepTempFiles(folder: string): Promise<void> {
  for (const name of await temporaryNamesIn(folder)) await removeIfAbandoned(join(folder, name))
}

async function temporaryNamesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.startsWith(PREFIX) && name.endsWith(SUFFIX))
  } catch (cause) {
    // Where names may not be listed, files may still be written.
    if (isSystemError(cause, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM')) return []
    throw fileError(cause, 'list', folder)
  }
}

/**
 * Finds a temporary file of another process that may still be at work in a folder: one that runs, or one elsewhere that
 * has changed its file within a day. A folder that does not exist has none.
 */
export async function findLiveTempFile(folder: string): Promise<string | undefined> {
  for (const name of await temporaryNamesIn(folder)) {
    const owner = parseOwner(name.slice(PREFIX.length, -SUFFIX.length))
    if (owner === undefined) continue
    const liveness = livenessOf(owner)
    const path = join(folder, name)
    // Processes of other containers and hosts may have our number.
    const isAtWork =
      liveness === 'alive' ? owner.pid !== process.pid : liveness === 'unknown' && !(await isAbandoned(path))
    if (isAtWork) return path
  }
  return undefined
}

async function isAbandoned(path: string): Promise<boolean> {
  return Date.now() - (await lstat(path)).mtimeMs >= ABANDONED_AFTER
}

async function removeIfAbandoned(path: string): Promise<void> {
  const owner = parseOwner(basename(path).slice(PREFIX.length, -SUFFIX.length))
  if (owner === undefined) return
  const liveness = livenessOf(owner)
  if (liveness === 'alive') return
  try {
    if (liveness === 'unknown' && !(await isAbandoned(path))) return
    // In a folder that others write to as well, only what is ours is ours to remove.
    await removeTree(path, process.getuid?.())
  } catch (cause) {
    if (!isSystemError(cause, ...LEFT_ALONE)) throw fileError(cause, 'remove', path)
  }
}

/** Somebody else sweeps too, puts something else there, or may remove it and we may not: what is left does no harm. */
const LEFT_ALONE = [
  'ENOENT',
  'ENOTDIR',
  'ELOOP',
  'EACCES',
  'EPERM',
  'EROFS',
  'EBUSY',
  'ENOTEMPTY',
  'EEXIST',
  'EISDIR',
] as const
