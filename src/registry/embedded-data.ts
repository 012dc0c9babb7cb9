import type { Descriptor } from '../oci/descriptor.js'
import { algorithmOf, digestOf } from '../oci/digest.js'

/**
 * The content that a descriptor carries in its `data` field (image-spec, descriptor.md, "Embedded Content");
 * undefined when there is none, or when it is not what size and digest name.
 */
export function embeddedData({ data, size, digest }: Descriptor): Uint8Array | undefined {
  if (data === undefined || data.length > 4 * Math.ceil(size / 3)) return undefined
  const bytes = Buffer.from(data, 'base64')
  return bytes.byteLength === size && digestOf(bytes, algorithmOf(digest)) === digest ? bytes : undefined
}
