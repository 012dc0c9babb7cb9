import { dirname, resolve } from 'node:path'
import { GantryError } from '../errors.js'
import { visibleLine } from '../util/visible-text.js'
import { foldName } from './file-names.js'

/**
 * The names that an artifact gives to its files, of which no two may meet on any file system, and none may be a folder
 * that another one is in.
 */
export class TitleSet {
  readonly #root: string
  /** Titles by what a careless file system makes of their paths. */
  readonly #titles = new Map<string, string>()
  /** For every folder that a title leads through, one such title. */
  readonly #parents = new Map<string, string>()

  /** @param root absolute path of the folder that the titles are below */
  constructor(root: string) {
    this.#root = root
  }

  /** @throws GantryError `unsafe-path` */
  add(title: string): void {
    const path = resolve(this.#root, title)
    const key = foldName(path)
    const same = this.#titles.get(key)
    if (same === title) return
    if (same !== undefined) throw clash(title, 'is a name that some systems cannot tell from', same)
    const below = this.#parents.get(key)
    if (below !== undefined) throw clash(title, 'is the parent of', below)
    const parents = parentsOf(path).map(foldName)
    const above = parents.find((parent) => this.#titles.has(parent))
    if (above !== undefined) throw clash(this.#titles.get(above) ?? '', 'is the parent of', title)
    this.#titles.set(key, title)
    for (const parent of parents) this.#parents.set(parent, title)
  }
}

function parentsOf(path: string): string[] {
  const parents: string[] = []
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) parents.push(folder)
  return parents
}

function clash(title: string, how: string, other: string): GantryError {
  return new GantryError('unsafe-path', `"${visibleLine(title)}" ${how} "${visibleLine(other)}"`)
}
