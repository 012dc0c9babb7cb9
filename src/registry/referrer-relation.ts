import { isGantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import { parseManifest, referrerDescriptor, type ManifestContent } from '../oci/manifest.js'

/** A manifest that refers to another one. */
export interface ReferrerRelation {
  readonly subject: Descriptor
  /** The manifest as it is listed among the referrers of its subject. */
  readonly referrer: Descriptor
}

/** What a manifest refers to; undefined when it refers to nothing, or is not understood. */
export function relationOf(content: ManifestContent): ReferrerRelation | undefined {
  try {
    const manifest = parseManifest(content)
    if (manifest.subject === undefined) return undefined
    return { subject: manifest.subject, referrer: referrerDescriptor(content, manifest) }
  } catch (error) {
    // Whether such a document is to be stored or deleted is for the registry and the caller to say.
    if (isGantryError(error)) return undefined
    throw error
  }
}
