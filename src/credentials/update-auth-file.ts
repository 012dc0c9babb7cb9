import { lstat, readlink, realpath } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { GantryError, messageOf } from '../errors.js'
import { fileError, isSystemError, withFileErrors } from '../util/file-error.js'
import { withFileLock } from '../util/file-lock.js'
import { makeFolder } from '../util/make-folder.js'
import { TempFile } from '../util/temp-file.js'
import { sweepTempFiles } from '../util/temp-path.js'
import { decodeAuthText, MAX_AUTH_FILE_SIZE, readAuthBytes } from './auth-file.js'

/** Links that lead to links; as many as Linux follows. */
const MAX_LINKS = 40

export interface AuthFileUpdate {
  /** The file that was looked at: where a link leads, when `path` is one. */
  readonly path: string
  readonly changed: boolean
  /** The permission bits that the file had, when others than its owner could read it until now. */
  readonly tightenedFrom?: number | undefined
}

export interface AuthFileUpdateOptions {
  /** Ends the wait for others who write the file. */
  readonly signal?: AbortSignal | undefined
  /** Advice on how to keep the content elsewhere, where the file cannot be written. Default: for credentials. */
  readonly elsewhere?: string | undefined
}

/**
 * Changes the text of a credential file in one step: under a lock that other processes of ours respect, from what it
 * holds at that moment, by a new file that takes its name when it is complete. The file is readable by its owner alone
 * afterwards, and stays that owner's; a link stays a link. Missing folders are made, closed to others.
 * @param path a file that need not exist yet
 * @param change gets the text, blank when there is no file; returns the new text, or the same one for no change
 * @throws GantryError `credential-store-error` when what is there is not a credential file; `file-error`; `locked`;
 *   `aborted` while it waits for others. The file is as it was then. A file that cannot be written is an error only
 *   when its text would change
 */
export async function updateAuthFile(
  path: string,
  change: (text: string) => string,
  {
    signal,
    elsewhere = 'name another folder with DOCKER_CONFIG or another file with REGISTRY_AUTH_FILE',
  }: AuthFileUpdateOptions = {},
): Promise<AuthFileUpdate> {
  const target = await followLinks(path)
  if ((await fileAt(target)) === undefined && change('') === '') return { path: target, changed: false }
  const update = async (): Promise<AuthFileUpdate> => {
    await sweepTempFiles(dirname(target))
    const { existing, text } = await readExisting(target, path)
    const changed = change(text)
    const isLoose = existing !== undefined && isReadableByOthers(existing)
    if (changed !== text || isLoose) await replaceFile(target, changed, existing)
    return { path: target, changed: changed !== text, tightenedFrom: isLoose ? existing.mode & 0o777 : undefined }
  }
  try {
    await withFileErrors('create', dirname(target), () => makeFolder(dirname(target), 0o700))
    return await withFileLock(`${target}.lock`, update, { signal })
  } catch (error) {
    if (!isSystemError(error, ...UNWRITABLE)) throw error
    const { text } = await readExisting(target, path)
    if (change(text) === text) return { path: target, changed: false }
    throw unwritableError(target, elsewhere, error)
  }
}

/** What a file says that is mounted read-only, belongs to another user, or is itself a mount, which nothing can replace. */
const UNWRITABLE = ['EROFS', 'EACCES', 'EPERM', 'EBUSY']

function unwritableError(target: string, elsewhere: string, cause: unknown): GantryError {
  const isMount = isSystemError(cause, 'EBUSY')
  const why = isMount ? 'it is a mount of its own, which cannot be replaced' : messageOf(cause)
  return new GantryError('file-error', `cannot change ${target}: ${why}`, {
    hint: `${isMount ? 'Mount its folder instead' : 'Make the file and its folder writable'}, or ${elsewhere}.`,
    cause,
  })
}

async function readExisting(
  target: string,
  path: string,
): Promise<{ readonly existing: ExistingFile | undefined; readonly text: string }> {
  const existing = await fileAt(target)
  const bytes = existing === undefined ? new Uint8Array() : ((await readAuthBytes(target)) ?? new Uint8Array())
  return { existing, text: await decodeAuthText(bytes, path) }
}

interface ExistingFile {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

async function replaceFile(target: string, text: string, existing: ExistingFile | undefined): Promise<void> {
  const bytes = new TextEncoder().encode(text)
  if (bytes.byteLength > MAX_AUTH_FILE_SIZE) {
    throw new GantryError('limit-exceeded', `${target} would exceed the limit of ${MAX_AUTH_FILE_SIZE} bytes`)
  }
  const file = await TempFile.create(target, { mode: 0o600 })
  try {
    if (existing !== undefined) await keepOwner(file, existing)
    await file.write(bytes)
    await file.publish()
  } catch (cause) {
    await file.discard()
    throw cause
  }
}

/** A file in somebody's home stays theirs when root writes it. */
async function keepOwner(file: TempFile, { uid, gid }: ExistingFile): Promise<void> {
  const own = await file.handle.stat()
  if (own.uid === uid && own.gid === gid) return
  try {
    await file.handle.chown(uid, gid)
  } catch (cause) {
    // Only root may give files away; whoever else can write here can at least read the file afterwards.
    if (!isSystemError(cause, 'EPERM', 'EINVAL', 'ENOSYS', 'ENOTSUP')) throw cause
  }
}

/** Where a path leads, whether or not there is a file: a link to a file that is still to be made stays a link. */
async function followLinks(path: string): Promise<string> {
  let target = path
  for (let count = 0; count < MAX_LINKS; count++) {
    const real = await whenThere(target, () => realpath(target))
    if (real !== undefined) return real
    const link = await whenThere(target, () => readlink(target))
    if (link === undefined) return target
    target = resolve(await withFileErrors('read', target, () => realpath(dirname(target))), link)
  }
  throw new GantryError('file-error', `${path} leads through too many links`)
}

async function fileAt(path: string): Promise<ExistingFile | undefined> {
  const stats = await whenThere(path, () => lstat(path))
  if (stats?.isFile() === false) throw new GantryError('file-error', `${path} is not a regular file`)
  return stats
}

/** The result of a file operation, or undefined when nothing is there. */
async function whenThere<Result>(path: string, operation: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await operation()
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return undefined
    throw fileError(cause, 'read', path)
  }
}

function isReadableByOthers({ mode }: ExistingFile): boolean {
  // The bits mean nothing on Windows.
  return process.platform !== 'win32' && (mode & 0o077) !== 0
}
