import { fstatSync, fsync, fsyncSync, statfsSync } from 'node:fs'
import { promisify } from 'node:util'

/** The kind of file system that Linux keeps in memory (statfs(2), TMPFS_MAGIC). */
const IN_MEMORY = 0x01021994

const syncElsewhere = promisify(fsync)
/** Whether a device is memory, for those that were seen. */
const devices = new Map<number, boolean>()

/**
 * Makes the content of an open file durable. That takes as long as the disk does, on another thread; only in memory,
 * where there is nothing to do, the way to that thread and back would be all that it costs.
 * @param folder where the file is
 * @throws the system's own error
 */
export async function syncFile(file: number, folder: string): Promise<void> {
  if (isInMemory(file, folder)) fsyncSync(file)
  else await syncElsewhere(file)
}

function isInMemory(file: number, folder: string): boolean {
  const { dev } = fstatSync(file)
  const known = devices.get(dev)
  if (known !== undefined) return known
  const isMemory = process.platform === 'linux' && statfsSync(folder).type === IN_MEMORY
  devices.set(dev, isMemory)
  return isMemory
}
