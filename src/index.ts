export { GantryError, isGantryError, messageOf, withSide } from './errors.js'
export type {
  ErrorCode,
  ErrorDetails,
  ErrorReason,
  GantryErrorOptions,
  RegistryErrorEntry,
  RegistryResponse,
  TransferSide,
} from './errors.js'

export { collectBytes, openBytes } from './util/bytes.js'
export type { Bytes, OpenContent } from './util/bytes.js'
export { isJsonObject, parseJson, parseJsonObject } from './util/json.js'
export type { JsonObject } from './util/json.js'
export { redactSecrets, redactUrl } from './util/redact.js'
export { TempFile, writeFileAtomically } from './util/temp-file.js'
export type { TempFileOptions } from './util/temp-file.js'
export { endWithoutTempFiles, removeOpenTempFiles } from './util/temp-path.js'
export { visibleJson, visibleLine, visibleText } from './util/visible-text.js'

export { Annotation } from './oci/annotations.js'
export { asManifest, descriptorOf, isManifest, plainDescriptor } from './oci/descriptor.js'
export type { Annotations, Descriptor } from './oci/descriptor.js'
export { Digester, digestOf, isDigest, parseDigest } from './oci/digest.js'
export type { Digest, DigestAlgorithm } from './oci/digest.js'
export { encodeJson, formatJson } from './oci/encode-json.js'
export {
  artifactTypeOf,
  declaredMediaType,
  describeManifest,
  detectMediaType,
  MAX_MANIFEST_SIZE,
  parseManifest,
  referrerDescriptor,
  successorsOf,
} from './oci/manifest.js'
export type { ArtifactManifest, ImageManifest, Index, Manifest, ManifestContent } from './oci/manifest.js'
export { isIndexType, isManifestType, isMediaType, MediaType, mediaTypeOf } from './oci/media-types.js'
export { EMPTY_CONTENT, EMPTY_DESCRIPTOR, packManifest } from './oci/pack.js'
export type { ImageSpec, PackedManifest, PackOptions } from './oci/pack.js'
export { architectureOf, formatPlatform, matchesPlatform, parsePlatform } from './oci/platform.js'
export type { Platform } from './oci/platform.js'
export {
  formatReference,
  isRegistryName,
  isRepositoryName,
  isTag,
  parseReference,
  parseTaggedReference,
  targetOf,
} from './oci/reference.js'
export type { Reference, TaggedReference } from './oci/reference.js'
export { digestTagsOf, isDigestTag, referrersTagOf } from './oci/referrers-tag.js'

export { FileSink } from './store/file-sink.js'
export type { FileSinkOptions, PublishedFile } from './store/file-sink.js'
export { FileSource } from './store/file-source.js'
export type { AddFileOptions } from './store/file-source.js'
export { LayoutStore } from './store/layout.js'
export type { LayoutStoreOptions } from './store/layout.js'
export { LayoutTar } from './store/layout-tar.js'
export { LayoutTarWriter } from './store/layout-tar-writer.js'
export { MemoryStore } from './store/memory.js'
export { isDeleter, isLocalSource, isMounter, isReferrerSource, isTagSource } from './store/store.js'
export type {
  CallOptions,
  Deleter,
  FetchOptions,
  LocalSource,
  Mounter,
  PushOptions,
  ReferrerOptions,
  ReferrerSource,
  ResolveOptions,
  Sink,
  Source,
  Store,
  TagListOptions,
  TagSource,
} from './store/store.js'
export { readContent, Verifier, verifyContent } from './store/verify.js'

export { Registry } from './registry/registry.js'
export type { CatalogOptions } from './registry/registry.js'
export { Repository } from './registry/repository.js'
export type { RepositoryOptions } from './registry/repository.js'
export type { ReferrersMode } from './registry/referrers.js'
export { formatGoValue } from './registry/go-format.js'
export type { Credential, CredentialLookup, CredentialScope, FoundCredential } from './registry/auth/credential.js'
export type { CredentialRefusal } from './registry/auth/refused-credentials.js'
export { repositoryScope } from './registry/auth/scope.js'
export type { Scope } from './registry/auth/scope.js'
export { createTransport } from './registry/http/create-transport.js'
export type { RegistryAnswer, RegistryRequest, RegistryTransport } from './registry/http/transport.js'
export type { TransportEvent } from './registry/http/transport-event.js'
export type {
  HostOverride,
  ProxyOptions,
  RetryOptions,
  TimeoutOptions,
  TlsOptions,
  TransportOptions,
} from './registry/http/transport-options.js'

export { certificateRootsOf, readRegistryCertificates } from './credentials/certs-d.js'
export type { CertificateReading, RegistryCertificates } from './credentials/certs-d.js'
export { createCredentialLookup } from './credentials/credential-lookup.js'
export { credentialSettingsOf } from './credentials/credential-settings.js'
export type { CredentialContext, CredentialSettings } from './credentials/credential-settings.js'
export type { OnSkippedFile } from './credentials/optional-file.js'
export { eraseCredential, storeCredential } from './credentials/credential-store.js'
export type { ErasedCredential, StoredCredential } from './credentials/credential-store.js'
export {
  readRegistrySettings,
  registrySettingsFileOf,
  setRegistrySettings,
  settingsOfRegistry,
  unsetRegistrySettings,
} from './credentials/registry-settings.js'
export type { RegistrySettingName, RegistrySettings, RegistrySettingsPlace } from './credentials/registry-settings.js'
export { readHttpHeaders } from './credentials/http-headers.js'
export { runCredentialHelper, serveCredentialHelper } from './credentials/serve-credential-helper.js'

export type { OnTransferEvent, TransferEvent } from './graph/events.js'
export { CachedSource } from './graph/cached-source.js'
export { copy, copyGraph } from './graph/copy.js'
export type { CopyPlan, PlannedNode, PlannedTag } from './graph/copy-plan.js'
export { deleteGraph, planDelete } from './graph/delete.js'
export type { DeleteOptions, DeletePlan, PlanDeleteOptions } from './graph/delete.js'
export { discover } from './graph/discover.js'
export type { DiscoverOptions, ReferrerNode, ReferrerTree } from './graph/discover.js'
export { planCopy, planGraph } from './graph/plan-copy.js'
export type { CopyGraphOptions, CopyOptions } from './graph/plan-copy.js'
export { runCopy } from './graph/run-copy.js'
export type { CopyResult } from './graph/run-copy.js'
export { readPlatformManifest, resolvePlatform } from './graph/select-platform.js'
export type { PlatformOptions } from './graph/select-platform.js'

export type { AuthenticationOptions } from './server/auth/authenticator.js'
export { startRegistryServer } from './server/registry-server.js'
export type { RegistryServer, RegistryServerOptions } from './server/registry-server.js'

export { appendLayers } from './image/append.js'
export type { AppendBase, AppendOptions, AppendResult } from './image/append.js'

export { attach } from './artifact/attach.js'
export type { AttachOptions, AttachResult } from './artifact/attach.js'
export { pullFiles } from './artifact/pull-files.js'
export type { PullFilesOptions, PullFilesResult } from './artifact/pull-files.js'
export { pushFiles } from './artifact/push-files.js'
export type { FileToPush, PushFilesOptions, PushFilesResult } from './artifact/push-files.js'
export { pushManifest } from './artifact/push-manifest.js'
export type { PushManifestOptions } from './artifact/push-manifest.js'

export { Client } from './client/client.js'
export type { OpenedBlob, TagOptions } from './client/content-client.js'
export type { LoginNotice, LoginOptions, LogoutOptions } from './client/login.js'
export type { PushBlobOptions, PushedResult } from './client/push-content.js'
export type { RemovalPlan, RemoveOptions, RemoveResult } from './client/remove.js'
export type { Connections, ConnectOptions, CredentialFiles, Environment, RegistryAccess } from './client/connect.js'
export type { CopyStore, CopyTarget, ReadableStore, Target, WritableStore } from './client/open-target.js'
export { Opener } from './client/opener.js'
export type { ClientOptions, OpenOptions } from './client/opener.js'
export type { ContentToPush, PushedContent, PushedFile } from './client/spool-content.js'
export type { Scheme, TargetName, TargetNameOptions } from './client/target.js'
