import { GantryError } from '../../errors.js'
import { visibleLine } from '../../util/visible-text.js'
import { foldName, MAX_PATH_BYTES, problemOfName } from '../file-names.js'

/** What has been taken out of an archive under one name. */
interface TreeNode {
  readonly kind: 'folder' | 'file' | 'link'
  readonly path: string
  /** The parts of a link's target. */
  readonly target: readonly string[]
  /** A folder that no entry has named yet; an entry may still say what its mode is. */
  isImplied: boolean
}

/** A link that leads out of the folder. */
export interface EscapingLink {
  readonly path: string
  /** Completes the words that say which link it is. */
  readonly problem: string
}

/** Links that are followed for one path, as many as Linux follows. */
const MAX_LINKS = 40

/**
 * What an archive has laid out so far, by its own account: whether an entry may be written is decided here, and never
 * by looking at the disk, so that no order of links, files and folders leads out of the folder or writes over anything.
 */
export class UnpackTree {
  readonly #nodes = new Map<string, TreeNode>()
  /** Exact paths of folders, as most entries have the parent of the one before. */
  readonly #folders = new Set<string>([''])
  readonly #links: TreeNode[] = []

  /**
   * Notes a folder.
   * @returns the folders that have to be made before, outermost first, and whether the folder itself is there already
   * @throws GantryError `unsafe-path`
   */
  addFolder(path: string, where: string): { readonly missing: readonly string[]; readonly isThere: boolean } {
    const existing = path === '' ? undefined : this.#nodes.get(foldName(path))
    if (existing?.kind === 'folder' && existing.path === path && existing.isImplied) {
      existing.isImplied = false
      return { missing: [], isThere: true }
    }
    const missing = this.#addParents(path, where)
    this.#add({ kind: 'folder', path, target: [], isImplied: false }, where)
    this.#folders.add(path)
    return { missing, isThere: false }
  }

  /** Notes a file. @returns the folders to be made before, outermost first. @throws GantryError `unsafe-path` */
  addFile(path: string, where: string): readonly string[] {
    const missing = this.#addParents(path, where)
    this.#add({ kind: 'file', path, target: [], isImplied: false }, where)
    return missing
  }

  /** Notes a symbolic link; where it leads is checked by {@link checkLinks}. @see addFile */
  addLink(path: string, target: string, where: string): readonly string[] {
    const problem = problemOfTarget(target)
    if (problem !== undefined) {
      throw unsafe(`${where} escapes the destination: it links to ${quoted(target)}, which ${problem}`)
    }
    const missing = this.#addParents(path, where)
    const node: TreeNode = { kind: 'link', path, target: target.split('/'), isImplied: false }
    this.#add(node, where)
    this.#links.push(node)
    return missing
  }

  /** @throws GantryError `unsafe-path` when the archive has not laid out a file of this name */
  requireFile(path: string, where: string): void {
    const node = this.#nodes.get(foldName(path))
    if (node?.kind !== 'file' || node.path !== path) {
      throw unsafe(`${where} is a hard link to ${quoted(path)}, which is no file of the same archive`)
    }
  }

  /**
   * Follows every link through what the archive has laid out in the end, as links may lead through each other.
   * @throws GantryError `unsafe-path` when one leads out of the folder
   */
  checkLinks(what: string): void {
    for (const { path, problem } of this.escapingLinks()) throw unsafe(`link ${quoted(path)} of ${what} ${problem}`)
  }

  /** The links that lead out of the folder, in the order of the archive. */
  *escapingLinks(): Generator<EscapingLink, void, undefined> {
    for (const link of this.#links) {
      if (this.#staysInside(link)) continue
      yield { path: link.path, problem: `escapes the destination: it leads to ${quoted(link.target.join('/'))}` }
    }
  }

  #staysInside(link: TreeNode): boolean {
    const here = link.path.split('/').slice(0, -1)
    const pending = link.target.toReversed()
    let followed = 1
    for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
      if (part === '' || part === '.') continue
      if (part === '..') {
        if (here.pop() === undefined) return false
        continue
      }
      here.push(part)
      const node = this.#nodes.get(foldName(here.join('/')))
      if (node?.kind !== 'link') continue
      followed++
      if (followed > MAX_LINKS) return false
      here.pop()
      pending.push(...node.target.toReversed())
    }
    return true
  }

  #addParents(path: string, where: string): string[] {
    const missing: string[] = []
    for (let parent = parentOf(path); !this.#folders.has(parent); parent = parentOf(parent)) {
      this.#add({ kind: 'folder', path: parent, target: [], isImplied: true }, where)
      missing.unshift(parent)
    }
    for (const folder of missing) this.#folders.add(folder)
    return missing
  }

  #add(node: TreeNode, where: string): void {
    const key = foldName(node.path)
    const existing = this.#nodes.get(key)
    if (existing === undefined && node.path !== '') {
      this.#nodes.set(key, node)
      return
    }
    if (existing === undefined || existing.path === node.path) throw unsafe(conflictOf(node, existing, where))
    throw unsafe(`${where} has a name that some systems cannot tell from ${quoted(existing.path)}`)
  }
}

function conflictOf(node: TreeNode, existing: TreeNode | undefined, where: string): string {
  if (existing === undefined) return `${where} has the name of the folder itself`
  if (!node.isImplied) return `${where} comes a second time`
  const obstacle = existing.kind === 'link' ? 'a link' : 'a file'
  return `${where} escapes the destination: it passes through ${quoted(existing.path)}, which is ${obstacle}`
}

function problemOfTarget(target: string): string | undefined {
  if (target === '') return 'is empty'
  if (Buffer.byteLength(target) > MAX_PATH_BYTES) return `is longer than ${MAX_PATH_BYTES} bytes`
  if (target.startsWith('/')) return 'is absolute'
  // `..` is what is allowed here and nowhere else; where it leads is seen in the end.
  const named = target.split('/').filter((part) => part !== '..' && part !== '.' && part !== '')
  const problem = named.length === 0 ? undefined : problemOfName(named.join('/'))
  return problem === undefined || problem.kind === 'unportable' ? undefined : problem.reason
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

function unsafe(message: string): GantryError {
  return new GantryError('unsafe-path', message)
}

function quoted(name: string): string {
  return `"${visibleLine(name)}"`
}
