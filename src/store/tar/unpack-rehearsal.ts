import { GantryError, isGantryError } from '../../errors.js'
import { visibleLine } from '../../util/visible-text.js'
import type { TarEntryHeader } from './encode-tar-header.js'
import { EntryPaths } from './entry-paths.js'
import { DEFAULT_MAX_ENTRIES } from './tar-checker.js'
import { UnpackTree } from './unpack-tree.js'

/** How many entries a message names. */
const NAMED = 10

/** Entries that something is wrong with. */
export interface RefusedEntries {
  readonly count: number
  /** What is wrong with the first ones, a sentence for each. */
  readonly reasons: readonly string[]
}

/**
 * Holds what is about to be packed to the rules by which archives are unpacked, so that nothing is packed that could
 * not be had again. What is in a folder that is refused is not counted beside it.
 */
export class UnpackRehearsal {
  readonly #paths: EntryPaths
  readonly #folder: string
  readonly #maxEntries: number
  readonly #tree = new UnpackTree()
  readonly #refused = new Refusals()
  readonly #unportable = new Refusals()
  #entries = 0

  /**
   * @param name prefix of all names in the archive
   * @param folder names the folder in errors
   * @param maxEntries entries that an archive may have
   */
  constructor(name: string, folder: string, maxEntries = DEFAULT_MAX_ENTRIES) {
    this.#paths = new EntryPaths(name)
    this.#folder = folder
    this.#maxEntries = maxEntries
  }

  /** Whether {@link finish} is going to throw. */
  get hasFailed(): boolean {
    return this.#refused.count > 0 || this.#entries > this.#maxEntries
  }

  /** Entries that are only unpacked where names are allowed that mean something else on other systems. */
  get unportable(): RefusedEntries {
    return this.#unportable
  }

  /** Takes the entries in the order of the archive, each folder right before what it holds. */
  add({ type, name, linkName = '' }: TarEntryHeader): void {
    this.#entries++
    const { path, problem } = this.#paths.pathOf(name)
    if (path === '' && problem === undefined) return
    if (this.#refused.hasParentOf(path)) return
    if (problem !== undefined) {
      const refusals = problem.kind === 'unportable' ? this.#unportable : this.#refused
      refusals.add(path, `"${visibleLine(path)}" ${problem.refusal}`)
      if (refusals === this.#refused) return
    }
    // Whatever had to be made visible has been refused by now.
    const where = `"${path}"`
    try {
      if (type === 'directory') this.#tree.addFolder(path, where)
      else if (type === 'file') this.#tree.addFile(path, where)
      else this.#tree.addLink(path, linkName, where)
    } catch (error) {
      if (!isGantryError(error, 'unsafe-path')) throw error
      this.#refused.add(path, error.message)
    }
  }

  /** @throws GantryError `unsupported` with what is wrong; `limit-exceeded` for more entries than are unpacked */
  finish(): void {
    if (this.#entries > this.#maxEntries) {
      throw new GantryError(
        'limit-exceeded',
        `cannot pack ${this.#folder}: it has more than ${this.#maxEntries} entries, and would not be unpacked again`,
      )
    }
    for (const { path, problem } of this.#tree.escapingLinks()) {
      this.#refused.add(path, `"${visibleLine(path)}" ${problem}`)
    }
    const { count } = this.#refused
    if (count === 0) return
    const what = count === 1 ? 'an entry' : `${count} entries`
    throw new GantryError(
      'unsupported',
      `cannot pack ${this.#folder}: it has ${what} that would not be unpacked again: ${formatRefused(this.#refused)}`,
      { hint: 'leave them out or rename them, or make an archive of the folder yourself and push that as a file' },
    )
  }
}

/** The reasons in one line, and how many there are beyond those. */
export function formatRefused({ count, reasons }: RefusedEntries): string {
  const more = count > reasons.length ? [`and ${count - reasons.length} more`] : []
  return [...reasons, ...more].join('; ')
}

class Refusals implements RefusedEntries {
  readonly reasons: string[] = []
  count = 0
  #last = ''

  add(path: string, reason: string): void {
    if (this.hasParentOf(path)) return
    this.#last = `${path}/`
    this.count++
    if (this.reasons.length < NAMED) this.reasons.push(reason)
  }

  /** Whether the path is in the one that was added last. */
  hasParentOf(path: string): boolean {
    return this.#last !== '' && path.startsWith(this.#last)
  }
}
