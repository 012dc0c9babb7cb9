import { visibleLine } from '../../util/visible-text.js'
import { problemOfName, type NameProblem } from '../file-names.js'

/** Where an entry of an archive belongs below the folder that the archive is unpacked to. */
export interface EntryPath {
  /** With `/` between its parts; empty for the folder itself. */
  readonly path: string
  /** Why nothing may be written there; undefined where something may. */
  readonly problem: EntryProblem | undefined
}

/** What keeps an entry from being unpacked under its name. */
export interface EntryProblem {
  readonly kind: NameProblem['kind']
  /** Completes the words that say which entry it is. */
  readonly refusal: string
}

/** Finds the paths of entries by their names, all of which have to begin with the name of the folder. */
export class EntryPaths {
  readonly #folderName: string

  /** @param folderName what the archive calls the folder itself */
  constructor(folderName: string) {
    this.#folderName = plainName(folderName)
  }

  pathOf(name: string): EntryPath {
    const plain = plainName(name)
    if (plain === this.#folderName) return { path: '', problem: undefined }
    const start = this.#folderName === '' ? '' : `${this.#folderName}/`
    if (!plain.startsWith(start)) {
      const refusal = `escapes the destination: it is not in "${visibleLine(this.#folderName)}"`
      return { path: plain, problem: { kind: 'escape', refusal } }
    }
    const path = plain.slice(start.length)
    const problem = problemOfName(path)
    return { path, problem: problem === undefined ? undefined : { kind: problem.kind, refusal: refusalOf(problem) } }
  }
}

function refusalOf({ kind, reason }: NameProblem): string {
  return kind === 'escape' ? `escapes the destination: its name ${reason}` : `has a name that ${reason}`
}

/** `./a`, `a/` and `a` name the same; the folder that everything is in is empty. */
function plainName(name: string): string {
  const path = name.replace(/^(\.\/+)+/, '').replace(/\/$/, '')
  return path === '.' ? '' : path
}
