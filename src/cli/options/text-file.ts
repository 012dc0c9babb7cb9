import { readFile } from 'node:fs/promises'
import { GantryError } from '../../errors.js'
import { reasonOf } from '../../util/file-error.js'

/**
 * Reads a file that a flag names.
 * @throws GantryError `file-error` in the words of the operating system
 */
export async function readTextFile(path: string): Promise<string> {
  return (await readDocument(path)).toString('utf8')
}

/**
 * Reads a small document whole.
 * @param limit in bytes; default: none
 * @throws GantryError `file-error` in the words of the operating system; `limit-exceeded`
 */
export async function readDocument(path: string, limit = Infinity): Promise<Buffer> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw new GantryError('file-error', `open ${path}: ${reasonOf(cause)}`, { cause })
  }
  if (bytes.byteLength <= limit) return bytes
  throw new GantryError('limit-exceeded', `${path} exceeds the limit of ${limit} bytes`, {
    details: { reason: 'manifest-size' },
  })
}
