import { GantryError } from '../errors.js'
import { isJsonObject, parseJsonObject, type JsonObject } from '../util/json.js'
import { parseAnnotations, parseDescriptor, type Annotations, type Descriptor } from './descriptor.js'
import { MANIFEST_KEYS } from './document-keys.js'
import { isIndexType, isManifestType, MediaType } from './media-types.js'

/** Largest manifest, index or list page that is read, in bytes (4 MiB: what registries have to accept at least). */
export const MAX_MANIFEST_SIZE = 4 * 1024 * 1024

interface ManifestFields {
  readonly mediaType: string
  readonly artifactType?: string
  readonly subject?: Descriptor
  readonly annotations?: Annotations
}

/** An OCI image manifest or a Docker schema 2 manifest (image-spec, manifest.md). */
export interface ImageManifest extends ManifestFields {
  readonly kind: 'image'
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

/** An OCI image index or a Docker manifest list (image-spec, image-index.md). */
export interface Index extends ManifestFields {
  readonly kind: 'index'
  readonly manifests: readonly Descriptor[]
}

/** The artifact manifest that was withdrawn before image-spec 1.1. */
export interface ArtifactManifest extends ManifestFields {
  readonly kind: 'artifact'
  readonly blobs: readonly Descriptor[]
}

export type Manifest = ImageManifest | Index | ArtifactManifest

/** A manifest as it was received: the descriptor, and the very bytes that its digest names. */
export interface ManifestContent {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

/**
 * Parses the bytes of a manifest. The caller has checked their digest.
 * @throws GantryError `ambiguous-manifest` when the document fits more than one kind, names another media type than its
 *   descriptor, or has keys that another reader could understand differently; `invalid-content` when a field is missing or malformed; `unsupported` for other media types
 */
export function parseManifest({ descriptor, bytes }: ManifestContent): Manifest {
  const { mediaType, digest } = descriptor
  const where = `manifest ${digest}`
  if (!isManifestType(mediaType)) {
    throw new GantryError('unsupported', `${where} has the media type "${mediaType}", which is not a manifest type`)
  }
  const document = parseJsonObject(bytes, where, MANIFEST_KEYS)
  checkKind(document, mediaType, where)
  const fields = parseFields(document, mediaType, where)
  if (isIndexType(mediaType)) {
    return { kind: 'index', ...fields, manifests: parseDescriptors(document.manifests, `${where} manifests`) }
  }
  if (mediaType === MediaType.artifactManifest) {
    return { kind: 'artifact', ...fields, blobs: parseDescriptors(document.blobs, `${where} blobs`) }
  }
  return {
    kind: 'image',
    ...fields,
    config: parseDescriptor(document.config, `${where} config`),
    layers: parseDescriptors(document.layers, `${where} layers`),
  }
}

/** Everything that a manifest needs to be complete: config, layers, blobs, manifests and the subject, in that order. */
export function successorsOf(manifest: Manifest): readonly Descriptor[] {
  const subject = manifest.subject === undefined ? [] : [manifest.subject]
  switch (manifest.kind) {
    case 'image':
      return [manifest.config, ...manifest.layers, ...subject]
    case 'index':
      return [...manifest.manifests, ...subject]
    case 'artifact':
      return [...manifest.blobs, ...subject]
  }
}

/**
 * The artifact type by the rules of the referrers API: the manifest's own, else the config's media type
 * (distribution-spec, "Listing Referrers"). Empty for an index without one.
 */
export function artifactTypeOf(manifest: Manifest): string {
  if (manifest.artifactType !== undefined) return manifest.artifactType
  return manifest.kind === 'image' ? manifest.config.mediaType : ''
}

/** The descriptor by which a manifest is listed among the referrers of its subject (distribution-spec, same section). */
export function referrerDescriptor(content: ManifestContent, manifest: Manifest): Descriptor {
  const { mediaType, digest, size } = content.descriptor
  const artifactType = artifactTypeOf(manifest)
  return {
    mediaType,
    digest,
    size,
    ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
    ...(artifactType === '' ? {} : { artifactType }),
  }
}

/** The media type that a manifest's bytes name themselves; `undefined` when they name none or are no JSON object. */
export function declaredMediaType(bytes: Uint8Array): string | undefined {
  try {
    const { mediaType } = parseJsonObject(bytes, 'manifest')
    return typeof mediaType === 'string' ? mediaType : undefined
  } catch {
    // Not a JSON object: whoever parses it in earnest reports that.
    return undefined
  }
}

/** Refuses documents that two readers could take for two different things (CVE-2021-41190). */
function checkKind(document: JsonObject, mediaType: string, where: string): void {
  if (document.mediaType !== undefined && document.mediaType !== mediaType) {
    throw new GantryError(
      'ambiguous-manifest',
      `ambiguous ${where}: it was announced as "${mediaType}" and calls itself ${JSON.stringify(document.mediaType)}`,
    )
  }
  const foreign = isIndexType(mediaType)
    ? ['layers', 'config', 'fsLayers', 'history', 'blobs']
    : mediaType === MediaType.artifactManifest
      ? ['layers', 'config', 'fsLayers', 'history', 'manifests']
      : ['manifests', 'fsLayers', 'history', 'blobs']
  const found = foreign.find((key) => key in document)
  if (found !== undefined) {
    const own = isIndexType(mediaType) ? 'manifests' : mediaType === MediaType.artifactManifest ? 'blobs' : 'layers'
    throw new GantryError('ambiguous-manifest', `ambiguous ${where}: has both ${own} and ${found}`)
  }
}

function parseFields(document: JsonObject, mediaType: string, where: string): ManifestFields {
  const { artifactType, subject, annotations } = document
  return {
    mediaType,
    ...(typeof artifactType === 'string' && artifactType !== '' ? { artifactType } : {}),
    ...(isJsonObject(subject) ? { subject: parseDescriptor(subject, `${where} subject`) } : {}),
    ...(isJsonObject(annotations) ? { annotations: parseAnnotations(annotations, where) } : {}),
  }
}

/** Go writes an empty list as null. */
function parseDescriptors(value: unknown, where: string): readonly Descriptor[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new GantryError('invalid-content', `${where} is not a list`)
  return value.map((entry, index) => parseDescriptor(entry, `${where}[${index}]`))
}
