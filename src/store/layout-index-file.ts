import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { GantryError } from '../errors.js'
import {
  checkLayoutFile,
  encodeLayoutFile,
  INDEX_FILE,
  LAYOUT_FILE,
  MAX_LAYOUT_FILE_SIZE,
} from '../oci/image-layout.js'
import { LayoutIndex, MAX_LAYOUT_INDEX_SIZE } from '../oci/layout-index.js'
import { fileError, isSystemError, withFileErrors } from '../util/file-error.js'
import { withFileLock } from '../util/file-lock.js'
import { makeFolder } from '../util/make-folder.js'
import { readSmallFile } from '../util/read-file.js'
import { writeFileAtomically } from '../util/temp-file.js'
import { sweepTempFiles } from '../util/temp-path.js'
import { ChangeQueue } from './change-queue.js'

/**
 * Changes the list in place, under the lock; when it throws, it has to do so before it has changed anything. What it
 * returns runs under the same lock, once the new list is written.
 */
export type IndexChange = (index: LayoutIndex) => Promise<(() => Promise<void>) | undefined>

interface KnownIndex {
  readonly index: LayoutIndex
  readonly bytes: Uint8Array
}

/**
 * The `oci-layout` and `index.json` of a layout in a folder. The list is read, changed and replaced under a lock
 * between processes, so that no change is lost; changes of this process that come together are written together.
 */
export class LayoutIndexFile {
  readonly #folder: string
  readonly #indexPath: string
  readonly #lockPath: string
  readonly #create: boolean
  readonly #beforeWrite: () => Promise<void>
  readonly #queue: ChangeQueue<IndexChange>
  #prepared: Promise<void> | undefined
  #known: KnownIndex | undefined
  /** What the file looked like when it was read last. */
  #stamp: string | undefined

  /** @param beforeWrite makes durable what the list is going to name */
  constructor(folder: string, options: { readonly create: boolean; readonly beforeWrite: () => Promise<void> }) {
    this.#folder = folder
    this.#indexPath = join(folder, INDEX_FILE)
    this.#lockPath = `${this.#indexPath}.lock`
    this.#create = options.create
    this.#beforeWrite = options.beforeWrite
    this.#queue = new ChangeQueue(this.#lockPath, (changes) => this.#commit(changes))
  }

  /**
   * Looks whether the folder is a layout, or may become one.
   * @throws GantryError `not-found`; `invalid-content` and others when it is no layout; `unsupported` for its version
   */
  async check(): Promise<void> {
    if (!(await this.#folderExists())) {
      if (this.#create) return
      throw new GantryError('not-found', `${this.#folder}: no such file or directory`)
    }
    const layoutPath = join(this.#folder, LAYOUT_FILE)
    const layout = await readIfThere(layoutPath, MAX_LAYOUT_FILE_SIZE)
    const index = await readIfThere(this.#indexPath, MAX_LAYOUT_INDEX_SIZE)
    if (layout === undefined) {
      if (this.#create && index === undefined) return
      throw new GantryError('invalid-content', `${this.#folder} is not an image layout: ${LAYOUT_FILE} is missing`)
    }
    checkLayoutFile(layout, layoutPath)
    if (index !== undefined) this.#remember(LayoutIndex.parse(index, this.#indexPath), index)
    else if (!this.#create) throw this.#missingIndex()
  }

  /** The list as it is now; not to be changed by the caller. */
  async read(): Promise<LayoutIndex> {
    const stamp = await stampOf(this.#indexPath)
    if (stamp !== undefined && stamp === this.#stamp && this.#known !== undefined) return this.#known.index
    const bytes = await readIfThere(this.#indexPath, MAX_LAYOUT_INDEX_SIZE)
    const known = this.#parse(bytes)
    this.#known = known
    // Taken before the file was read: should it have been replaced in between, it is read again next time.
    this.#stamp = stamp
    return known.index
  }

  /** Makes the folder a layout where it is none yet. @throws GantryError `file-error`, `locked`, `aborted` */
  async prepare(signal?: AbortSignal): Promise<void> {
    this.#prepared ??= this.#prepare(signal)
    try {
      await this.#prepared
    } catch (cause) {
      this.#prepared = undefined
      throw cause
    }
  }

  /**
   * Changes the list. Returns when the change is on disk.
   * @throws GantryError `locked`, `file-error`, `limit-exceeded`, what `change` throws, and `aborted` while it waits
   */
  async update(change: IndexChange, signal?: AbortSignal): Promise<void> {
    await this.prepare(signal)
    await this.#queue.add(change, signal)
  }

  /** A change that cannot be made does not stand in the way of the others. */
  async #commit(changes: readonly IndexChange[]): Promise<PromiseSettledResult<void>[]> {
    const before = await this.#readUnderLock()
    const index = before.index.clone()
    const outcomes: PromiseSettledResult<(() => Promise<void>) | undefined>[] = []
    for (const change of changes) outcomes.push(await settle(() => change(index)))
    await this.#write(index, before)
    const results: PromiseSettledResult<void>[] = []
    for (const outcome of outcomes) {
      results.push(outcome.status === 'rejected' ? outcome : await settle(async () => outcome.value?.()))
    }
    return results
  }

  async #readUnderLock(): Promise<KnownIndex> {
    const bytes = await readIfThere(this.#indexPath, MAX_LAYOUT_INDEX_SIZE)
    const known = this.#known
    if (bytes !== undefined && known !== undefined && Buffer.compare(bytes, known.bytes) === 0) return known
    return this.#parse(bytes)
  }

  async #write(index: LayoutIndex, before: KnownIndex): Promise<void> {
    const bytes = index.encode()
    if (before.bytes.byteLength > 0 && Buffer.compare(bytes, before.index.encode()) === 0) return
    await this.#beforeWrite()
    await writeFileAtomically(this.#indexPath, bytes)
    this.#remember(index, bytes)
    this.#stamp = await stampOf(this.#indexPath)
  }

  async #prepare(signal: AbortSignal | undefined): Promise<void> {
    await withFileErrors('create', this.#folder, () => makeFolder(this.#folder))
    await sweepTempFiles(this.#folder)
    const layoutPath = join(this.#folder, LAYOUT_FILE)
    if ((await stampOf(layoutPath)) !== undefined && (await stampOf(this.#indexPath)) !== undefined) return
    await withFileLock(
      this.#lockPath,
      async () => {
        await this.check()
        if ((await stampOf(layoutPath)) === undefined) await writeFileAtomically(layoutPath, encodeLayoutFile())
        if ((await stampOf(this.#indexPath)) !== undefined) return
        await writeFileAtomically(this.#indexPath, LayoutIndex.create().encode())
      },
      { signal },
    )
  }

  async #folderExists(): Promise<boolean> {
    try {
      if ((await stat(this.#folder)).isDirectory()) return true
    } catch (cause) {
      if (isSystemError(cause, 'ENOENT')) return false
      throw fileError(cause, 'read', this.#folder)
    }
    throw new GantryError('file-error', `${this.#folder} is not a folder`)
  }

  #parse(bytes: Uint8Array | undefined): KnownIndex {
    if (bytes !== undefined) return { index: LayoutIndex.parse(bytes, this.#indexPath), bytes }
    if (!this.#create) throw this.#missingIndex()
    return { index: LayoutIndex.create(), bytes: new Uint8Array() }
  }

  #remember(index: LayoutIndex, bytes: Uint8Array): void {
    this.#known = { index, bytes }
  }

  #missingIndex(): GantryError {
    return new GantryError('invalid-content', `${this.#folder} is not an image layout: ${INDEX_FILE} is missing`)
  }
}

async function settle<T>(run: () => Promise<T>): Promise<PromiseSettledResult<T>> {
  const [outcome] = await Promise.allSettled([run()])
  return outcome
}

async function readIfThere(path: string, limit: number): Promise<Uint8Array | undefined> {
  try {
    return await readSmallFile(path, limit)
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return undefined
    throw cause
  }
}

/** Differs whenever a file has been replaced or changed; undefined when there is none. */
async function stampOf(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    return `${ino}:${size}:${mtimeNs}:${ctimeNs}`
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return undefined
    throw fileError(cause, 'read', path)
  }
}
