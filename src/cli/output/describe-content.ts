import { Annotation } from '../../oci/annotations.js'
import type { Descriptor } from '../../oci/descriptor.js'

/** The first twelve digits of a digest, enough to tell the content of one transfer apart. */
export function shortDigest({ digest }: Descriptor): string {
  return digest.slice(digest.indexOf(':') + 1).slice(0, 12)
}

/** What people know content by: its title, else its media type. */
export function nameOf({ annotations, mediaType }: Descriptor): string {
  return annotations?.[Annotation.title] ?? mediaType
}
