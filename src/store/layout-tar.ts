import { GantryError } from '../errors.js'
import type { Digest } from '../oci/digest.js'
import { blobPathOf, checkLayoutFile, INDEX_FILE, LAYOUT_FILE, MAX_LAYOUT_FILE_SIZE } from '../oci/image-layout.js'
import { LayoutIndex, MAX_LAYOUT_INDEX_SIZE } from '../oci/layout-index.js'
import { throwIfAborted } from '../util/abort.js'
import { collectBytes, type Bytes } from '../util/bytes.js'
import type { BlobRange } from './layout-content.js'
import { LayoutReader } from './layout-reader.js'
import { TarFile } from './tar-file.js'
import { requireText } from '../util/require-kind.js'

/**
 * An image layout in an uncompressed tar, to be read (image-spec, image-layout.md). Its entries are found once;
 * content is then read from its place in the file.
 */
export class LayoutTar extends LayoutReader {
  private constructor(tar: TarFile, index: LayoutIndex) {
    super({
      readIndex: async () => index,
      sizeOf: async (digest) => tar.placeOf(blobPathOf(digest))?.size,
      open: (digest, range) => openBlob(tar, digest, range),
    })
  }

  /**
   * Opens a layout. Nothing has to be closed afterwards.
   * @throws GantryError `unsupported` when the archive is compressed, holds links, or has another layout version;
   *   `invalid-content` when it is no archive or no layout; `limit-exceeded`, `file-error`
   */
  static async open(path: string): Promise<LayoutTar> {
    requireText('the path of a layout', path)
    const tar = await TarFile.open(path)
    const layout = await readFile(tar, { name: LAYOUT_FILE, limit: MAX_LAYOUT_FILE_SIZE, path })
    checkLayoutFile(layout, `${LAYOUT_FILE} in ${path}`)
    const index = await readFile(tar, { name: INDEX_FILE, limit: MAX_LAYOUT_INDEX_SIZE, path })
    return new LayoutTar(tar, LayoutIndex.parse(index, `${INDEX_FILE} in ${path}`))
  }
}

interface SmallFile {
  readonly name: string
  readonly limit: number
  readonly path: string
}

async function readFile(tar: TarFile, { name, limit, path }: SmallFile): Promise<Uint8Array> {
  const place = tar.placeOf(name)
  if (place === undefined)
    throw new GantryError('invalid-content', `${path} is not an image layout: ${name} is missing`)
  return collectBytes(tar.read(place, 0), limit, `${name} in ${path}`)
}

async function* openBlob(tar: TarFile, digest: Digest, { size, offset, signal }: BlobRange): Bytes {
  throwIfAborted(signal)
  const place = tar.placeOf(blobPathOf(digest))
  if (place === undefined) throw new GantryError('not-found', `${digest}: not found`)
  if (place.size !== size) {
    throw new GantryError(
      'size-mismatch',
      `${digest} in ${tar.path} has ${place.size} bytes where ${size} are declared`,
    )
  }
  yield* tar.read(place, offset, signal)
}
