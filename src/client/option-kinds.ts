import type { AttachOptions } from '../artifact/attach.js'
import type { PullFilesOptions } from '../artifact/pull-files.js'
import type { PushFilesOptions } from '../artifact/push-files.js'
import type { DiscoverOptions } from '../graph/discover.js'
import type { CopyOptions } from '../graph/plan-copy.js'
import type { PlatformOptions } from '../graph/select-platform.js'
import type { CallOptions, TagListOptions } from '../store/store.js'
import type { AppendOptions } from './append.js'
import type { LoginOptions, LogoutOptions } from './login.js'
import type { PushBlobOptions, PushManifestOptions } from './push-content.js'
import type { RemoveOptions } from './remove.js'
import type { Kinds } from './check-arguments.js'

const call: Kinds<CallOptions> = { signal: 'object' }
const platform: Kinds<PlatformOptions> = { ...call, platform: 'object' }
const tagList: Kinds<TagListOptions> = { ...call, last: 'text', maxListLength: 'number', onInvalid: 'function' }
const discover: Kinds<DiscoverOptions & PlatformOptions> = {
  ...platform,
  depth: 'number',
  artifactType: 'text',
  maxListLength: 'number',
  concurrency: 'number',
  limits: 'object',
}
const copy: Kinds<CopyOptions> = {
  ...call,
  tags: 'texts',
  digest: 'text',
  platforms: 'list',
  referrers: 'flag',
  digestTags: 'flag',
  artifactTypes: 'texts',
  concurrency: 'number',
  limits: 'object',
  exact: 'flag',
  force: 'flag',
  nonDistributable: 'flag',
  successorsOf: 'function',
  onReferrers: 'function',
  onBlobToMove: 'function',
  onEvent: 'function',
}
const push: Kinds<PushFilesOptions> = {
  ...call,
  imageSpec: 'text',
  artifactType: 'text',
  config: 'object',
  artifactPlatform: 'object',
  configAnnotations: 'object',
  tags: 'texts',
  digest: 'text',
  annotations: 'object',
  created: 'text',
  subject: 'object',
  force: 'flag',
  concurrency: 'number',
  onFile: 'function',
  onUnportableNames: 'function',
  onEvent: 'function',
}
const { imageSpec: _, subject: __, ...packed } = push
const attach: Kinds<AttachOptions> = { ...packed, platform: 'object' }
const pull: Kinds<PullFilesOptions> = {
  ...platform,
  keepOldFiles: 'flag',
  allowPathTraversal: 'flag',
  allowUnportableNames: 'flag',
  hardLinks: 'flag',
  maxUnpackedSize: 'number',
  includeSubject: 'flag',
  config: 'object',
  cache: 'object',
  limits: 'object',
  concurrency: 'number',
  onEvent: 'function',
}
const append: Kinds<AppendOptions> = {
  ...platform,
  base: 'any',
  ociEmptyBase: 'flag',
  allPlatforms: 'flag',
  setBaseImageAnnotations: 'flag',
  tags: 'texts',
  nonDistributable: 'flag',
  temporaryFolder: 'text',
  concurrency: 'number',
  onEvent: 'function',
}
const pushManifest: Kinds<PushManifestOptions> = { ...call, mediaType: 'text', tags: 'texts', onEvent: 'function' }
const pushBlob: Kinds<PushBlobOptions> = { ...call, mediaType: 'text', size: 'number', onEvent: 'function' }
const remove: Kinds<RemoveOptions> = {
  ...call,
  kind: 'text',
  referrers: 'flag',
  children: 'flag',
  ignoreMissing: 'flag',
  confirm: 'function',
  onDeleted: 'function',
  concurrency: 'number',
}
const login: Kinds<LoginOptions> = { ...call, credentials: 'object', onNotice: 'function' }
const logout: Kinds<LogoutOptions> = { ...call, credentials: 'object' }

/** What the options of each verb have to be. */
export const OPTION_KINDS = {
  call,
  platform,
  tagList,
  discover,
  copy,
  push,
  attach,
  pull,
  append,
  pushManifest,
  pushBlob,
  remove,
  login,
  logout,
}
