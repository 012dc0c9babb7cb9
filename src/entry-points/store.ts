// `gantry/store`: what a store is, the stores on this machine, and the documents of the image-spec.
export { FileSink } from '../store/file-sink.js'
export type { FileSinkOptions, PublishedFile } from '../store/file-sink.js'
export type { FileTargetOptions } from '../store/file-target.js'
export { FileSource } from '../store/file-source.js'
export type { AddFileOptions } from '../store/file-source.js'
export { LayoutStore } from '../store/layout.js'
export type { LayoutStoreOptions } from '../store/layout.js'
export type { GarbageBlob, GarbageOptions, GarbageResult } from '../store/layout-garbage.js'
export type { LayoutReader } from '../store/layout-reader.js'
export { LayoutTar } from '../store/layout-tar.js'
export { LayoutTarWriter } from '../store/layout-tar-writer.js'
export type { LayoutTarOptions } from '../store/layout-tar-writer.js'
export { MemoryStore } from '../store/memory.js'
export {
  isBlobSource,
  isDeleter,
  isLocalSource,
  isMounter,
  isReferrerSink,
  isReferrerSource,
  isTagSource,
  isUntagger,
} from '../store/store.js'
export type {
  BlobSource,
  CallOptions,
  Deleter,
  FetchOptions,
  LocalSource,
  LookUpOptions,
  Mounter,
  PushOptions,
  ReferrerOptions,
  ReferrerSink,
  ReferrerSource,
  ResolveOptions,
  Sink,
  Source,
  Store,
  TagListOptions,
  TagSource,
  Untagger,
} from '../store/store.js'
export { readContent, Verifier, verifyContent } from '../store/verify.js'
export { collectBytes, openBytes } from '../util/bytes.js'
export type { Bytes, ContentUse, OpenContent } from '../util/bytes.js'

export type {
  CopyStore,
  CopyTarget,
  ReadableStore,
  SinkReference,
  SourceReference,
  Target,
  WritableStore,
} from '../client/open-target.js'
export type { Scheme, TargetName, TargetNameOptions } from '../client/target.js'

export { Annotation } from '../oci/annotations.js'
export { asManifest, descriptorOf, isManifest, plainDescriptor } from '../oci/descriptor.js'
export type { Annotations, Descriptor } from '../oci/descriptor.js'
export { Digester, digestOf, isDigest, parseDigest } from '../oci/digest.js'
export type { Digest, DigestAlgorithm } from '../oci/digest.js'
export {
  artifactTypeOf,
  declaredMediaType,
  describeManifest,
  detectMediaType,
  MAX_MANIFEST_SIZE,
  parseManifest,
  referrerDescriptor,
  successorsOf,
} from '../oci/manifest.js'
export type {
  ArtifactManifest,
  ImageManifest,
  Index,
  Manifest,
  ManifestContent,
  ManifestFields,
} from '../oci/manifest.js'
export { isIndexType, isManifestType, isMediaType, MediaType, mediaTypeOf } from '../oci/media-types.js'
export { EMPTY_CONTENT, EMPTY_DESCRIPTOR, packManifest } from '../oci/pack.js'
export type { ImageSpec, PackedManifest, PackOptions } from '../oci/pack.js'
export { architectureOf, formatPlatform, matchesPlatform, parsePlatform } from '../oci/platform.js'
export type { Platform } from '../oci/platform.js'
export { digestTagsOf, isDigestTag, referrersTagOf } from '../oci/referrers-tag.js'
