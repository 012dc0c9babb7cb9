import { createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { GantryError } from '../../errors.js'
import type { Bytes } from '../../util/bytes.js'
import { TempFile } from '../../util/temp-file.js'

/**
 * Writes content that has been, or is being, verified to a file that a flag names. The file appears complete or not at
 * all; what is no regular file, such as `/dev/stdout` or a pipe, is written as it comes.
 * @throws GantryError `file-error`
 */
export async function saveContent(path: string, content: Bytes): Promise<void> {
  if (await isSpecialFile(path)) {
    await writeSpecialFile(path, content)
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

async function writeSpecialFile(path: string, content: Bytes): Promise<void> {
  const file = createWriteStream(path)
  let failure: Error | undefined
  file.once('error', (error) => (failure = error))
  try {
    await pipeline(Readable.from(content, { objectMode: false }), file)
  } catch (cause) {
    // What the content fails with destroys the file too, and is told as it is.
    if (cause !== failure || cause instanceof GantryError || !(cause instanceof Error)) throw cause
    throw new GantryError('file-error', `cannot write ${path}: ${cause.message}`, { cause })
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
