import { constants } from 'node:fs'
import { lstat, open, readdir, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError } from './file-error.js'

/**
 * Removes a file, or a folder with everything in it, that others may be able to exchange at any moment: no link is
 * followed, and every folder is the one that was looked at.
 * @param uid removes only what belongs to this user; default: whatever it is
 * @throws the error of the operating system
 */
export async function removeTree(path: string, uid?: number): Promise<void> {
  const stats = await lstat(path)
  if (uid !== undefined && stats.uid !== uid) return
  if (!stats.isDirectory()) {
    await unlink(path)
    return
  }
  const folder = await openFolder(path)
  if (folder === undefined) {
    await removeContent(path, uid)
  } else {
    try {
      const opened = await folder.stat()
      if (opened.ino !== stats.ino || opened.dev !== stats.dev) return
      // The folder itself, wherever it has been moved and whatever has taken its name.
      await removeContent(`/proc/self/fd/${folder.fd}`, uid)
    } finally {
      await folder.close()
    }
  }
  await rmdir(path)
}

async function removeContent(folder: string, uid: number | undefined): Promise<void> {
  for (const name of await readdir(folder)) {
    try {
      await removeTree(join(folder, name), uid)
    } catch (error) {
      // Somebody else removes it too.
      if (!isSystemError(error, 'ENOENT')) throw error
    }
  }
}

/** Undefined on systems where a folder cannot be reached by what it was opened as. */
async function openFolder(path: string): Promise<Awaited<ReturnType<typeof open>> | undefined> {
  if (process.platform !== 'linux') return undefined
  return open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
}
