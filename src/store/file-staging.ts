import { constants } from 'node:fs'
import { copyFile, link } from 'node:fs/promises'
import { join } from 'node:path'
import { fileError, isSystemError, withFileErrors } from '../util/file-error.js'
import { TempFile } from '../util/temp-file.js'
import { TempFolder } from '../util/temp-folder.js'
import { sweepTempFiles } from '../util/temp-path.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { OpenContent } from '../util/bytes.js'
import { receiveIntoFile } from './receive-content.js'
import type { PushOptions } from './store.js'

/**
 * Private folders for what is not published yet, one in each folder that it is going to be published in, so that a
 * rename is enough.
 */
export class FileStaging {
  readonly #folders = new Map<string, Promise<TempFolder>>()
  #count = 0

  /** The private folder inside another one. @throws GantryError `file-error` */
  async folderIn(folder: string): Promise<string> {
    let staging = this.#folders.get(folder)
    if (staging === undefined) {
      staging = openFolder(folder)
      this.#folders.set(folder, staging)
    }
    return (await staging).path
  }

  /** A path in the private folder that nothing has yet. @throws GantryError `file-error` */
  async pathIn(folder: string): Promise<string> {
    return join(await this.folderIn(folder), String(this.#count++))
  }

  /**
   * Receives content into a file that has no name yet, and checks it.
   * @throws GantryError `size-mismatch`, `digest-mismatch`, `file-error`, `aborted`; there is no file then
   */
  async receive(folder: string, descriptor: Descriptor, open: OpenContent, options: PushOptions): Promise<TempFile> {
    const file = await TempFile.create(await this.pathIn(folder))
    try {
      await receiveIntoFile(descriptor, open, file, options)
      await file.flush()
      return file
    } catch (error) {
      await file.discard()
      throw error
    }
  }

  /**
   * A second file with the same content; it shares the blocks of the first where the file system can do that.
   * @param options.hardLinks make it a second name of the same file, where that is possible
   * @throws GantryError `file-error`
   */
  async copy(path: string, folder: string, { hardLinks }: { readonly hardLinks: boolean }): Promise<string> {
    const copied = await this.pathIn(folder)
    if (hardLinks && (await isLinked(path, copied))) return copied
    const flags = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE
    await withFileErrors('write', copied, () => copyFile(path, copied, flags))
    return copied
  }

  /** Removes everything that was not moved away. @throws GantryError `file-error` */
  async discard(): Promise<void> {
    const folders = await Promise.allSettled(this.#folders.values())
    this.#folders.clear()
    for (const folder of folders) if (folder.status === 'fulfilled') await folder.value.discard()
  }
}

/** Whether a file got a second name; another file system, or one without such names, is no error. */
async function isLinked(path: string, name: string): Promise<boolean> {
  try {
    await link(path, name)
    return true
  } catch (cause) {
    if (isSystemError(cause, 'EXDEV', 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK')) return false
    throw fileError(cause, 'create', name)
  }
}

async function openFolder(folder: string): Promise<TempFolder> {
  await sweepTempFiles(folder)
  return TempFolder.create(join(folder, 'staging'))
}
