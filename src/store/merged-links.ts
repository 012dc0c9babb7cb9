import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { GantryError } from '../errors.js'
import { fileError, isSystemError } from '../util/file-error.js'
import { visibleLine } from '../util/visible-text.js'
import type { PlannedMove } from './merge-folder.js'

/** Links that are followed for one path, as many as Linux follows. */
const MAX_LINKS = 40

/**
 * Holds the links of a folder to what a merge makes of it. Each part was checked when it was laid out, by its own
 * account; only together can links lead through each other, those that are there already among them.
 */
export class MergedLinks {
  readonly #folder: string
  readonly #moves: readonly PlannedMove[]
  /** The links that are moved there, by the paths that they will have. */
  readonly #added: ReadonlySet<string>
  /** Links of somebody else, which lead out already. */
  readonly #foreign: ReadonlySet<string>

  /**
   * @param folder where the merge ends up
   * @param moves what is moved there; nothing has been moved yet
   */
  constructor(folder: string, moves: readonly PlannedMove[]) {
    this.#folder = folder
    this.#moves = moves
    this.#added = new Set(moves.flatMap(({ from, to }) => [...linksBelow(from, to)]))
    // Without new links, what is there leads where it did.
    const present = this.#added.size === 0 ? [] : [...linksBelow(folder, folder)]
    const now = new MergedFolder(folder, [])
    this.#foreign = new Set(present.filter((path) => !this.#added.has(path) && now.leadsOut(path)))
  }

  /** Checks the folder as it will be. @throws GantryError `unsafe-path` for a link that would lead out of it */
  checkBefore(): void {
    this.#check(new MergedFolder(this.#folder, this.#moves))
  }

  /** Checks the folder as it is: another process may have moved links there meanwhile. @throws GantryError `unsafe-path` */
  checkAfter(): void {
    this.#check(new MergedFolder(this.#folder, []))
  }

  #check(merged: MergedFolder): void {
    if (this.#added.size === 0) return
    for (const path of new Set([...this.#added, ...linksBelow(this.#folder, this.#folder)])) {
      if (this.#foreign.has(path) || !merged.leadsOut(path)) continue
      const target = visibleLine(merged.targetOf(path))
      throw new GantryError('unsafe-path', `link ${path} escapes the destination: it leads to "${target}"`)
    }
  }
}

/** A folder as it will be: what is moved there stands before what is there. */
class MergedFolder {
  readonly #folder: string
  readonly #sources: ReadonlyMap<string, string>

  constructor(folder: string, moves: readonly PlannedMove[]) {
    this.#folder = folder
    this.#sources = new Map(moves.map(({ from, to }) => [to, from]))
  }

  targetOf(path: string): string {
    return readlinkSync(this.#sourceOf(path))
  }

  leadsOut(path: string): boolean {
    let here = dirname(path)
    const pending = [path.slice(here.length + 1)]
    let followed = 0
    for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
      if (part === '' || part === '.') continue
      if (part === '..') {
        if (here === this.#folder) return true
        here = dirname(here)
        continue
      }
      const place = join(here, part)
      const source = this.#sourceOf(place)
      if (statsOf(source)?.isSymbolicLink() !== true) {
        here = place
        continue
      }
      const target = readlinkSync(source)
      if (target.startsWith('/') || ++followed > MAX_LINKS) return true
      pending.push(...target.split('/').toReversed())
    }
    return false
  }

  /** Where what will be in a place is now: below a folder that is moved whole, or there already. */
  #sourceOf(place: string): string {
    for (let moved = place; moved.startsWith(this.#folder); moved = dirname(moved)) {
      const from = this.#sources.get(moved)
      if (from !== undefined) return join(from, relative(moved, place))
      if (moved === this.#folder) break
    }
    return place
  }
}

/** The links in a folder, or the link itself, by the paths that they will have. */
function* linksBelow(from: string, to: string): Generator<string, void, undefined> {
  const stats = statsOf(from)
  if (stats?.isSymbolicLink() === true) yield to
  if (stats?.isDirectory() !== true) return
  let entries
  try {
    entries = readdirSync(from, { withFileTypes: true })
  } catch (cause) {
    // What may not be listed is nobody's to pull into either.
    if (isSystemError(cause, 'EACCES', 'EPERM')) return
    throw fileError(cause, 'list', from)
  }
  for (const entry of entries) {
    if (entry.isSymbolicLink()) yield to + sep + entry.name
    else if (entry.isDirectory()) yield* linksBelow(join(from, entry.name), to + sep + entry.name)
  }
}

function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (cause) {
    // A part of the way is a file: there is nothing behind it.
    if (isSystemError(cause, 'ENOTDIR', 'ENAMETOOLONG')) return undefined
    throw fileError(cause, 'read', path)
  }
}
