import { createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { TempFile, type Bytes } from '../../index.js'

/**
 * Writes content that has been, or is being, verified to a file that a flag names. The file appears complete or not at
 * all; what is no regular file, such as `/dev/stdout` or a pipe, is written as it comes.
 * @throws GantryError `file-error`
 */
export async function saveContent(path: string, content: Bytes): Promise<void> {
  if (await isSpecialFile(path)) {
    await pipeline(Readable.from(content, { objectMode: false }), createWriteStream(path))
    return
  }
  const file = await TempFile.create(resolve(path))
  try {
    for await (const chunk of content) await file.write(chunk)
    await file.publish()
  } catch (error) {
    await file.discard()
    throw error
  }
}

async function isSpecialFile(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isFile()
  } catch {
    // Not there, or not to be seen: creating it tells which.
    return false
  }
}
