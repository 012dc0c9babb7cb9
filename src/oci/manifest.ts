import { GantryError } from '../errors.js'
import { isJsonObject, parseJsonObject, type JsonObject } from '../util/json.js'
import { asManifest, parseAnnotations, parseDescriptor, type Annotations, type Descriptor } from './descriptor.js'
import { digestOf, type Digest, type DigestAlgorithm } from './digest.js'
import { MANIFEST_KEYS } from './document-keys.js'
import { isIndexType, isManifestType, isSchema1Type, MediaType } from './media-types.js'
import { schema1Payload } from './schema-1.js'

/** Largest manifest, index or list page that is read, in bytes (4 MiB: what registries have to accept at least). */
export const MAX_MANIFEST_SIZE = 4 * 1024 * 1024

/** What manifests of every kind may have. */
export interface ManifestFields {
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
 * Parses the bytes of a manifest. The caller has checked their digest. A manifest of a type that is not known is taken
 * for what its fields say.
 * @throws GantryError `ambiguous-manifest` when the document fits more than one kind, names another media type than its
 *   descriptor, or has keys that another reader could understand differently; `invalid-content` when a field is missing
 *   or malformed; `unsupported` for Docker's schema 1 and when neither type nor fields say what it is
 */
export function parseManifest({ descriptor, bytes }: ManifestContent): Manifest {
  const { mediaType, digest } = descriptor
  const where = `manifest ${digest}`
  if (isSchema1Type(mediaType)) {
    throw new GantryError('unsupported', `${where} is in Docker's schema 1: it can be copied, and not be taken apart`)
  }
  const kind = kindOfType(mediaType) ?? kindByFields(readObject(bytes))
  if (kind === undefined) throw unknownKind(where, mediaType)
  const document = parseJsonObject(bytes, where, MANIFEST_KEYS)
  checkKind(document, mediaType, kind, where)
  const fields = parseFields(document, mediaType, where)
  if (kind === 'index') {
    return { kind, ...fields, manifests: parseDescriptors(document.manifests, `${where} manifests`) }
  }
  if (kind === 'artifact') {
    return { kind, ...fields, blobs: parseDescriptors(document.blobs, `${where} blobs`) }
  }
  return {
    kind,
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
    annotations: manifest.annotations,
    artifactType: artifactType === '' ? undefined : artifactType,
  }
}

/** The media type that a manifest's bytes name themselves; `undefined` when they name none or are no JSON object. */
export function declaredMediaType(bytes: Uint8Array): string | undefined {
  const mediaType = readObject(bytes)?.mediaType
  return typeof mediaType === 'string' ? mediaType : undefined
}

/**
 * The media type of a manifest by its bytes alone: the one that it names or, as the field may be missing since
 * image-spec 1.0, the OCI type that its fields belong to; `undefined` when the bytes do not say.
 */
export function detectMediaType(bytes: Uint8Array): string | undefined {
  const document = readObject(bytes)
  if (typeof document?.mediaType === 'string' && document.mediaType !== '') return document.mediaType
  if (document?.schemaVersion === 1 && Array.isArray(document.fsLayers)) {
    return Array.isArray(document.signatures) ? MediaType.dockerSignedSchema1 : MediaType.dockerSchema1
  }
  if (document?.schemaVersion !== 2) return undefined
  const kind = kindByFields(document)
  if (kind === 'image') return MediaType.imageManifest
  return kind === 'index' ? MediaType.imageIndex : undefined
}

/** The digest of a manifest. In Docker's schema 1 it leaves out the signatures. */
export function manifestDigest(mediaType: string, bytes: Uint8Array, algorithm?: DigestAlgorithm): Digest {
  const isSigned = isSchema1Type(mediaType) && readObject(bytes)?.signatures !== undefined
  return digestOf(isSigned ? schema1Payload(bytes, 'the manifest') : bytes, algorithm)
}

/**
 * The descriptor of a manifest that is to be pushed, of any type.
 * @param mediaType default: what the bytes say
 * @throws GantryError `invalid-content` when they do not say what they are
 */
export function describeManifest(bytes: Uint8Array, mediaType = detectMediaType(bytes)): Descriptor {
  if (mediaType === undefined) {
    parseJsonObject(bytes, 'the manifest')
    throw new GantryError('invalid-content', 'cannot tell what the manifest is: it names no media type', {
      hint: 'add the field "mediaType" to it, or say its media type',
    })
  }
  return asManifest({ mediaType, digest: manifestDigest(mediaType, bytes), size: bytes.byteLength })
}

/** Nothing for what is no JSON object: whoever parses it in earnest reports that. */
function readObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    return parseJsonObject(bytes, 'manifest')
  } catch {
    return undefined
  }
}

function kindOfType(mediaType: string): Manifest['kind'] | undefined {
  if (!isManifestType(mediaType)) return undefined
  if (isIndexType(mediaType)) return 'index'
  return mediaType === MediaType.artifactManifest ? 'artifact' : 'image'
}

function kindByFields(document: JsonObject | undefined): Manifest['kind'] | undefined {
  if (document === undefined) return undefined
  if (Array.isArray(document.layers) && isJsonObject(document.config)) return 'image'
  if (Array.isArray(document.manifests)) return 'index'
  return Array.isArray(document.blobs) ? 'artifact' : undefined
}

function unknownKind(where: string, mediaType: string): GantryError {
  return new GantryError(
    'unsupported',
    `cannot tell what ${where} is made of: its media type is "${mediaType}", and it has no layers, manifests or blobs`,
  )
}

/** Refuses documents that two readers could take for two different things (CVE-2021-41190). */
function checkKind(document: JsonObject, mediaType: string, kind: Manifest['kind'], where: string): void {
  if (document.mediaType !== undefined && document.mediaType !== mediaType) {
    throw new GantryError(
      'ambiguous-manifest',
      `ambiguous ${where}: it was announced as "${mediaType}" and calls itself ${JSON.stringify(document.mediaType)}`,
    )
  }
  const foreign =
    kind === 'index'
      ? ['layers', 'config', 'fsLayers', 'history', 'blobs']
      : kind === 'artifact'
        ? ['layers', 'config', 'fsLayers', 'history', 'manifests']
        : ['manifests', 'fsLayers', 'history', 'blobs']
  const found = foreign.find((key) => key in document)
  if (found !== undefined) {
    const own = kind === 'index' ? 'manifests' : kind === 'artifact' ? 'blobs' : 'layers'
    throw new GantryError('ambiguous-manifest', `ambiguous ${where}: has both ${own} and ${found}`)
  }
}

function parseFields(document: JsonObject, mediaType: string, where: string): ManifestFields {
  const { artifactType, subject, annotations } = document
  return {
    mediaType,
    artifactType: typeof artifactType === 'string' && artifactType !== '' ? artifactType : undefined,
    subject: isJsonObject(subject) ? parseDescriptor(subject, `${where} subject`) : undefined,
    annotations: isJsonObject(annotations) ? parseAnnotations(annotations, where) : undefined,
  }
}

/** Go writes an empty list as null. */
function parseDescriptors(value: unknown, where: string): readonly Descriptor[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new GantryError('invalid-content', `${where} is not a list`)
  return value.map((entry, index) => parseDescriptor(entry, `${where}[${index}]`))
}
