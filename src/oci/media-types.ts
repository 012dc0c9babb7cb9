/** Media types of the image-spec, of Docker's schema 2 and of the artifact conventions around them. */
export const MediaType = {
  imageManifest: 'application/vnd.oci.image.manifest.v1+json',
  imageIndex: 'application/vnd.oci.image.index.v1+json',
  imageConfig: 'application/vnd.oci.image.config.v1+json',
  imageLayer: 'application/vnd.oci.image.layer.v1.tar',
  imageLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  imageLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  imageLayerNonDistributable: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  imageLayerNonDistributableGzip: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  imageLayerNonDistributableZstd: 'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
  empty: 'application/vnd.oci.empty.v1+json',
  /** Withdrawn before image-spec 1.1; still read and copied. */
  artifactManifest: 'application/vnd.oci.artifact.manifest.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  /** Docker's schema 1: without a config, and without the sizes of its layers. */
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  /** The same with signatures inside, which its digest does not cover. */
  dockerSignedSchema1: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerForeignLayer: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  /** Artifact type of artifacts that were packed without one. */
  unknownArtifact: 'application/vnd.unknown.artifact.v1',
  /** Config type of manifests in the image-spec 1.0 form that were packed without one. */
  unknownConfig: 'application/vnd.unknown.config.v1+json',
  octetStream: 'application/octet-stream',
} as const

const INDEX_TYPES: ReadonlySet<string> = new Set([MediaType.imageIndex, MediaType.dockerManifestList])
const MANIFEST_TYPES: ReadonlySet<string> = new Set([
  MediaType.imageManifest,
  MediaType.dockerManifest,
  MediaType.artifactManifest,
  MediaType.dockerSchema1,
  MediaType.dockerSignedSchema1,
  ...INDEX_TYPES,
])
const NON_DISTRIBUTABLE_TYPES: ReadonlySet<string> = new Set([
  MediaType.imageLayerNonDistributable,
  MediaType.imageLayerNonDistributableGzip,
  MediaType.imageLayerNonDistributableZstd,
  MediaType.dockerForeignLayer,
])

/** The manifest types that gantry takes apart, the most wanted first. */
export const MANIFEST_MEDIA_TYPES: readonly string[] = [
  MediaType.imageManifest,
  MediaType.imageIndex,
  MediaType.dockerManifest,
  MediaType.dockerManifestList,
  MediaType.artifactManifest,
]

/** What a registry is asked for: some answer "not found" for a manifest of a type that the request does not accept. */
export const ACCEPTED_MANIFEST_TYPES: readonly string[] = [
  ...MANIFEST_MEDIA_TYPES,
  MediaType.dockerSignedSchema1,
  '*/*',
]

/** Whether content of this type lives at the manifests endpoint of a registry. */
export function isManifestType(mediaType: string): boolean {
  return MANIFEST_TYPES.has(mediaType)
}

/** Whether this is an OCI index or a Docker manifest list. */
export function isIndexType(mediaType: string): boolean {
  return INDEX_TYPES.has(mediaType)
}

/** Whether this is a manifest of Docker's schema 1, which names its layers without their sizes. */
export function isSchema1Type(mediaType: string): boolean {
  return mediaType === MediaType.dockerSchema1 || mediaType === MediaType.dockerSignedSchema1
}

/** Whether this is the config of a runnable image. */
export function isImageConfigType(mediaType: string): boolean {
  return mediaType === MediaType.imageConfig || mediaType === MediaType.dockerConfig
}

/** Whether this is a layer that its owner wants fetched from elsewhere (image-spec, "Non-Distributable Layers"). */
export function isNonDistributableType(mediaType: string): boolean {
  return NON_DISTRIBUTABLE_TYPES.has(mediaType)
}

/** The type of a Content-Type header value: without parameters, in lower case (RFC 9110, section 8.3.1). */
export function mediaTypeOf(contentType: string): string {
  const end = contentType.indexOf(';')
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

const RESTRICTED_NAME = /^[A-Za-z0-9][A-Za-z0-9!#$&\-^_.+]{0,126}$/

/** Whether `text` has the form `type/subtype` (RFC 6838, section 4.2). */
export function isMediaType(text: string): boolean {
  const slash = text.indexOf('/')
  return slash > 0 && RESTRICTED_NAME.test(text.slice(0, slash)) && RESTRICTED_NAME.test(text.slice(slash + 1))
}
