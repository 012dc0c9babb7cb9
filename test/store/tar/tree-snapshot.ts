import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** Everything about a folder that a program could change by mistake, by path. */
export type TreeSnapshot = Readonly<Record<string, string>>

/** Looks at a folder and all that is in it, without following links. */
export function snapshotOf(folder: string): TreeSnapshot {
  const lines: Record<string, string> = {}
  const visit = (path: string, name: string): void => {
    const stats = lstatSync(path)
    const mode = (stats.mode & 0o7777).toString(8)
    if (stats.isSymbolicLink()) lines[name] = `link to ${readlinkSync(path)}`
    else if (stats.isDirectory()) {
      lines[name] = `folder ${mode}`
      for (const child of readdirSync(path)) visit(join(path, child), `${name}/${child}`)
    } else {
      const digest = createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 12)
      lines[name] = `file ${mode} ${digest} inode ${stats.ino} links ${stats.nlink}`
    }
  }
  visit(folder, '.')
  return lines
}

/** Paths, kinds, modes and content, without what differs between two copies. */
export function contentOf(folder: string): TreeSnapshot {
  const entries = Object.entries(snapshotOf(folder))
  return Object.fromEntries(entries.map(([path, line]) => [path, line.replace(/ inode.*/, '')]))
}
