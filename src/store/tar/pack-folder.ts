import { open } from 'node:fs/promises'
import { Digester, type Digest } from '../../oci/digest.js'
import type { Bytes } from '../../util/bytes.js'
import { withFileErrors } from '../../util/file-error.js'
import { gzipBlocks, type GzipOptions } from '../compression/gzip-blocks.js'
import { tarFolder, type TarFolderOptions } from './tar-folder.js'

export interface PackFolderOptions extends GzipOptions, TarFolderOptions {
  /** File to write the packed folder to; it must not exist. */
  readonly target: string
}

/** A folder as a tar+gzip file. */
export interface PackedFolder {
  readonly path: string
  /** Of the file. */
  readonly digest: Digest
  /** Of the file, in bytes. */
  readonly size: number
  /** Of the tar inside. */
  readonly uncompressedDigest: Digest
  /** Of the tar inside, in bytes. */
  readonly uncompressedSize: number
}

/**
 * Packs a folder into a tar+gzip file. The same content gives the same digests on every platform, whatever the times,
 * the owners and the order in which it was written: see {@link tarFolder} and {@link gzipBlocks}.
 * @param folder path on disk; not a link
 * @param name prefix of all names in the archive, and the name of the folder itself
 * @throws GantryError `file-error`, and what {@link tarFolder} throws; an incomplete file is left to the caller, whose
 *   folder it is in
 */
export async function packFolder(folder: string, name: string, options: PackFolderOptions): Promise<PackedFolder> {
  const { target, ...gzipOptions } = options
  const uncompressed = new Digester()
  const compressed = new Digester()
  const tar = tarFolder(folder, name, options)
  await withFileErrors('write', target, async () => {
    const file = await open(target, 'wx', 0o600)
    try {
      for await (const member of gzipBlocks(digested(tar, uncompressed), gzipOptions)) {
        compressed.update(member)
        await file.writeFile(member)
      }
    } finally {
      await file.close()
    }
  })
  return {
    path: target,
    digest: compressed.digest(),
    size: compressed.size,
    uncompressedDigest: uncompressed.digest(),
    uncompressedSize: uncompressed.size,
  }
}

async function* digested(content: Bytes, digester: Digester): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of content) {
    digester.update(chunk)
    yield chunk
  }
}
