import { MediaType } from '../oci/media-types.js'
import { verifyContent } from '../store/verify.js'
import type { Bytes } from '../util/bytes.js'
import { readImage, type ImageSource, type ReadImageOptions } from './image.js'
import { mergeLayers } from './merge-layers.js'

const LAYER_TYPES: ReadonlySet<string> = new Set([
  MediaType.imageLayer,
  MediaType.imageLayerGzip,
  MediaType.imageLayerZstd,
  MediaType.imageLayerNonDistributable,
  MediaType.imageLayerNonDistributableGzip,
  MediaType.imageLayerNonDistributableZstd,
  MediaType.dockerLayer,
  MediaType.dockerLayerGzip,
  MediaType.dockerForeignLayer,
])

/** Whether content of this type is a tar that becomes part of the file system of an image. */
export function isLayerType(mediaType: string): boolean {
  return LAYER_TYPES.has(mediaType)
}

/**
 * Opens the file system of an image as a tar. The only layer of an artifact, which is no file system, comes through as it
 * is. Of an index, the image for a platform: linux/amd64 where nothing else is asked for.
 * @throws GantryError `not-found`; `invalid-content` for what is no image; while reading as {@link mergeLayers}
 */
export async function openExport({ source, reference }: ImageSource, options: ReadImageOptions = {}): Promise<Bytes> {
  const { layers } = await readImage(source, reference, options)
  const [only] = layers
  if (layers.length === 1 && only !== undefined && !isLayerType(only.descriptor.mediaType)) {
    return verifyContent(only.descriptor, only.open())
  }
  return mergeLayers(layers, options)
}
