import { GantryError } from '../errors.js'
import { Annotation } from './annotations.js'
import { descriptorOf, plainDescriptor, type Annotations, type Descriptor } from './descriptor.js'
import { encodeJson } from './encode-json.js'
import type { ManifestContent } from './manifest.js'
import { isMediaType, MediaType } from './media-types.js'

/** The content of the empty descriptor: two bytes of JSON (image-spec, manifest.md, "Guidance for an Empty Descriptor"). */
export const EMPTY_CONTENT: Uint8Array = new TextEncoder().encode('{}')

/** The empty descriptor, with its content inline. */
export const EMPTY_DESCRIPTOR: Descriptor = { ...descriptorOf(MediaType.empty, EMPTY_CONTENT), data: 'e30=' }

/** Which form of the image manifest an artifact takes: with `artifactType` (1.1), or with the type in the config (1.0). */
export type ImageSpec = 'v1.1' | 'v1.0'

export interface PackOptions {
  /** Default `v1.1`. */
  readonly imageSpec?: ImageSpec
  /** `type/subtype`; default `application/vnd.unknown.artifact.v1` where nothing else tells the type. */
  readonly artifactType?: string
  /** A config of the caller's own; default: the empty descriptor (1.1), `{}` with the artifact type (1.0). */
  readonly config?: Descriptor
  readonly layers: readonly Descriptor[]
  readonly subject?: Descriptor
  readonly annotations?: Annotations
}

/** A packed manifest, and the blobs that it needs beside those of the caller. */
export interface PackedManifest extends ManifestContent {
  /** What `artifactType` says, else the config's media type. */
  readonly artifactType: string
  /** Content of the empty config or layer, to be pushed before the manifest. */
  readonly blobs: readonly { readonly descriptor: Descriptor; readonly bytes: Uint8Array }[]
}

/**
 * Packs layers into an image manifest (image-spec, manifest.md, "Guidelines for Artifact Usage"). The same options
 * give the same bytes: key order and escaping are those of the Go tools, annotations are sorted.
 * @throws GantryError `invalid-argument` for a malformed type or timestamp, or types that exclude each other
 */
export function packManifest(options: PackOptions): PackedManifest {
  checkOptions(options)
  return options.imageSpec === 'v1.0' ? packV10(options) : packV11(options)
}

function packV11(options: PackOptions): PackedManifest {
  const config = options.config ?? EMPTY_DESCRIPTOR
  const artifactType = options.artifactType ?? (options.config === undefined ? MediaType.unknownArtifact : undefined)
  const layers = options.layers.length > 0 ? options.layers : [EMPTY_DESCRIPTOR]
  const usesEmpty = options.config === undefined || options.layers.length === 0
  const bytes = encodeManifest({ ...options, artifactType, config, layers })
  return {
    descriptor: describe(bytes, options.annotations, artifactType ?? config.mediaType),
    bytes,
    artifactType: artifactType ?? config.mediaType,
    blobs: usesEmpty ? [{ descriptor: EMPTY_DESCRIPTOR, bytes: EMPTY_CONTENT }] : [],
  }
}

function packV10(options: PackOptions): PackedManifest {
  const config = options.config ?? descriptorOf(options.artifactType ?? MediaType.unknownConfig, EMPTY_CONTENT)
  const bytes = encodeManifest({ ...options, artifactType: undefined, config })
  return {
    descriptor: describe(bytes, options.annotations, config.mediaType),
    bytes,
    artifactType: config.mediaType,
    blobs: options.config === undefined ? [{ descriptor: config, bytes: EMPTY_CONTENT }] : [],
  }
}

function checkOptions({ imageSpec, artifactType, config, annotations }: PackOptions): void {
  if (artifactType !== undefined && !isMediaType(artifactType)) {
    throw new GantryError('invalid-argument', `invalid artifactType format: ${artifactType}: invalid media type`)
  }
  if (imageSpec === 'v1.0' && artifactType !== undefined && config !== undefined) {
    throw new GantryError('invalid-argument', 'an image-spec 1.0 manifest takes an artifact type or a config, not both')
  }
  if (imageSpec !== 'v1.0' && config?.mediaType === MediaType.empty && artifactType === undefined) {
    throw new GantryError('invalid-argument', 'a manifest with an empty config needs an artifact type')
  }
  const created = annotations?.[Annotation.created]
  if (created !== undefined && !isTimestamp(created)) {
    throw new GantryError('invalid-argument', `invalid date and time format: "${created}" is not an RFC 3339 time`)
  }
}

const TIMESTAMP = /^\d{4}-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/

/** Whether `text` is a date and time as RFC 3339, section 5.6, writes it. */
export function isTimestamp(text: string): boolean {
  return TIMESTAMP.test(text) && !Number.isNaN(Date.parse(text))
}

interface ManifestParts extends Omit<PackOptions, 'artifactType' | 'config'> {
  readonly artifactType: string | undefined
  readonly config: Descriptor
}

function encodeManifest({ artifactType, config, layers, subject, annotations }: ManifestParts): Uint8Array {
  return encodeJson({
    schemaVersion: 2,
    mediaType: MediaType.imageManifest,
    artifactType,
    config: orderedDescriptor(config),
    layers: layers.map(orderedDescriptor),
    subject: subject === undefined ? undefined : plainDescriptor(subject),
    annotations: orderedAnnotations(annotations),
  })
}

function describe(bytes: Uint8Array, annotations: Annotations | undefined, artifactType: string): Descriptor {
  return {
    ...descriptorOf(MediaType.imageManifest, bytes),
    annotations: orderedAnnotations(annotations),
    artifactType,
  }
}

/** A descriptor with its fields in the order in which the Go tools write them, and sorted annotations. */
export function orderedDescriptor(descriptor: Descriptor): Descriptor {
  const { mediaType, digest, size, urls, annotations, data, platform, artifactType } = descriptor
  return {
    mediaType,
    digest,
    size,
    urls: urls === undefined || urls.length === 0 ? undefined : urls,
    annotations: orderedAnnotations(annotations),
    data,
    platform,
    artifactType,
  }
}

/** Sorted annotations; undefined where there are none, as no member is written then. */
function orderedAnnotations(annotations: Annotations = {}): Annotations | undefined {
  return Object.keys(annotations).length === 0 ? undefined : sortedAnnotations(annotations)
}

/** Annotations with their keys in byte order, as the Go tools write maps. */
export function sortedAnnotations(annotations: Annotations): Annotations {
  const sorted = Object.create(null) as Record<string, string>
  for (const key of Object.keys(annotations).sort(compareBytes)) sorted[key] = annotations[key] ?? ''
  return sorted
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
