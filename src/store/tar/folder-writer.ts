import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  futimesSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
} from 'node:fs'
import { write, writeSync, copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Bytes } from '../../util/bytes.js'
import { fileError, isSystemError } from '../../util/file-error.js'

/** What a file gets besides its content. */
export interface FileAttributes {
  readonly mode: number
  /** Seconds since 1970; 0 leaves the time of writing. */
  readonly modified: number
}

/** What the owner can always do with what was unpacked. */
const OWNER_FILE_MODE = 0o600
const OWNER_FOLDER_MODE = 0o700
/** Without setuid, setgid and sticky. */
const PERMISSION_BITS = 0o777

/** Content up to this size is gathered and written at once, in bytes. */
export const SMALL_FILE_SIZE = 1024 * 1024

const writeAsync = promisify(write)

/**
 * Writes below a folder that nobody else writes to, and only to names that are not there yet. Calls are synchronous
 * but for large content: for thousands of small files, promises cost more than the work.
 */
export class FolderWriter {
  readonly #root: string

  /** Makes the folder, which must not be there. @throws GantryError `file-error` */
  constructor(root: string) {
    this.#root = root
    this.makeFolder('', PERMISSION_BITS)
  }

  /** @param mode reduced by the process's umask */
  makeFolder(path: string, mode: number): void {
    this.#run('create', path, (target) => mkdirSync(target, { mode: folderModeOf(mode) }))
  }

  /** Narrows the mode of a folder that was made before anything was known about it. */
  setFolderMode(path: string, mode: number): void {
    // Nothing like it exists on Windows, where folders cannot be opened either.
    if (process.platform === 'win32') return
    this.#run('write', path, (target) => {
      const descriptor = openSync(target, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
      try {
        // It was made with all bits that the umask allows.
        fchmodSync(descriptor, fstatSync(descriptor).mode & folderModeOf(mode))
      } finally {
        closeSync(descriptor)
      }
    })
  }

  writeSmallFile(path: string, content: Uint8Array, attributes: FileAttributes): void {
    this.#run('write', path, (target) => {
      const descriptor = createFile(target, attributes.mode)
      try {
        for (let offset = 0; offset < content.byteLength;) offset += writeSync(descriptor, content, offset)
        setTime(descriptor, attributes.modified)
      } finally {
        closeSync(descriptor)
      }
    })
  }

  async writeLargeFile(path: string, content: Bytes, attributes: FileAttributes): Promise<void> {
    const target = join(this.#root, path)
    try {
      const descriptor = createFile(target, attributes.mode)
      try {
        for await (const chunk of content) {
          for (let rest = chunk; rest.byteLength > 0;) {
            rest = rest.subarray((await writeAsync(descriptor, rest, 0, rest.byteLength, null)).bytesWritten)
          }
        }
        setTime(descriptor, attributes.modified)
      } finally {
        closeSync(descriptor)
      }
    } catch (cause) {
      throw fileError(cause, 'write', target)
    }
  }

  /**
   * Gives a file a second name; where the file system has no hard links, or no more for this file, it is copied.
   * @param beforeCopy called first then, and may throw
   */
  makeHardLink(path: string, existing: string, beforeCopy: () => void): void {
    this.#run('create', path, (target) => {
      const source = join(this.#root, existing)
      try {
        linkSync(source, target)
      } catch (cause) {
        if (!isSystemError(cause, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK')) throw cause
        beforeCopy()
        copyFileSync(source, target, constants.COPYFILE_EXCL)
      }
    })
  }

  makeSymbolicLink(path: string, linkTarget: string): void {
    this.#run('create', path, (target) => symlinkSync(linkTarget, target))
  }

  #run(action: 'create' | 'write', path: string, work: (target: string) => void): void {
    const target = join(this.#root, path)
    try {
      work(target)
    } catch (cause) {
      throw fileError(cause, action, target)
    }
  }
}

function createFile(path: string, mode: number): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  return openSync(path, flags, (mode & PERMISSION_BITS) | OWNER_FILE_MODE)
}

function folderModeOf(mode: number): number {
  return (mode & PERMISSION_BITS) | OWNER_FOLDER_MODE
}

/** A time in the future would confuse whoever compares times. */
function setTime(descriptor: number, modified: number): void {
  const now = Date.now() / 1000
  if (modified > 0) futimesSync(descriptor, now, Math.min(modified, now))
}
