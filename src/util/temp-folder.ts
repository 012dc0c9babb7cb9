import { mkdir } from 'node:fs/promises'
import { isSystemError, withFileErrors } from './file-error.js'
import { removeTree } from './remove-tree.js'
import { forgetTempPath, rememberTempPath, tempPathBeside, whileMaking } from './temp-path.js'

/** A private folder for work that is not finished, removed with everything in it by {@link discard}. */
export class TempFolder {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /**
   * Makes a folder, open to its owner alone, beside `target`, so that what is in it can be renamed there.
   * @throws GantryError `file-error`
   */
  static async create(target: string): Promise<TempFolder> {
    const path = tempPathBeside(target)
    rememberTempPath(path)
    try {
      await withFileErrors('create', path, () => whileMaking(() => mkdir(path, { mode: 0o700 })))
    } catch (cause) {
      forgetTempPath(path)
      throw cause
    }
    return new TempFolder(path)
  }

  /** The folder has been renamed: it is not ours to remove any more. */
  release(): void {
    forgetTempPath(this.path)
  }

  /** Removes the folder and what is in it; links are removed, never followed. @throws GantryError `file-error` */
  async discard(): Promise<void> {
    await withFileErrors('remove', this.path, () => removeIfThere(this.path))
    forgetTempPath(this.path)
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await removeTree(path)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
  }
}
