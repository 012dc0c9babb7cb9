/** A time as annotations and tokens have it: RFC 3339, in UTC and whole seconds. */
export function formatTimestamp(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Annotation keys that are defined by a specification or by a widely followed convention. */
export const Annotation = {
  /** Name of a file or folder (image-spec, annotations.md). */
  title: 'org.opencontainers.image.title',
  /** Date and time of creation, RFC 3339. */
  created: 'org.opencontainers.image.created',
  /** Name of a manifest in an image layout's index. */
  refName: 'org.opencontainers.image.ref.name',
  baseName: 'org.opencontainers.image.base.name',
  baseDigest: 'org.opencontainers.image.base.digest',
  /** Digest of the tar inside a packed folder's tar+gzip. */
  unpackedDigest: 'io.deis.oras.content.digest',
  /** `true` on the layer of a packed folder. */
  unpack: 'io.deis.oras.content.unpack',
  /** Set by registries on a referrers list that they have filtered. */
  referrersFiltersApplied: 'org.opencontainers.referrers.filtersApplied',
} as const
