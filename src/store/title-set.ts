import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { GantryError } from '../errors.js'
import { withFileErrorsSync } from '../util/file-error.js'
import { visibleLine } from '../util/visible-text.js'
import { foldName } from './file-names.js'

/** The names that an artifact gives to its files, of which no two may meet, and none may be a folder that another is in. */
export class TitleSet {
  readonly #root: string
  /** Titles by what a careless file system makes of their paths. */
  readonly #titles = new Map<string, string>()
  /** For every folder that a title leads through, one such title. */
  readonly #parents = new Map<string, string>()
  /** Names are compared as they are. */
  #isExact = false

  /** @param root absolute path of the folder that the titles are below */
  constructor(root: string) {
    this.#root = root
  }

  /**
   * Adds a name; where names clash that only some file systems take for one, finds out about this one.
   * @param openTrial a private folder there, for a try
   * @throws GantryError `unsafe-path`
   */
  async addOn(title: string, openTrial: () => Promise<string>): Promise<void> {
    try {
      this.add(title)
    } catch (error) {
      if (this.#isExact || !tellsNamesApart(await openTrial())) throw error
      this.#isExact = true
      const known = [...this.#titles.values(), title]
      this.#titles.clear()
      this.#parents.clear()
      for (const one of known) this.add(one)
    }
  }

  /** Adds a name that must not clash on any file system. @throws GantryError `unsafe-path` */
  add(title: string): void {
    const path = resolve(this.#root, title)
    const key = this.#keyOf(path)
    const same = this.#titles.get(key)
    if (same === title) return
    if (same !== undefined) throw clash(title, 'is a name that some systems cannot tell from', same)
    const below = this.#parents.get(key)
    if (below !== undefined) throw clash(title, 'is the parent of', below)
    const parents = parentsOf(path).map((parent) => this.#keyOf(parent))
    const above = parents.find((parent) => this.#titles.has(parent))
    if (above !== undefined) throw clash(this.#titles.get(above) ?? '', 'is the parent of', title)
    this.#titles.set(key, title)
    for (const parent of parents) this.#parents.set(parent, title)
  }

  #keyOf(path: string): string {
    return this.#isExact ? path : foldName(path)
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

/** Names that careless file systems take for one: by case, by Unicode normalisation, by characters without appearance. */
const ALIKE = ['a', 'A', '\u00e9', 'e\u0301', 'b', 'b\u200d'] as const

/**
 * Whether the file system of a folder tells names apart that differ in case or spelling only; found out by trying.
 * @param folder a private one
 * @throws GantryError `file-error`
 */
export function tellsNamesApart(folder: string): boolean {
  return withFileErrorsSync('write', folder, () => {
    const trial = mkdtempSync(join(folder, 'names-'))
    try {
      for (const name of ALIKE) writeFileSync(join(trial, name), '')
      return readdirSync(trial).length === ALIKE.length
    } finally {
      rmSync(trial, { recursive: true, force: true })
    }
  })
}
