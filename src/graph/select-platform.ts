import { GantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import { IMAGE_CONFIG_KEYS } from '../oci/document-keys.js'
import { parseManifest, type ImageManifest, type ManifestContent } from '../oci/manifest.js'
import { MediaType } from '../oci/media-types.js'
import { formatPlatform, matchesPlatform, type Platform } from '../oci/platform.js'
import type { CallOptions, Source } from '../store/store.js'
import { readContent } from '../store/verify.js'
import { parseJsonObject } from '../util/json.js'

export interface PlatformOptions extends CallOptions {
  /** Which child of an index is meant; a manifest that is none has to be for it. */
  readonly platform?: Platform
}

/**
 * Finds what a tag or a digest names, or the child of it that is for a platform.
 * @throws GantryError `not-found`, also when nothing is for the platform; `unsupported` when the platform of an
 *   artifact cannot be told
 */
export async function resolvePlatform(
  source: Source,
  reference: string,
  options: PlatformOptions = {},
): Promise<Descriptor> {
  const { platform, ...callOptions } = options
  if (platform === undefined) return source.resolve(reference, callOptions)
  return selectPlatform(source, await source.readManifest(reference, callOptions), platform, callOptions)
}

/** Like {@link resolvePlatform}, and reads the manifest. */
export async function readPlatformManifest(
  source: Source,
  reference: string,
  options: PlatformOptions = {},
): Promise<ManifestContent> {
  const { platform, ...callOptions } = options
  const root = await source.readManifest(reference, callOptions)
  if (platform === undefined) return root
  const descriptor = await selectPlatform(source, root, platform, callOptions)
  if (descriptor.digest === root.descriptor.digest) return root
  return { descriptor, bytes: await readContent(source, descriptor, callOptions) }
}

/**
 * Selects the first child of an index that is for a platform; a manifest that is no index is selected itself when its
 * config names the platform. Variant and OS version are compared only when they are wanted.
 * @throws GantryError `not-found`, `unsupported`
 */
export async function selectPlatform(
  source: Source,
  content: ManifestContent,
  platform: Platform,
  options: CallOptions = {},
): Promise<Descriptor> {
  const { descriptor } = content
  const manifest = parseManifest(content)
  if (manifest.kind === 'index') {
    const child = manifest.manifests.find((entry) => isFor(entry, platform))
    if (child === undefined) throw noChildFor(descriptor, platform)
    return child
  }
  if (manifest.kind === 'artifact') {
    throw new GantryError('unsupported', `${descriptor.digest} is an artifact manifest, which has no platform`)
  }
  const own = await readPlatform(source, manifest, options)
  if (own === undefined || !matchesPlatform(platform, own)) {
    throw new GantryError(
      'not-found',
      `${descriptor.digest}: not found: platform in manifest does not match target platform`,
      { hint: `${formatPlatform(platform)} was asked for, the manifest is for ${describe(own)}` },
    )
  }
  return descriptor
}

/** Whether the child of an index is for a platform. */
export function isFor(child: Descriptor, platform: Platform): boolean {
  return child.platform !== undefined && matchesPlatform(platform, child.platform)
}

/** What is thrown when no child of an index is for a platform. */
export function noChildFor(index: Descriptor, platform: Platform): GantryError {
  return new GantryError(
    'not-found',
    `${index.digest}: not found: no matching manifest was found in the manifest list`,
    { hint: `no child is for ${formatPlatform(platform)}` },
  )
}

/**
 * The platform that the config of an image names (image-spec, config.md); nothing when it names none.
 * @throws GantryError `unsupported` when the config is no image config; `ambiguous-manifest` for keys that another reader
 *   could understand differently
 */
export async function readPlatform(
  source: Source,
  { mediaType, config }: ImageManifest,
  options: CallOptions = {},
): Promise<Platform | undefined> {
  const expected = mediaType === MediaType.dockerManifest ? MediaType.dockerConfig : MediaType.imageConfig
  if (config.mediaType !== expected) {
    throw new GantryError(
      'unsupported',
      `fail to recognize platform from unknown config ${config.mediaType}: expect ${expected}`,
    )
  }
  const document = parseJsonObject(
    await readContent(source, config, options),
    `config ${config.digest}`,
    IMAGE_CONFIG_KEYS,
  )
  return platformOf(document)
}

function platformOf(document: Readonly<Record<string, unknown>>): Platform | undefined {
  const { architecture, os, variant } = document
  if (!isName(architecture) || !isName(os)) return undefined
  const osVersion = document['os.version']
  const osFeatures = document['os.features']
  return {
    architecture,
    os,
    'os.version': isName(osVersion) ? osVersion : undefined,
    'os.features': Array.isArray(osFeatures) ? osFeatures.filter(isName) : undefined,
    variant: isName(variant) ? variant : undefined,
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function describe(platform: Platform | undefined): string {
  return platform === undefined ? 'none' : formatPlatform(platform)
}
