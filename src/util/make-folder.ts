import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isSystemError } from './file-error.js'

/**
 * Makes a folder, and those that it is in, where they are missing. Each is tried twice at most: Node's own way tries for
 * ever where a file system says of a folder that is there that it is not, as `/proc` does.
 * @param mode of all folders that are made, reduced by the process's umask; default 0o777
 * @throws the error of the operating system
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, { mode })
  } catch (error) {
    if (isSystemError(error, 'ENOENT') && dirname(path) !== path) {
      await makeFolder(dirname(path), mode)
      await makeMissing(path, mode)
      return
    }
    await requireFolder(path, error)
  }
}

async function makeMissing(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode })
  } catch (error) {
    // Another process may have made it meanwhile.
    await requireFolder(path, error)
  }
}

/** Some systems say of a folder that is there that it may not be made, as on a disk that is read-only. */
async function requireFolder(path: string, error: unknown): Promise<void> {
  if (!isSystemError(error, 'EEXIST', 'EISDIR', 'EROFS', 'EACCES', 'EPERM')) throw error
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (!isFolder) throw error
}
