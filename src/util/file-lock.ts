import { constants } from 'node:fs'
import { link, open, rm, type FileHandle } from 'node:fs/promises'
import { GantryError } from '../errors.js'
import { delay, throwIfAborted } from './abort.js'
import { fileError, isSystemError, withFileErrors } from './file-error.js'
import { encodeLockOwner, identifyLock, isLockAbandoned, type LockHolder } from './lock-owner.js'
import { forgetTempPath, rememberTempPath, tempPathBeside, whileMaking } from './temp-path.js'

export interface FileLockOptions {
  /** How long to wait for another process, in milliseconds; default 30 000. */
  readonly timeout?: number
  readonly signal?: AbortSignal
}

/** Waits between attempts, in milliseconds: short at first, as most locks are held for a moment. */
const SHORTEST_WAIT = 2
const LONGEST_WAIT = 100

/**
 * Runs `task` while no other process (and nobody else in this one) holds the lock at `path`. The lock is a file that
 * names its owner; it appears complete, by a hard link, and one whose owner has died is taken over.
 * @param path the lock file; its folder has to be there. Not the file that is protected, but a name beside it
 * @throws GantryError `locked`, naming the owner, when the wait was in vain; `aborted`; `file-error`
 */
export async function withFileLock<T>(path: string, task: () => Promise<T>, options: FileLockOptions = {}): Promise<T> {
  const release = await acquireFileLock(path, options)
  try {
    return await task()
  } finally {
    await release()
  }
}

/** Takes the lock at `path` like {@link withFileLock}, and returns how to give it back. */
export async function acquireFileLock(path: string, options: FileLockOptions = {}): Promise<() => Promise<void>> {
  const { timeout = 30_000, signal } = options
  const deadline = performance.now() + timeout
  let wait = SHORTEST_WAIT
  while (true) {
    throwIfAborted(signal)
    const holder = await identifyLock(path)
    if (holder === undefined && (await whileMaking(() => tryLock(path)))) return () => releaseLock(path)
    const left = deadline - performance.now()
    if (holder !== undefined && isLockAbandoned(holder)) {
      await removeAbandonedLock(path, holder, { ...options, timeout: Math.max(0, left) })
      continue
    }
    if (left <= 0) throw lockedError(path, holder)
    // Jitter: processes that found the lock taken together must not come back together.
    await delay(Math.min(left, wait * (0.5 + Math.random())), signal)
    wait = Math.min(LONGEST_WAIT, wait * 2)
  }
}

/** Writes who we are into a file aside, and links it to the name of the lock: that succeeds for one process alone. */
async function tryLock(path: string): Promise<boolean> {
  const ownerPath = tempPathBeside(path)
  rememberTempPath(ownerPath)
  try {
    await writeNewFile(ownerPath, encodeLockOwner())
    const isOurs = await linkLock(ownerPath, path)
    if (isOurs) rememberTempPath(path)
    return isOurs
  } catch (cause) {
    throw fileError(cause, 'lock', path)
  } finally {
    // What cannot be removed now does no harm, and the next sweep finds it.
    await rm(ownerPath, { force: true }).catch(() => undefined)
    forgetTempPath(ownerPath)
  }
}

async function linkLock(ownerPath: string, path: string): Promise<boolean> {
  try {
    await link(ownerPath, path)
    return true
  } catch (cause) {
    if (isSystemError(cause, 'EEXIST')) return false
    if (!isSystemError(cause, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) throw cause
  }
  // A file system without hard links. Should we die between the next two steps, the lock is empty and expires by age.
  try {
    await writeNewFile(path, encodeLockOwner())
    return true
  } catch (cause) {
    if (isSystemError(cause, 'EEXIST')) return false
    throw cause
  }
}

async function writeNewFile(path: string, bytes: Uint8Array): Promise<void> {
  let handle: FileHandle | undefined
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
    handle = await open(path, flags, 0o600)
    await handle.writeFile(bytes)
  } finally {
    await handle?.close()
  }
}

async function releaseLock(path: string): Promise<void> {
  try {
    await rm(path, { force: true })
  } catch (cause) {
    throw fileError(cause, 'remove', path)
  } finally {
    forgetTempPath(path)
  }
}

/**
 * Removes the lock of a dead process. Two that found it dead must not remove it one after the other, as the second
 * would remove the lock that the first has taken meanwhile: the right to remove this very lock is itself a lock, named
 * after it, and whoever has it looks again. Should that process die too, its right is taken over in the same way.
 */
async function removeAbandonedLock(path: string, holder: LockHolder, options: FileLockOptions): Promise<void> {
  const right = `${path.replace(/\.after-[^/\\]*$/, '')}.after-${holder.id}`
  const remove = async (): Promise<void> => {
    const current = await identifyLock(path)
    if (current?.id === holder.id) await withFileErrors('lock', path, () => rm(path, { force: true }))
  }
  await withFileLock(right, remove, options)
}

function lockedError(path: string, holder: LockHolder | undefined): GantryError {
  const owner = holder?.owner
  const name = owner === undefined ? 'another process' : `process ${owner.pid} on host ${owner.host}`
  return new GantryError('locked', `${path} is held by ${name}`, {
    hint: `try again when that process has ended; if it is gone for good, remove ${path}`,
  })
}
