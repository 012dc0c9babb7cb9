import { GantryError } from '../errors.js'
import { descriptorOf, type Descriptor } from '../oci/descriptor.js'
import { encodeJson } from '../oci/encode-json.js'
import { parseManifest, type ManifestContent } from '../oci/manifest.js'
import type { Platform } from '../oci/platform.js'
import { parseJsonObject } from '../util/json.js'
import { isFor, noChildFor } from './select-platform.js'

/** Set by BuildKit on the attestation of a sibling in the same index: the sibling's digest. */
const DESCRIBED_DIGEST = 'vnd.docker.reference.digest'

/**
 * An index with only those children that are for one of the platforms, and the attestations that describe them. It is a
 * new index with a digest of its own, complete wherever its children are; everything else in it stays as it was. An
 * index that loses no child stays the same.
 * @throws GantryError `not-found` for a platform that no child is for; `invalid-argument` when it is no index
 */
export function restrictIndex(content: ManifestContent, platforms: readonly Platform[]): ManifestContent {
  const { descriptor, bytes } = content
  const manifest = parseManifest(content)
  if (manifest.kind !== 'index') {
    throw new GantryError('invalid-argument', `${descriptor.digest} is not an index: it is for one platform at most`)
  }
  const missing = platforms.find((platform) => !manifest.manifests.some((child) => isFor(child, platform)))
  if (missing !== undefined) throw noChildFor(descriptor, missing)
  const selected = manifest.manifests.filter((child) => platforms.some((platform) => isFor(child, platform)))
  const kept = new Set<string>(selected.map(({ digest }) => digest))
  const isKept = (child: Descriptor): boolean =>
    selected.includes(child) || kept.has(child.annotations?.[DESCRIBED_DIGEST] ?? '')
  if (manifest.manifests.every(isKept)) return content
  const document = parseJsonObject(bytes, `index ${descriptor.digest}`)
  const entries: readonly unknown[] = Array.isArray(document.manifests) ? document.manifests : []
  const children = entries.filter((_, index) => isKept(manifest.manifests[index] ?? descriptor))
  const restricted = encodeJson({ ...document, manifests: children })
  return { descriptor: descriptorOf(descriptor.mediaType, restricted), bytes: restricted }
}
