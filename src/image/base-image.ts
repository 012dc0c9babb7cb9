import { GantryError } from '../errors.js'
import { callOptionsOf } from '../graph/call-options.js'
import { noChildFor } from '../graph/select-platform.js'
import type { Descriptor } from '../oci/descriptor.js'
import { IMAGE_CONFIG_KEYS } from '../oci/document-keys.js'
import { parseManifest, type ManifestContent } from '../oci/manifest.js'
import { MediaType } from '../oci/media-types.js'
import { matchesPlatform, type Platform } from '../oci/platform.js'
import type { CallOptions, Source } from '../store/store.js'
import { readContent } from '../store/verify.js'
import { parseJsonObject, type JsonObject } from '../util/json.js'

/** What an image is built on: its documents as they are, unknown fields and all. */
export interface BaseImage {
  /** Absent for the empty base. */
  readonly descriptor?: Descriptor
  /** Of the manifest. */
  readonly mediaType: string
  readonly manifest: JsonObject
  readonly layers: readonly Descriptor[]
  readonly configType: string
  /** The config that stays as it is. */
  readonly config?: Descriptor
  /** Absent when the config is not that of a runnable image and stays as it is. */
  readonly configDocument?: JsonObject
}

export interface ReadBaseOptions extends CallOptions {
  /** Which child of an index is the base; default linux/amd64. */
  readonly platform?: Platform
}

const DEFAULT_PLATFORM: Platform = { architecture: 'amd64', os: 'linux' }
const IMAGE_CONFIG_TYPES: ReadonlySet<string> = new Set([MediaType.imageConfig, MediaType.dockerConfig])

/** A base without layers; with Docker's media types unless those of the image-spec are wanted. */
export function emptyBase(oci: boolean): BaseImage {
  const mediaType = oci ? MediaType.imageManifest : MediaType.dockerManifest
  return {
    mediaType,
    manifest: { schemaVersion: 2, mediaType },
    layers: [],
    configType: oci ? MediaType.imageConfig : MediaType.dockerConfig,
    configDocument: { rootfs: { type: 'layers' } },
  }
}

/**
 * Reads an image to build on.
 * @throws GantryError `not-found` when it, or a child for the platform, is not there; `invalid-content` when it is no
 *   image; `unsupported` for Windows, whose layers have a form of their own
 */
export async function readBase(source: Source, reference: string, options: ReadBaseOptions = {}): Promise<BaseImage> {
  const callOptions = callOptionsOf(options)
  const content = await readImage(source, reference, options)
  const { descriptor, bytes } = content
  const manifest = parseManifest(content)
  if (manifest.kind !== 'image') {
    throw new GantryError('invalid-content', `${descriptor.digest} is no image: ${descriptor.mediaType}`)
  }
  const { config, layers } = manifest
  const base = {
    descriptor,
    mediaType: descriptor.mediaType,
    manifest: parseJsonObject(bytes, `manifest ${descriptor.digest}`),
    layers,
    configType: config.mediaType,
  }
  if (!IMAGE_CONFIG_TYPES.has(config.mediaType)) return { ...base, config }
  const configDocument = parseJsonObject(
    await readContent(source, config, callOptions),
    `config ${config.digest}`,
    IMAGE_CONFIG_KEYS,
  )
  if (configDocument.os === 'windows') {
    throw new GantryError('unsupported', `${descriptor.digest} is for windows, whose layers have a form of their own`)
  }
  return { ...base, configDocument }
}

async function readImage(source: Source, reference: string, options: ReadBaseOptions): Promise<ManifestContent> {
  const { platform = DEFAULT_PLATFORM } = options
  const callOptions = callOptionsOf(options)
  const content = await source.readManifest(reference, callOptions)
  const manifest = parseManifest(content)
  if (manifest.kind !== 'index') return content
  // Children without a platform are older than the field, and than other platforms.
  const child = manifest.manifests.find((entry) => matchesPlatform(platform, entry.platform ?? DEFAULT_PLATFORM))
  if (child === undefined) throw noChildFor(content.descriptor, platform)
  return { descriptor: child, bytes: await readContent(source, child, callOptions) }
}
