import type { Descriptor } from '../../oci/descriptor.js'

/** Content as results show it: the reference that it is found under, and the fields of its descriptor. */
export interface ContentResult extends Pick<
  Descriptor,
  'mediaType' | 'digest' | 'size' | 'annotations' | 'artifactType'
> {
  /** Repository or layout, and digest. */
  readonly reference: string
}

/** @param path registry and repository, or the path of a layout */
export function contentResultOf(path: string, descriptor: Descriptor): ContentResult {
  const { mediaType, digest, size, annotations, artifactType } = descriptor
  return {
    reference: `${path}@${digest}`,
    mediaType,
    digest,
    size,
    ...(annotations === undefined || Object.keys(annotations).length === 0 ? {} : { annotations }),
    ...(artifactType === undefined ? {} : { artifactType }),
  }
}
