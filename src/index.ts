// The front door: `import { copy } from 'gantry'`.
export { Client } from './client/client.js'
export {
  append,
  attach,
  copy,
  discover,
  fetchBlob,
  fetchManifest,
  login,
  logout,
  pull,
  push,
  pushBlob,
  pushManifest,
  remove,
  repositories,
  resolve,
  tag,
  tags,
} from './client/verbs.js'
export type { OneCall } from './client/verbs.js'

export { GantryError, isGantryError } from './errors.js'
export type {
  ErrorCode,
  ErrorDetails,
  ErrorReason,
  GantryErrorOptions,
  RegistryErrorEntry,
  RegistryResponse,
  TransferSide,
} from './errors.js'
export { Annotation } from './oci/annotations.js'
export { MediaType } from './oci/media-types.js'
export { formatPlatform, parsePlatform } from './oci/platform.js'
export { formatReference, parseReference } from './oci/reference.js'

export type { AttachOptions, AttachResult } from './artifact/attach.js'
export type { PullFilesOptions as PullOptions, PullFilesResult as PullResult } from './artifact/pull-files.js'
export type {
  FileToPush,
  PushFilesOptions as PushOptions,
  PushFilesResult as PushResult,
} from './artifact/push-files.js'
export type { AppendOptions } from './client/append.js'
export type { ConnectOptions } from './client/connect.js'
export type { ContentClient, OpenedBlob, TagOptions } from './client/content-client.js'
export type { LoginNotice, LoginOptions, LogoutOptions } from './client/login.js'
export type { Target } from './client/open-target.js'
export type { ClientOptions, Opener, OpenOptions } from './client/opener.js'
export type { OnProgress, ProgressEvent, TransferTotals, WithProgress } from './client/progress.js'
export type { PushBlobOptions, PushedResult, PushManifestOptions } from './client/push-content.js'
export type { RemovalPlan, RemoveOptions, RemoveResult } from './client/remove.js'
export type { ContentToPush, PushedContent, PushedFile } from './client/spool-content.js'
export type { ErasedCredential, StoredCredential } from './credentials/credential-store.js'
export type { DiscoverOptions, ReferrerTree } from './graph/discover.js'
export type { CopyOptions } from './graph/plan-copy.js'
export type { CopyResult } from './graph/run-copy.js'
export type { PlatformOptions } from './graph/select-platform.js'
export type { AppendResult } from './image/append.js'
export type { Descriptor } from './oci/descriptor.js'
export type { ManifestContent } from './oci/manifest.js'
export type { Platform } from './oci/platform.js'
export type { Reference } from './oci/reference.js'
export type { Credential } from './registry/auth/credential.js'
