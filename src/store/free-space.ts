import { stat, statfs } from 'node:fs/promises'
import { GantryError } from '../errors.js'
import { withFileErrors } from '../util/file-error.js'

/** What is free on the file system of a folder, in bytes; Infinity where that is not known. */
export async function freeBytesIn(folder: string): Promise<number> {
  const { bavail, bsize, blocks } = await withFileErrors('read', folder, () => statfs(folder))
  // Some virtual file systems have no figures.
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize
}

/**
 * Checks that there is room for what is to be written, in bytes by folder.
 * @throws GantryError `limit-exceeded`
 */
export async function requireFree(neededIn: ReadonlyMap<string, number>): Promise<void> {
  const byDevice = new Map<number, { folder: string; bytes: number }>()
  for (const [folder, bytes] of neededIn) {
    const { dev } = await withFileErrors('read', folder, () => stat(folder))
    byDevice.set(dev, { folder, bytes: bytes + (byDevice.get(dev)?.bytes ?? 0) })
  }
  for (const { folder, bytes } of byDevice.values()) {
    const free = await freeBytesIn(folder)
    if (bytes <= free) continue
    throw new GantryError('limit-exceeded', `${bytes} bytes are to be written, and ${free} are free in ${folder}`)
  }
}
