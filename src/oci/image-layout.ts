import { GantryError } from '../errors.js'
import { parseJsonObject } from '../util/json.js'
import { algorithmOf, hexOf, type Digest, type DigestAlgorithm } from './digest.js'
import { LAYOUT_FILE_KEYS } from './document-keys.js'
import { encodeJson } from './encode-json.js'

/** The file that marks a folder as an image layout (image-spec, image-layout.md, "oci-layout file"). */
export const LAYOUT_FILE = 'oci-layout'

/** The file that lists what a layout holds (same document, "index.json file"). */
export const INDEX_FILE = 'index.json'

/** The folder of all content, with one folder for each digest algorithm (same document, "Blobs"). */
export const BLOBS_FOLDER = 'blobs'

/** The only version that there is. */
export const LAYOUT_VERSION = '1.0.0'

/** Largest `oci-layout` file that is read, in bytes. */
export const MAX_LAYOUT_FILE_SIZE = 4096

/** Where the blobs of an algorithm are, below the layout, with `/`. */
export function blobFolderOf(algorithm: DigestAlgorithm): string {
  return `${BLOBS_FOLDER}/${algorithm}`
}

/** Where content is, below the layout, with `/`. */
export function blobPathOf(digest: Digest): string {
  return `${blobFolderOf(algorithmOf(digest))}/${hexOf(digest)}`
}

/** The content of the `oci-layout` file. */
export function encodeLayoutFile(): Uint8Array {
  return encodeJson({ imageLayoutVersion: LAYOUT_VERSION })
}

/**
 * Checks the content of an `oci-layout` file.
 * @param where names the file in errors
 * @throws GantryError `invalid-content`; `unsupported` for another version; `ambiguous-manifest`
 */
export function checkLayoutFile(bytes: Uint8Array, where: string): void {
  const { imageLayoutVersion: version } = parseJsonObject(bytes, where, LAYOUT_FILE_KEYS)
  if (typeof version !== 'string') throw new GantryError('invalid-content', `${where} names no image layout version`)
  if (version !== LAYOUT_VERSION) {
    throw new GantryError('unsupported', `${where} names the image layout version "${version}", which is not supported`)
  }
}
