import { createHash } from 'node:crypto'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Everything below a folder, one line for each entry with type, mode, size, and the digest of its content or the target
 * of its link: two of them are equal when nothing changed on disk. A folder that does not exist has no lines.
 */
export async function snapshotFolder(folder: string): Promise<readonly string[]> {
  const lines: string[] = []
  await visit(folder, '', lines)
  return lines.sort()
}

async function visit(root: string, path: string, lines: string[]): Promise<void> {
  const absolute = join(root, path)
  const names = await readdir(absolute).catch((error: unknown) => {
    if (path === '' && (error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  })
  for (const name of names) {
    const entry = path === '' ? name : `${path}/${name}`
    const status = await lstat(join(root, entry))
    const mode = (status.mode & 0o7777).toString(8)
    if (status.isDirectory()) {
      lines.push(`${entry}/ ${mode}`)
      await visit(root, entry, lines)
    } else if (status.isSymbolicLink()) lines.push(`${entry} -> ${await readlink(join(root, entry))}`)
    else if (!status.isFile()) lines.push(`${entry} special ${mode}`)
    else {
      const digest = createHash('sha256')
        .update(await readFile(join(root, entry)))
        .digest('hex')
      lines.push(`${entry} ${mode} ${status.size} ${digest}`)
    }
  }
}
