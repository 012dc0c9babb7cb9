import { descriptorOf } from '../oci/descriptor.js'
import { encodeJson } from '../oci/encode-json.js'
import type { ManifestContent } from '../oci/manifest.js'
import type { JsonObject } from '../util/json.js'
import { encodeConfig, encodeImageManifest } from './go-json.js'
import { isImageIndex, listIn, type Image, type ImageIndex } from './image.js'

/** The documents of an image, ready to be pushed. */
export interface EncodedImage {
  readonly manifest: ManifestContent
  /** Undefined when the config is that of an artifact, and stays as it is. */
  readonly config: ManifestContent | undefined
}

/**
 * Encodes manifest and config, in the order of fields of the Go tools that build images, so that the same image has the
 * same digest. Of an index, the document with the digests of its images as they are now; unchanged, it is the one that
 * was read.
 */
export function encodeImage(image: Image | ImageIndex): EncodedImage {
  if (isImageIndex(image)) return { manifest: encodeIndex(image), config: undefined }
  const { mediaType, manifest, config, layers } = image
  const encoded = config.document === undefined ? undefined : contentOf(config.mediaType, encodeConfig(config.document))
  const document = {
    ...manifest,
    config: encoded === undefined ? config.entry : configEntry(config.entry ?? {}, encoded),
    layers: layers.map(({ entry }) => entry),
  }
  return { manifest: contentOf(mediaType, encodeImageManifest(document)), config: encoded }
}

function encodeIndex({ document, children, mediaType, origin }: ImageIndex): ManifestContent {
  const entries = listIn(document, 'manifests')
  const isSame = entries.length === children.length && children.every(({ entry }, index) => entry === entries[index])
  return isSame
    ? origin
    : contentOf(mediaType, encodeJson({ ...document, manifests: children.map(({ entry }) => entry) }))
}

function contentOf(mediaType: string, bytes: Uint8Array): ManifestContent {
  return { descriptor: descriptorOf(mediaType, bytes), bytes }
}

/** What the manifest said about the config, for another one; content that it holds inline is replaced too. */
function configEntry(entry: JsonObject, { descriptor, bytes }: ManifestContent): JsonObject {
  const { data, ...rest } = entry
  const inline = data === undefined ? undefined : Buffer.from(bytes).toString('base64')
  return { ...rest, ...descriptor, data: inline }
}
