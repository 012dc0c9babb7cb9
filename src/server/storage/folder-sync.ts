import { syncFolder } from '../../util/temp-file.js'

/** Makes the names in one folder durable, for many writers at once: those that wait together share one call. */
export class FolderSync {
  readonly #folder: string
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * Resolves when every name that was there at the time of the call is durable.
   * @throws GantryError `file-error`
   */
  sync(): Promise<void> {
    // One that runs already may have begun before the caller's name was there.
    this.#next ??= this.#startAfter(this.#running)
    return this.#next
  }

  async #startAfter(running: Promise<void> | undefined): Promise<void> {
    // Its failure belongs to those who wait for it.
    await running?.catch(() => undefined)
    this.#running = this.#next
    this.#next = undefined
    await syncFolder(this.#folder)
  }
}
