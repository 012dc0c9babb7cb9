import { open } from 'node:fs/promises'
import { Digester, type Digest } from '../../oci/digest.js'
import type { Bytes } from '../../util/bytes.js'
import { withFileErrors } from '../../util/file-error.js'
import { digested } from '../digested.js'
import type { FileStamp } from '../file-stamp.js'
import { gzipBlocks, type GzipOptions } from './gzip-blocks.js'

/** A file in gzip, and what is in it. */
export interface GzipFile {
  readonly path: string
  /** Of the file. */
  readonly digest: Digest
  /** Of the file, in bytes. */
  readonly size: number
  /** The file as it was written. */
  readonly stamp: FileStamp
  /** Of what is in it. */
  readonly uncompressedDigest: Digest
  /** Of what is in it, in bytes. */
  readonly uncompressedSize: number
}

/**
 * Compresses content into a new file, reproducibly: see {@link gzipBlocks}.
 * @throws GantryError `file-error`, also when the file exists; `aborted`, and what the content throws. An incomplete file
 *   is left to the caller, whose folder it is in
 */
export async function writeGzipFile(content: Bytes, target: string, options: GzipOptions = {}): Promise<GzipFile> {
  const inside = new Digester()
  const outside = new Digester()
  const stamp = await withFileErrors('write', target, async () => {
    const file = await open(target, 'wx', 0o600)
    try {
      for await (const member of gzipBlocks(digested(content, inside), options)) {
        outside.update(member)
        await file.writeFile(member)
      }
      return await file.stat()
    } finally {
      await file.close()
    }
  })
  return {
    path: target,
    digest: outside.digest(),
    size: outside.size,
    stamp,
    uncompressedDigest: inside.digest(),
    uncompressedSize: inside.size,
  }
}
