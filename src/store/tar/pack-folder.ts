import { writeGzipFile, type GzipFile } from '../compression/gzip-file.js'
import type { GzipOptions } from '../compression/gzip-blocks.js'
import { tarFolder, type TarFolderOptions } from './tar-folder.js'

export interface PackFolderOptions extends GzipOptions, TarFolderOptions {
  /** File to write the packed folder to; it must not exist. */
  readonly target: string
}

/**
 * Packs a folder into a tar+gzip file. The same content gives the same digests on every platform, whatever the times,
 * the owners and the order in which it was written: see {@link tarFolder} and {@link gzipBlocks}.
 * @param folder path on disk; not a link
 * @param name prefix of all names in the archive, and the name of the folder itself
 * @throws GantryError `file-error`, and what {@link tarFolder} throws; an incomplete file is left to the caller, whose
 *   folder it is in
 */
export async function packFolder(
  folder: string,
  name: string,
  { target, ...options }: PackFolderOptions,
): Promise<GzipFile> {
  return writeGzipFile(tarFolder(folder, name, options), target, options)
}
