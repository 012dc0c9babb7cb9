import { GantryError } from '../errors.js'
import { parseDescriptor } from '../oci/descriptor.js'
import type { Digest } from '../oci/digest.js'
import { UNKNOWN_MANIFEST_KEYS } from '../oci/document-keys.js'
import { parseManifest, referrerDescriptor, type Manifest, type ManifestContent } from '../oci/manifest.js'
import {
  isManifestType,
  isMediaType,
  isNonDistributableType,
  isSchema1Type,
  MediaType,
  mediaTypeOf,
} from '../oci/media-types.js'
import { isJsonObject, parseJsonObject, type JsonObject } from '../util/json.js'
import { Refusal } from './refusal.js'
import type { ManifestRecord } from './storage/repository-index.js'

/** What a pushed manifest says of itself. */
export interface ReadManifest {
  readonly manifest: ManifestRecord
  /** Blobs that it cannot do without. */
  readonly blobs: readonly Digest[]
}

/**
 * Reads a manifest that is being pushed. Of a type that this registry does not know it has to be a JSON object; its
 * `subject` counts all the same.
 * @throws Refusal `MANIFEST_INVALID`
 */
export function readNewManifest(
  contentType: string | undefined,
  { digest, bytes }: { readonly digest: Digest; readonly bytes: Uint8Array },
): ReadManifest {
  try {
    const document = parseJsonObject(bytes, 'the manifest')
    const mediaType = mediaTypeFor(document, contentType)
    const content = { descriptor: { mediaType, digest, size: bytes.byteLength }, bytes }
    if (!isManifestType(mediaType) || isSchema1Type(mediaType)) return readUnknownManifest(content)
    const manifest = parseManifest(content)
    const { subject } = manifest
    const referrer = subject && { subject: subject.digest, descriptor: referrerDescriptor(content, manifest) }
    return { manifest: { mediaType, size: bytes.byteLength, referrer }, blobs: blobsOf(manifest) }
  } catch (error) {
    if (error instanceof Refusal || !(error instanceof GantryError)) throw error
    throw new Refusal('MANIFEST_INVALID', error.message, { cause: error })
  }
}

/** The header decides; the document's own word counts where the header says nothing. */
function mediaTypeFor(document: JsonObject, contentType: string | undefined): string {
  const header = contentType === undefined ? '' : mediaTypeOf(contentType)
  const own = document.mediaType
  const announced = header !== '' && header !== MediaType.octetStream && header !== 'application/json'
  const mediaType = announced ? header : typeof own === 'string' ? own : guessMediaType(document)
  if (!isMediaType(mediaType)) throw new Refusal('MANIFEST_INVALID', 'the media type is malformed')
  if (own !== undefined && own !== mediaType) {
    throw new Refusal('MANIFEST_INVALID', 'the manifest has another media type than the request announces')
  }
  return mediaType
}

function guessMediaType(document: JsonObject): string {
  return 'manifests' in document ? MediaType.imageIndex : MediaType.imageManifest
}

function readUnknownManifest({ descriptor: { mediaType, digest, size }, bytes }: ManifestContent): ReadManifest {
  const document = parseJsonObject(bytes, 'the manifest', UNKNOWN_MANIFEST_KEYS)
  if (!isJsonObject(document.subject)) return { manifest: { mediaType, size }, blobs: [] }
  const subject = parseDescriptor(document.subject, 'the subject')
  const { artifactType } = document
  const isTyped = typeof artifactType === 'string' && artifactType !== ''
  const descriptor = { mediaType, digest, size, artifactType: isTyped ? artifactType : undefined }
  return { manifest: { mediaType, size, referrer: { subject: subject.digest, descriptor } }, blobs: [] }
}

/** Manifests of an index may be absent, and so may layers that are to be had elsewhere. */
function blobsOf(manifest: Manifest): readonly Digest[] {
  switch (manifest.kind) {
    case 'image':
      return [
        manifest.config.digest,
        ...manifest.layers.filter((layer) => !isNonDistributableType(layer.mediaType)).map((layer) => layer.digest),
      ]
    case 'artifact':
      return manifest.blobs.map((blob) => blob.digest)
    case 'index':
      return []
  }
}
