import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TempFolder } from '../util/temp-folder.js'

/** A folder for temporary files that is made when the first one is. */
export class WorkFolder {
  readonly #parent: string
  #folder: Promise<TempFolder> | undefined

  /** @param parent default: the system's folder for temporary files */
  constructor(parent: string | undefined) {
    this.#parent = parent ?? tmpdir()
  }

  /** The path of the folder. */
  async open(): Promise<string> {
    this.#folder ??= TempFolder.create(join(this.#parent, 'image'))
    return (await this.#folder).path
  }

  /** Removes the folder with everything in it. */
  async discard(): Promise<void> {
    await (await this.#folder)?.discard()
  }
}
