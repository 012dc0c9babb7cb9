import { GantryError } from '../errors.js'
import { descriptorOf, type Annotations, type Descriptor } from '../oci/descriptor.js'
import { encodeJson } from '../oci/encode-json.js'
import { MediaType } from '../oci/media-types.js'
import { EMPTY_CONTENT, EMPTY_DESCRIPTOR, type ImageSpec } from '../oci/pack.js'
import type { Platform } from '../oci/platform.js'
import type { FileSource } from '../store/file-source.js'

/** A file that becomes the config of the manifest. */
export interface ConfigFile {
  readonly path: string
  /** Default `application/vnd.unknown.config.v1+json`. */
  readonly mediaType?: string
}

export interface ConfigOptions {
  /** Default 1.1; 1.0 where there is a config and no artifact type, as the config's type is the artifact's then. */
  readonly imageSpec?: ImageSpec
  /** Default `application/vnd.unknown.artifact.v1`. */
  readonly artifactType?: string
  readonly config?: ConfigFile
  /** Makes the config that of an image for this platform; not together with `config`. */
  readonly artifactPlatform?: Platform
  /** Of the config's descriptor in the manifest. */
  readonly configAnnotations?: Annotations
  readonly signal?: AbortSignal
}

/** The part of the packing that depends on the config. */
export interface PreparedConfig {
  readonly imageSpec: ImageSpec
  readonly artifactType?: string
  readonly config?: Descriptor
}

/**
 * Decides on the form of the manifest and on its config, and adds the config's content to the source.
 * @throws GantryError `invalid-argument` when the options exclude each other; `file-error`
 */
export async function prepareConfig(source: FileSource, options: ConfigOptions): Promise<PreparedConfig> {
  const { config, configAnnotations } = options
  const imageSpec = options.imageSpec ?? (config !== undefined && options.artifactType === undefined ? 'v1.0' : 'v1.1')
  checkOptions(imageSpec, options)
  const isUntyped = options.artifactType === undefined && config === undefined && imageSpec === 'v1.1'
  const artifactType = isUntyped ? MediaType.unknownArtifact : options.artifactType
  const descriptor = await addConfig(source, options, { imageSpec, artifactType })
  if (descriptor === undefined) return { imageSpec, artifactType }
  // In the 1.0 form an artifact type that was asked for has become the type of the config.
  const isInConfig = imageSpec === 'v1.0' && descriptor.mediaType === artifactType
  return {
    imageSpec,
    artifactType: artifactType === undefined || isInConfig ? undefined : artifactType,
    config: { ...descriptor, annotations: configAnnotations ?? descriptor.annotations },
  }
}

/** The config, without annotations; nothing where packing makes the usual empty one. */
async function addConfig(
  source: FileSource,
  { config, artifactPlatform, configAnnotations, signal }: ConfigOptions,
  { imageSpec, artifactType }: PreparedConfig,
): Promise<Descriptor | undefined> {
  if (config !== undefined) {
    const { path, mediaType = MediaType.unknownConfig } = config
    const { digest, size } = await source.add(path, {
      name: path,
      mediaType,
      signal,
    })
    return { mediaType, digest, size }
  }
  if (artifactPlatform !== undefined) {
    return addBytes(source, MediaType.imageConfig, encodeJson(orderedPlatform(artifactPlatform)))
  }
  if (configAnnotations === undefined) return undefined
  if (imageSpec === 'v1.0') return addBytes(source, artifactType ?? MediaType.unknownConfig, EMPTY_CONTENT)
  source.addBytes(EMPTY_DESCRIPTOR, EMPTY_CONTENT)
  return EMPTY_DESCRIPTOR
}

function addBytes(source: FileSource, mediaType: string, bytes: Uint8Array): Descriptor {
  const descriptor = descriptorOf(mediaType, bytes)
  source.addBytes(descriptor, bytes)
  return descriptor
}

/** Fields in the order in which the Go tools write them. */
function orderedPlatform(platform: Platform): Platform {
  const { architecture, os, variant } = platform
  const osVersion = platform['os.version']
  const osFeatures = platform['os.features']
  return {
    architecture,
    os,
    'os.version': osVersion,
    'os.features': osFeatures,
    variant,
  }
}

function checkOptions(imageSpec: ImageSpec, { config, artifactType, artifactPlatform }: ConfigOptions): void {
  if (config !== undefined && artifactPlatform !== undefined) {
    throw new GantryError('invalid-argument', 'a config and the platform of the artifact exclude each other')
  }
  if (imageSpec === 'v1.1' && config !== undefined && artifactType === undefined) {
    throw new GantryError('invalid-argument', 'missing artifact type for OCI image-spec v1.1 artifacts', {
      hint: 'set an artifact type, or use image-spec v1.0, where the type of the config is that of the artifact',
    })
  }
}
