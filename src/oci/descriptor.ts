import { GantryError } from '../errors.js'
import { isJsonObject, type JsonObject } from '../util/json.js'
import { digestOf, parseDigest, type Digest } from './digest.js'
import { isManifestType } from './media-types.js'
import type { Platform } from './platform.js'

/** Names of annotations and their values. Made without a prototype when read from outside. */
export type Annotations = Readonly<Record<string, string>>

/** Set in a descriptor of a manifest whose media type does not say that it is one; never part of a document. */
const MANIFEST: unique symbol = Symbol('manifest')

/** Points at content: what it is, how to check it, how large it is (image-spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  /** In bytes. */
  readonly size: number
  readonly urls?: readonly string[]
  readonly annotations?: Annotations
  /** The content itself in base64; used only where it agrees with size and digest. */
  readonly data?: string
  readonly platform?: Platform
  readonly artifactType?: string
  /** See {@link asManifest}. */
  readonly [MANIFEST]?: true
}

/**
 * The descriptor of content that is a manifest whatever its media type says: it was read from the manifests of a store,
 * or is to be pushed there. The fact stays in copies of the descriptor, and is not written into documents.
 */
export function asManifest(descriptor: Descriptor): Descriptor {
  return isManifest(descriptor) ? descriptor : { ...descriptor, [MANIFEST]: true }
}

/** Whether content is a manifest, by its media type or because {@link asManifest} says so. */
export function isManifest(descriptor: Descriptor): boolean {
  return isManifestType(descriptor.mediaType) || descriptor[MANIFEST] === true
}

/** The descriptor of bytes in memory. */
export function descriptorOf(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength }
}

/** Media type, digest and size alone: what a `subject` holds, and what identifies content. */
export function plainDescriptor(descriptor: Descriptor): Descriptor {
  const { mediaType, digest, size } = descriptor
  const plain = { mediaType, digest, size }
  return isManifest(descriptor) ? asManifest(plain) : plain
}

/**
 * Reads a descriptor out of a parsed document.
 * @param where names the place in errors, such as `manifest sha256:… layers[0]`
 * @throws GantryError `invalid-content`, or `invalid-digest` for the digest
 */
export function parseDescriptor(value: unknown, where: string): Descriptor {
  if (!isJsonObject(value)) throw new GantryError('invalid-content', `${where} is not a descriptor`)
  const { mediaType, digest, size } = value
  if (typeof mediaType !== 'string' || mediaType === '') {
    throw new GantryError('invalid-content', `${where} has no media type`)
  }
  if (typeof digest !== 'string') throw new GantryError('invalid-content', `${where} has no digest`)
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new GantryError('invalid-content', `${where} has no valid size`)
  }
  const { urls, annotations, data, platform, artifactType } = value
  return {
    mediaType,
    digest: parseDigestAt(digest, where),
    size,
    urls: urls === undefined || urls === null ? undefined : parseStrings(urls, `${where} urls`),
    annotations: annotations === undefined || annotations === null ? undefined : parseAnnotations(annotations, where),
    data: typeof data === 'string' ? data : undefined,
    platform: isJsonObject(platform) ? parsePlatformObject(platform, where) : undefined,
    artifactType: typeof artifactType === 'string' && artifactType !== '' ? artifactType : undefined,
  }
}

function parseDigestAt(text: string, where: string): Digest {
  try {
    return parseDigest(text)
  } catch (cause) {
    if (!(cause instanceof GantryError)) throw cause
    throw new GantryError(cause.code, `${where}: ${cause.message}`, { cause })
  }
}

/**
 * Reads an `annotations` object.
 * @throws GantryError `invalid-content` when it is not a map of strings
 */
export function parseAnnotations(value: unknown, where: string): Annotations {
  if (!isJsonObject(value)) throw new GantryError('invalid-content', `${where} annotations are not an object`)
  if (!isStringMap(value)) {
    const [key = ''] = Object.entries(value).find(([, text]) => typeof text !== 'string') ?? []
    throw new GantryError('invalid-content', `${where} annotation "${key}" is not a string`)
  }
  return value
}

function isStringMap(value: JsonObject): value is Record<string, string> {
  for (const key in value) if (typeof value[key] !== 'string') return false
  return true
}

function parsePlatformObject(value: JsonObject, where: string): Platform {
  const { architecture, os, variant } = value
  if (typeof architecture !== 'string' || typeof os !== 'string') {
    throw new GantryError('invalid-content', `${where} has a platform without architecture or os`)
  }
  const osVersion = value['os.version']
  const osFeatures = value['os.features']
  return {
    architecture,
    os,
    'os.version': typeof osVersion === 'string' ? osVersion : undefined,
    'os.features': Array.isArray(osFeatures) ? parseStrings(osFeatures, `${where} os.features`) : undefined,
    variant: typeof variant === 'string' ? variant : undefined,
  }
}

function parseStrings(value: unknown, where: string): readonly string[] {
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) {
    throw new GantryError('invalid-content', `${where} is not a list of strings`)
  }
  return value
}
