import { lstatSync, type Stats } from 'node:fs'
import { lstat, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { GantryError } from '../errors.js'
import { fileError, isSystemError, withFileErrors } from '../util/file-error.js'
import { visibleLine } from '../util/visible-text.js'
import { problemOfName, type NameProblem } from './file-names.js'

export interface FileTargetOptions {
  /** Refuse to replace what is there; default false. */
  readonly keepOldFiles?: boolean
  /** Take names that lead out of the folder, absolute ones too; default false. */
  readonly allowPathTraversal?: boolean
  /** Take names that mean something else on Windows; default false, and not for Windows. */
  readonly allowUnportableNames?: boolean
}

/** A name that a manifest gives to a file or folder. */
export interface TitledContent {
  readonly title: string
  readonly isFolder: boolean
}

/** Where something is going to be written. */
export interface FileTarget {
  /** The path with all links resolved, but for one in its last part, which is replaced itself. */
  readonly path: string
  /** The deepest folder on the way that is there; what is written goes here first. */
  readonly ancestor: string
  /** Whether a folder is there already, which this one becomes a part of. */
  readonly isMerge: boolean
}

/** Title of a folder that was packed from inside. */
const ROOT = '.'

const REFUSED = 'failed to resolve path for writing'

/** Finds out where content with a title may be written below a folder, by the name and by what is on the disk now. */
export class FileTargetResolver {
  readonly #root: string
  readonly #options: FileTargetOptions
  /** What has been found out about folders, as most files share theirs. */
  readonly #ancestors = new Map<string, Ancestor>()

  /** @param root absolute path of the folder, which need not be there */
  constructor(root: string, options: FileTargetOptions) {
    this.#root = root
    this.#options = options
  }

  /**
   * @throws GantryError `unsafe-path` when the name leads out of the folder or is none; `already-exists` when something
   *   must not be replaced; `file-error` when something of another kind is in the way
   */
  async resolve({ title, isFolder }: TitledContent): Promise<FileTarget> {
    const { path, ancestor } = isFolder && title === ROOT ? await this.#placeOfRoot() : await this.#placeOf(title)
    const stats = statsAt(path)
    if (stats !== undefined && this.#options.keepOldFiles === true) {
      throw new GantryError('already-exists', `${REFUSED}: overwrite disallowed: ${visibleLine(title)}`)
    }
    if (stats?.isDirectory() === true && !isFolder) {
      throw new GantryError('file-error', `cannot write ${path}: it is a folder`)
    }
    if (stats !== undefined && isFolder && !stats.isDirectory() && !stats.isSymbolicLink()) {
      throw new GantryError('file-error', `cannot write ${path}: a file is in the place of the folder`)
    }
    return { path, ancestor, isMerge: stats?.isDirectory() === true }
  }

  async #placeOf(title: string): Promise<Omit<FileTarget, 'isMerge'>> {
    checkTitle(title, this.#options)
    const wanted = resolve(this.#root, title)
    const { folder, real } = await this.#ancestorOf(dirname(wanted), title)
    return { path: join(real, relative(folder, dirname(wanted)), basename(wanted)), ancestor: real }
  }

  /** A folder that was packed as the current one is the output folder itself, and nothing beside it. */
  async #placeOfRoot(): Promise<Omit<FileTarget, 'isMerge'>> {
    const folder = await deepestFolder(this.#root)
    const real = await realPath(folder, ROOT)
    return { path: join(real, relative(folder, this.#root)), ancestor: real }
  }

  async #ancestorOf(parent: string, title: string): Promise<Ancestor> {
    const known = this.#ancestors.get(parent)
    if (known !== undefined) return known
    const folder = await deepestFolder(parent)
    const real = await realPath(folder, title)
    if (this.#options.allowPathTraversal !== true) await this.#checkInside(folder, real, title)
    const ancestor = { folder, real }
    this.#ancestors.set(parent, ancestor)
    return ancestor
  }

  /** @param folder what `real` is without links */
  async #checkInside(folder: string, real: string, title: string): Promise<void> {
    // Where the output folder was not there yet, nothing in it can lead out of it.
    if (folder !== this.#root && isBelow(this.#root, folder)) return
    const realRoot = await withFileErrors('read', this.#root, () => realpath(this.#root))
    if (!isBelow(real, realRoot)) throw traversal(title, `leads out of ${this.#root} through a link`)
  }
}

/** The deepest folder on the way to a file that is there. */
interface Ancestor {
  readonly folder: string
  /** With all links resolved. */
  readonly real: string
}

/** The folder that is there, of those that a path leads through. */
async function deepestFolder(path: string): Promise<string> {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      await lstat(folder)
      return folder
    } catch (cause) {
      if (!isSystemError(cause, 'ENOENT') || dirname(folder) === folder) throw fileError(cause, 'create', path)
    }
  }
}

async function realPath(folder: string, title: string): Promise<string> {
  try {
    const real = await realpath(folder)
    if ((await stat(real)).isDirectory()) return real
  } catch (cause) {
    if (!isSystemError(cause, 'ENOENT', 'ELOOP')) throw fileError(cause, 'create', folder)
    throw traversal(title, `passes through the link ${folder}, which leads nowhere`, cause)
  }
  throw new GantryError('file-error', `cannot create ${folder}: it is not a folder`)
}

/** Whether a path is a folder or something in it. A prefix of the text alone would take `/out-sib` for a part of `/out`. */
function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`)
}

function checkTitle(title: string, options: FileTargetOptions): void {
  const problem = problemOfTitle(title, options)
  if (problem === undefined) return
  if (problem.kind === 'escape') throw traversal(title, problem.reason)
  throw new GantryError('unsafe-path', `${REFUSED}: the name "${visibleLine(title)}" ${problem.reason}`, {
    details: { reason: problem.kind === 'unportable' ? 'unportable-name' : undefined },
  })
}

/** Why content with a title is not written, by the title alone; undefined when it may be. */
export function problemOfTitle(
  title: string,
  { allowPathTraversal, allowUnportableNames }: FileTargetOptions = {},
): NameProblem | undefined {
  if (allowPathTraversal === true) {
    const named = title.split(/[/\\]/).filter((part) => part !== '' && part !== '.' && part !== '..')
    const problem = title === '' ? problemOfName(title) : problemOfName(named.join('/') || 'x')
    return problem?.kind === 'invalid' ? problem : undefined
  }
  const problem = problemOfName(title)
  const isTaken = problem?.kind === 'unportable' && allowUnportableNames === true && process.platform !== 'win32'
  return isTaken ? undefined : problem
}

function traversal(title: string, reason: string, cause?: unknown): GantryError {
  return new GantryError('unsafe-path', `${REFUSED}: path traversal disallowed: "${visibleLine(title)}" ${reason}`, {
    details: { reason: 'path-traversal' },
    hint: 'writing outside of the output folder is not safe; allow it only where whoever made the content is trusted',
    cause,
  })
}

function statsAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (cause) {
    throw fileError(cause, 'read', path)
  }
}
