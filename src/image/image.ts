import { GantryError } from '../errors.js'
import { noChildFor } from '../graph/select-platform.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { Digest } from '../oci/digest.js'
import { IMAGE_CONFIG_KEYS } from '../oci/document-keys.js'
import { parseManifest, type ImageManifest, type ManifestContent } from '../oci/manifest.js'
import { isImageConfigType, isIndexType, MediaType } from '../oci/media-types.js'
import { matchesPlatform, type Platform } from '../oci/platform.js'
import type { CallOptions, Source } from '../store/store.js'
import { readContent } from '../store/verify.js'
import type { Bytes, OpenContent } from '../util/bytes.js'
import { isJsonObject, parseJsonObject, type JsonObject } from '../util/json.js'

/** A layer of an image: what its manifest says about it, and a way to its content. */
export interface ImageLayer {
  readonly descriptor: Descriptor
  /** The descriptor as it stands in the manifest, unknown fields and all. */
  readonly entry: object
  /** The store that has the layer; undefined for a layer that was made here. */
  readonly source?: Source | undefined
  /** Opens the content as it is stored. Nothing is read before the first chunk is asked for. */
  readonly open: OpenContent
}

/** A config, with its document where it is that of a runnable image. */
export interface ImageConfig {
  readonly mediaType: string
  /** The descriptor as it stands in the manifest; undefined for a config that was made here. */
  readonly entry?: JsonObject | undefined
  /** Undefined for the config of an artifact, which stays as it is. */
  readonly document?: JsonObject | undefined
  /** The store that has the config as it was read. */
  readonly source?: Source | undefined
}

/**
 * An image: a manifest, a config and layers that are read when they are needed. It is a value: edits return another
 * image, and nothing is written before it is pushed. Fields that are not known here stay.
 */
export interface Image {
  /** Of the manifest. */
  readonly mediaType: string
  /** Its document; what it says about config and layers is replaced by the fields below. */
  readonly manifest: JsonObject
  readonly config: ImageConfig
  readonly layers: readonly ImageLayer[]
  /** The manifest as it was read, and the store that has it; undefined for an image that was made here. */
  readonly origin?: (ManifestContent & { readonly source: Source }) | undefined
}

/** A child of an index. */
export interface IndexChild {
  readonly descriptor: Descriptor
  /** The descriptor as it stands in the index. */
  readonly entry: JsonObject
  /** Undefined for what is no image: an artifact, or an attestation of a sibling. It stays as it is. */
  readonly image?: Image | ImageIndex | undefined
}

/** An index with its images. */
export interface ImageIndex {
  readonly mediaType: string
  readonly document: JsonObject
  readonly children: readonly IndexChild[]
  readonly origin: ManifestContent & { readonly source: Source }
}

/** Where an image is read: a store, and a tag or a digest there. */
export interface ImageSource {
  readonly source: Source
  readonly reference: string
}

export interface ReadImageOptions extends CallOptions {
  /** Which child of an index is meant. */
  readonly platform?: Platform | undefined
}

/** The image of an index that is meant where nobody says which, as tools for images have it. */
export const DEFAULT_PLATFORM: Platform = { architecture: 'amd64', os: 'linux' }

/** Set by BuildKit on an attestation in an index: the digest of the sibling that it describes. */
export const DESCRIBED_DIGEST = 'vnd.docker.reference.digest'

/** An index may contain indexes; nobody nests them deeper. */
const MAX_INDEX_DEPTH = 8

/** An image without layers; with Docker's media types unless those of the image-spec are wanted. */
export function emptyImage(oci: boolean): Image {
  const mediaType = oci ? MediaType.imageManifest : MediaType.dockerManifest
  return {
    mediaType,
    manifest: { schemaVersion: 2, mediaType },
    config: {
      mediaType: oci ? MediaType.imageConfig : MediaType.dockerConfig,
      document: { rootfs: { type: 'layers' } },
    },
    layers: [],
  }
}

/**
 * Reads one image. Of an index, the child for a platform: linux/amd64 where nothing else is asked for.
 * @throws GantryError `not-found` when it, or a child for the platform, does not exist; `invalid-content` when it is no
 *   image
 */
export async function readImage(source: Source, reference: string, options: ReadImageOptions = {}): Promise<Image> {
  const { platform = DEFAULT_PLATFORM, signal } = options
  const content = await source.readManifest(reference, { signal })
  const chosen = await selectChild(source, content, platform, { signal })
  return imageOf(source, chosen, { signal })
}

/**
 * Reads what a reference names: an image, or an index with all its images. With a platform, the child that is for it.
 * @throws GantryError as {@link readImage}
 */
export async function readImages(
  source: Source,
  reference: string,
  { platform, signal }: ReadImageOptions = {},
): Promise<Image | ImageIndex> {
  if (platform !== undefined) return readImage(source, reference, { platform, signal })
  return imagesOf(source, await source.readManifest(reference, { signal }), { signal })
}

export function isImageIndex(image: Image | ImageIndex): image is ImageIndex {
  return 'children' in image
}

/**
 * Reads the config of an image, byte for byte. Of an index, that of the child for a platform: linux/amd64 where nothing
 * else is asked for.
 * @throws GantryError `not-found`; `invalid-content` for what is no image
 */
export async function readConfig(
  source: Source,
  reference: string,
  { platform = DEFAULT_PLATFORM, signal }: ReadImageOptions = {},
): Promise<ManifestContent> {
  const content = await selectChild(source, await source.readManifest(reference, { signal }), platform, { signal })
  const { config } = parseImage(content)
  return { descriptor: config, bytes: await readContent(source, config, { signal }) }
}

/** The manifest of a child of an index for a platform; of an image itself. Children without a platform are for linux/amd64. */
async function selectChild(
  source: Source,
  content: ManifestContent,
  platform: Platform,
  options: CallOptions,
): Promise<ManifestContent> {
  const manifest = parseManifest(content)
  if (manifest.kind !== 'index') return content
  const child = manifest.manifests.find((entry) => matchesPlatform(platform, entry.platform ?? DEFAULT_PLATFORM))
  if (child === undefined) throw noChildFor(content.descriptor, platform)
  return { descriptor: child, bytes: await readContent(source, child, options) }
}

async function imagesOf(
  source: Source,
  content: ManifestContent,
  options: CallOptions,
  depth = 0,
): Promise<Image | ImageIndex> {
  const manifest = parseManifest(content)
  const { descriptor, bytes } = content
  if (manifest.kind !== 'index') return imageOf(source, content, options)
  if (depth === MAX_INDEX_DEPTH) {
    throw new GantryError('limit-exceeded', `${descriptor.digest} is an index more than ${MAX_INDEX_DEPTH} levels deep`)
  }
  const document = parseJsonObject(bytes, `index ${descriptor.digest}`)
  const entries = listIn(document, 'manifests').filter(isJsonObject)
  const children: IndexChild[] = []
  for (const [index, child] of manifest.manifests.entries()) {
    const entry = entries[index] ?? {}
    children.push({ descriptor: child, entry, image: await childOf(source, child, options, depth + 1) })
  }
  return { mediaType: descriptor.mediaType, document, children, origin: { ...content, source } }
}

async function childOf(
  source: Source,
  descriptor: Descriptor,
  options: CallOptions,
  depth: number,
): Promise<Image | ImageIndex | undefined> {
  const { mediaType, platform, annotations } = descriptor
  const isImage = mediaType === MediaType.imageManifest || mediaType === MediaType.dockerManifest
  const isAttestation = platform?.os === 'unknown' || annotations?.[DESCRIBED_DIGEST] !== undefined
  if (isAttestation || (!isImage && !isIndexType(mediaType))) return undefined
  const image = await imagesOf(
    source,
    { descriptor, bytes: await readContent(source, descriptor, options) },
    options,
    depth,
  )
  return !isImageIndex(image) && image.config.document === undefined ? undefined : image
}

async function imageOf(source: Source, content: ManifestContent, { signal }: CallOptions): Promise<Image> {
  const { descriptor, bytes } = content
  const parsed = parseImage(content)
  const manifest = parseJsonObject(bytes, `manifest ${descriptor.digest}`)
  const entries = listIn(manifest, 'layers').filter(isJsonObject)
  const isRunnable = isImageConfigType(parsed.config.mediaType)
  return {
    mediaType: descriptor.mediaType,
    manifest,
    config: {
      mediaType: parsed.config.mediaType,
      entry: objectIn(manifest, 'config'),
      document: isRunnable
        ? parseJsonObject(
            await readContent(source, parsed.config, { signal }),
            `config ${parsed.config.digest}`,
            IMAGE_CONFIG_KEYS,
          )
        : undefined,
      source,
    },
    layers: parsed.layers.map((layer, index) => ({
      descriptor: layer,
      entry: entries[index] ?? layer,
      source,
      open: (offset = 0): Bytes => source.fetch(layer, { offset, foreign: true, signal }),
    })),
    origin: { ...content, source },
  }
}

function parseImage(content: ManifestContent): ImageManifest {
  const manifest = parseManifest(content)
  if (manifest.kind === 'image') return manifest
  const { digest, mediaType } = content.descriptor
  throw new GantryError('invalid-content', `${digest} is no image: ${mediaType}`)
}

/** The platform that the config of an image names; undefined when it names none. */
export function platformOf({ config: { document } }: Image): Platform | undefined {
  const { architecture, os, variant, 'os.version': osVersion, 'os.features': features } = document ?? {}
  if (typeof architecture !== 'string' || typeof os !== 'string' || architecture === '' || os === '') return undefined
  return {
    architecture,
    os,
    'os.version': textOf(osVersion),
    'os.features': Array.isArray(features) ? features.filter((feature) => typeof feature === 'string') : undefined,
    variant: textOf(variant),
  }
}

/** Digests of the uncompressed layers (image-spec, config.md, "rootfs"). */
export function diffIdsOf({ config: { document } }: Image): readonly Digest[] {
  return listIn(objectIn(document ?? {}, 'rootfs'), 'diff_ids') as readonly Digest[]
}

/** The history of an image, one entry for each step that built it. */
export function historyOf({ config: { document } }: Image): readonly JsonObject[] {
  return listIn(document ?? {}, 'history').filter(isJsonObject)
}

/** A list in a document; empty where there is none. */
export function listIn(document: JsonObject, key: string): readonly unknown[] {
  const value = document[key]
  return Array.isArray(value) ? value : []
}

/** An object in a document; empty where there is none. */
export function objectIn(document: JsonObject, key: string): JsonObject {
  const value = document[key]
  return isJsonObject(value) ? value : {}
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
