import { linkSync, lstatSync, mkdirSync, renameSync, rmdirSync, type Stats } from 'node:fs'
import { dirname, join } from 'node:path'
import { GantryError, messageOf } from '../errors.js'
import { fileError, isSystemError } from '../util/file-error.js'
import type { PlannedMove } from './merge-folder.js'
import { MergedLinks } from './merged-links.js'

/** What one file or folder takes to get its name. */
export interface PublishStep {
  /** Where it is going to be. */
  readonly folder: string
  /** Takes what is replaced. */
  readonly aside: string
  readonly moves: readonly PlannedMove[]
  /** The folder that is there already. */
  readonly merged: string | undefined
}

/**
 * Gives everything its name, or takes all of it back.
 * @throws GantryError `file-error`; `unsafe-path` for links that lead out of a folder together with those that are there
 */
export function moveAll(steps: readonly PublishStep[]): void {
  const done = new FileMoves()
  try {
    for (const { folder, aside, moves, merged } of steps) {
      const links = merged === undefined ? undefined : new MergedLinks(merged, moves)
      links?.checkBefore()
      done.makeFolder(folder)
      for (const { from, to } of moves) done.move(from, to, aside)
      links?.checkAfter()
    }
  } catch (error) {
    throw done.undo(error)
  }
}

/**
 * Moves files into place, and back again if one of them cannot be moved. What is replaced is kept aside until then.
 * All calls are synchronous, so that nothing of this process gets in between.
 */
export class FileMoves {
  readonly #undo: (() => void)[] = []
  #kept = 0

  /** Makes a folder, and those that it is in, where they are missing. @throws GantryError `file-error` */
  makeFolder(path: string): void {
    if (statsAt(path) !== undefined) return
    this.makeFolder(dirname(path))
    run('create', path, () => {
      mkdirSync(path)
    })
    this.#undo.push(() => {
      rmdirSync(path)
    })
  }

  /**
   * Gives a file or folder its name; a file or link of this name is replaced, a file by a file in one step.
   * @param aside a folder on the same file system, for what is replaced
   * @throws GantryError `file-error`
   */
  move(from: string, to: string, aside: string): void {
    const replaced = statsAt(to)
    // It came between the plan and the move.
    if (replaced?.isDirectory() === true) throw new GantryError('file-error', `cannot rename ${to}: a folder is there`)
    const kept = join(aside, `replaced-${this.#kept++}`)
    run('rename', to, () => {
      if (replaced === undefined) this.#rename(from, to)
      else if (replaced.isFile() && canMoveOver(from) && keepLink(to, kept)) this.#renameOver(from, to, kept)
      else {
        this.#rename(to, kept)
        this.#rename(from, to)
      }
    })
  }

  /**
   * Takes everything back, the last step first.
   * @param reason why
   * @returns the error to throw: the reason, or a worse one when something could not be taken back
   */
  undo(reason: unknown): unknown {
    try {
      for (let step = this.#undo.pop(); step !== undefined; step = this.#undo.pop()) step()
      return reason
    } catch (cause) {
      const message = `${messageOf(reason)}; and what was changed before could not be taken back: ${messageOf(cause)}`
      return new GantryError('file-error', message, { cause: reason })
    }
  }

  #rename(from: string, to: string): void {
    renameSync(from, to)
    this.#undo.push(() => {
      renameSync(to, from)
    })
  }

  #renameOver(from: string, to: string, kept: string): void {
    renameSync(from, to)
    this.#undo.push(() => {
      renameSync(kept, to)
    })
  }
}

/** A folder cannot take the place of a file in one step. */
function canMoveOver(from: string): boolean {
  return statsAt(from)?.isDirectory() !== true
}

/** A second name for a file, so that its own name is never without one of the two. */
function keepLink(path: string, kept: string): boolean {
  try {
    linkSync(path, kept)
    return true
  } catch {
    // No hard links here, or not for us: the file is moved away instead.
    return false
  }
}

function statsAt(path: string): Stats | undefined {
  return run('read', path, () => lstatSync(path, { throwIfNoEntry: false }))
}

function run<T>(action: 'create' | 'rename' | 'read', path: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (action === 'rename' && isSystemError(cause, 'EXDEV')) {
      throw new GantryError('file-error', `cannot rename ${path}: it is on another file system`, { cause })
    }
    throw fileError(cause, action, path)
  }
}
