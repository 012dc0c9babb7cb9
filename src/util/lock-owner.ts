import { createHash, randomUUID } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { fileError, isSystemError } from './file-error.js'
import { isJsonObject, parseJson } from './json.js'
import { livenessOf, ownIdentity, type ProcessIdentity } from './process-identity.js'
import { openRegularFile } from './read-file.js'

/** A lock that was found, and who holds it. */
export interface LockHolder {
  /** Names this very lock; another one at the same path has another. */
  readonly id: string
  /** Absent when the lock cannot be understood. */
  readonly owner?: ProcessIdentity
  /** Milliseconds since the lock was taken. */
  readonly age: number
}

/** A lock that names nobody is either being written or the rest of a crash of the machine; it is not the former now. */
const UNREADABLE_EXPIRES_AFTER = 10_000

const MAX_LOCK_SIZE = 4096

/** The content of a lock file of this process. */
export function encodeLockOwner(): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ id: randomUUID(), ...ownIdentity() })}\n`)
}

/**
 * Reads a lock file; undefined when there is none.
 * @throws GantryError `file-error` when it is there and cannot be read, or is no regular file
 */
export async function identifyLock(path: string): Promise<LockHolder | undefined> {
  try {
    const handle = await openRegularFile(path)
    try {
      const stats = await handle.stat({ bigint: true })
      const buffer = Buffer.alloc(MAX_LOCK_SIZE)
      const { bytesRead } = await handle.read(buffer, 0, MAX_LOCK_SIZE, 0)
      return holderOf(buffer.subarray(0, bytesRead), stats)
    } finally {
      await handle.close()
    }
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return undefined
    throw fileError(cause, 'lock', path)
  }
}

/** Whether nobody will ever give this lock back. */
export function isLockAbandoned({ owner, age }: LockHolder): boolean {
  return owner === undefined ? age > UNREADABLE_EXPIRES_AFTER : livenessOf(owner) === 'dead'
}

function holderOf(bytes: Uint8Array, stats: BigIntStats): LockHolder {
  const age = Date.now() - Number(stats.mtimeMs)
  const named = parseLockOwner(bytes)
  if (named !== undefined) return { ...named, age }
  const id = createHash('sha256').update(bytes).update(`${stats.ino} ${stats.mtimeNs}`).digest('hex').slice(0, 36)
  return { id, age }
}

function parseLockOwner(bytes: Uint8Array): Pick<LockHolder, 'id' | 'owner'> | undefined {
  let document: unknown
  try {
    document = parseJson(bytes, 'lock')
  } catch {
    // Cut short or foreign: treated by its age.
    return undefined
  }
  if (!isJsonObject(document)) return undefined
  const { id, pid, host, space, started } = document
  if (typeof id !== 'string' || !/^[0-9a-f-]{36}$/.test(id)) return undefined
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) return undefined
  if (typeof host !== 'string' || typeof space !== 'string' || typeof started !== 'string') return undefined
  return { id, owner: { pid, host, space, started } }
}
