import type { AttachOptions, AttachResult } from '../artifact/attach.js'
import type { PullFilesOptions, PullFilesResult } from '../artifact/pull-files.js'
import type { PushFilesOptions, PushFilesResult } from '../artifact/push-files.js'
import type { ErasedCredential, StoredCredential } from '../credentials/credential-store.js'
import type { DiscoverOptions, ReferrerTree } from '../graph/discover.js'
import type { CopyOptions } from '../graph/plan-copy.js'
import type { CopyResult } from '../graph/run-copy.js'
import type { PlatformOptions } from '../graph/select-platform.js'
import type { AppendResult } from '../image/append.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { ManifestContent } from '../oci/manifest.js'
import type { Credential } from '../registry/auth/credential.js'
import type { CallOptions, TagListOptions } from '../store/store.js'
import type { AppendOptions } from './append.js'
import { checkArgument } from './check-arguments.js'
import { Client } from './client.js'
import type { OpenedBlob, TagOptions } from './content-client.js'
import type { LoginOptions, LogoutOptions } from './login.js'
import type { ClientOptions } from './opener.js'
import type { WithProgress } from './progress.js'
import type { PushBlobOptions, PushedResult, PushManifestOptions } from './push-content.js'
import type { RemoveOptions, RemoveResult } from './remove.js'
import type { PushedContent, PushedFile } from './spool-content.js'

/** The options of a verb, and how registries are reached: what {@link Client} is made with. */
export type OneCall<Options> = Options & { readonly client?: ClientOptions }

/**
 * Copies an artifact, an image or an index with everything that it needs; see {@link Client.copy}.
 * @example
 * await copy('localhost:5000/hello:v1', 'registry.example.com/team/hello:v1', { referrers: true })
 */
export async function copy(
  from: string,
  to: string,
  options: OneCall<WithProgress<CopyOptions>> = {},
): Promise<CopyResult> {
  const verb = optionsOfVerb(options)
  return withClient(options, (opened) => opened.copy(from, to, verb))
}

/**
 * Packs files, folders and content in memory into an artifact and pushes it; see {@link Client.push}.
 * @example
 * await push('localhost:5000/notes:v1', [{ name: 'note.txt', content: Buffer.from('hi'), mediaType: 'text/plain' }])
 */
export async function push(
  to: string,
  files: readonly PushedFile[],
  options: OneCall<WithProgress<PushFilesOptions>> = {},
): Promise<PushFilesResult> {
  const verb = optionsOfVerb(options)
  return withClient(options, (opened) => opened.push(to, files, verb))
}

/**
 * Packs files into an artifact that refers to another one; see {@link Client.attach}.
 * @example
 * await attach('localhost:5000/hello:v1', ['sbom.json'], { artifactType: 'application/spdx+json' })
 */
export async function attach(
  to: string,
  files: readonly PushedFile[],
  options: OneCall<WithProgress<AttachOptions>>,
): Promise<AttachResult> {
  const verb = optionsOfVerb(options)
  return withClient(options, (opened) => opened.attach(to, files, verb))
}

/**
 * Pulls the files of an artifact into a folder; see {@link Client.pull}.
 * @example
 * const { files } = await pull('localhost:5000/hello:v1', './download')
 */
export async function pull(
  from: string,
  folder: string,
  options: OneCall<WithProgress<PullFilesOptions>> = {},
): Promise<PullFilesResult> {
  const verb = optionsOfVerb(options)
  return withClient(options, (opened) => opened.pull(from, folder, verb))
}

/**
 * Appends layers to an image and pushes the result; see {@link Client.append}.
 * @example
 * await append('localhost:5000/app:v2', ['app.tar'], { base: 'localhost:5000/app:v1' })
 */
export async function append(
  to: string,
  layers: readonly PushedContent[],
  options: OneCall<AppendOptions> = {},
): Promise<AppendResult> {
  const verb = optionsOfVerb(options)
  return withClient(options, (opened) => opened.append(to, layers, verb))
}

/**
 * Finds what refers to a manifest, and what refers to that in turn; see {@link Client.discover}.
 * @example
 * const { root } = await discover('localhost:5000/hello:v1', { artifactType: 'application/spdx+json' })
 */
export async function discover(
  of: string,
  options: OneCall<DiscoverOptions & PlatformOptions> = {},
): Promise<ReferrerTree> {
  const verb = optionsOfVerb(options)
  return withClient(options, (opened) => opened.discover(of, verb))
}

/**
 * Finds what a reference, or a platform of an index, stands for; see {@link Client.resolve}.
 * @example
 * const { digest } = await resolve('localhost:5000/hello:v1')
 */
export async function resolve(reference: string, options: OneCall<PlatformOptions> = {}): Promise<Descriptor> {
  const verb = optionsOfVerb(options)
  return withClient(options, (opened) => opened.resolve(reference, verb))
}

/**
 * Reads a manifest, with the bytes as they are stored; see {@link Client.fetchManifest}.
 * @example
 * const { descriptor, bytes } = await fetchManifest('localhost:5000/hello:v1')
 */
export async function fetchManifest(
  reference: string,
  options: OneCall<PlatformOptions> = {},
): Promise<ManifestContent> {
  const verb = optionsOfVerb(options)
  return withClient(options, (opened) => opened.fetchManifest(reference, verb))
}

/**
 * Pushes a manifest that was made elsewhere, byte for byte; see {@link Client.pushManifest}.
 * @example
 * await pushManifest('localhost:5000/hello:v1', 'manifest.json')
 */
export async function pushManifest(
  to: string,
  content: PushedContent,
  options: OneCall<PushManifestOptions> = {},
): Promise<PushedResult> {
  const verb = optionsOfVerb(options)
  return withClient(options, (opened) => opened.pushManifest(to, content, verb))
}

/**
 * Pushes a blob; see {@link Client.pushBlob}.
 * @example
 * const { descriptor } = await pushBlob('localhost:5000/hello', Buffer.from('hi'))
 */
export async function pushBlob(
  to: string,
  content: PushedContent,
  options: OneCall<PushBlobOptions> = {},
): Promise<PushedResult> {
  const verb = optionsOfVerb(options)
  return withClient(options, (opened) => opened.pushBlob(to, content, verb))
}

/**
 * Deletes a manifest with the tags that point at it, or a blob; see {@link Client.remove}.
 * @example
 * await remove('localhost:5000/hello:v1', { referrers: true })
 */
export async function remove(reference: string, options: OneCall<RemoveOptions> = {}): Promise<RemoveResult> {
  const verb = optionsOfVerb(options)
  return withClient(options, (opened) => opened.remove(reference, verb))
}

/**
 * Points further tags at a manifest; see {@link Client.tag}.
 * @example
 * await tag('localhost:5000/hello:v1', ['latest', 'stable'])
 */
export async function tag(
  reference: string,
  tags: readonly string[],
  options: OneCall<TagOptions> = {},
): Promise<Descriptor> {
  const verb = optionsOfVerb(options)
  return withClient(options, (opened) => opened.tag(reference, tags, verb))
}

/**
 * Tries a credential at a registry, and stores it where Docker would; see {@link Client.login}.
 * @example
 * await login('localhost:5000', { type: 'basic', username: 'me', password: 'secret' })
 */
export async function login(
  registry: string,
  credential: Credential,
  options: OneCall<LoginOptions> = {},
): Promise<StoredCredential> {
  const verb = optionsOfVerb(options)
  return withClient(options, (opened) => opened.login(registry, credential, verb))
}

/**
 * Forgets the credential of a registry; see {@link Client.logout}.
 * @example
 * await logout('localhost:5000')
 */
export async function logout(registry: string, options: OneCall<LogoutOptions> = {}): Promise<ErasedCredential> {
  const verb = optionsOfVerb(options)
  return withClient(options, (opened) => opened.logout(registry, verb))
}

/**
 * Opens a blob; what is yielded is checked; see {@link Client.fetchBlob}. The content is asked for when it is read.
 * @example
 * const { descriptor, content } = await fetchBlob(`localhost:5000/hello@${digest}`)
 * for await (const chunk of content) console.log(chunk.length)
 */
export async function fetchBlob(reference: string, options: OneCall<CallOptions> = {}): Promise<OpenedBlob> {
  const verb = optionsOfVerb(options)
  const { descriptor } = await withClient(options, (opened) => opened.fetchBlob(reference, verb))
  // Nothing stays open where the content is not read.
  const content = withOpenClient(options, async function* (opened) {
    yield* (await opened.fetchBlob(reference, verb)).content
  })
  return { descriptor, content }
}

/**
 * Lists the tags of a repository or a layout; see {@link Client.tags}.
 * @example
 * for await (const name of tags('localhost:5000/hello')) console.log(name)
 */
export async function* tags(
  repository: string,
  options: OneCall<TagListOptions> = {},
): AsyncGenerator<string, void, undefined> {
  const verb = optionsOfVerb(options)
  yield* withOpenClient(options, (opened) => opened.tags(repository, verb))
}

/**
 * Lists the repositories of a registry, as far as it shows them; see {@link Client.repositories}.
 * @example
 * for await (const name of repositories('localhost:5000')) console.log(name)
 */
export async function* repositories(
  registry: string,
  options: OneCall<TagListOptions> = {},
): AsyncGenerator<string, void, undefined> {
  const verb = optionsOfVerb(options)
  yield* withOpenClient(options, (opened) => opened.repositories(registry, verb))
}

/** @throws GantryError `invalid-argument` for what is no object */
function optionsOfVerb<Options extends object>(options: OneCall<Options>): Omit<OneCall<Options>, 'client'> {
  checkArgument('the last argument', 'object', options)
  const { client, ...verb } = options
  if (client !== undefined) checkArgument('the option client', 'object', client)
  return verb
}

/** Uses a client and closes it, whatever happens. */
async function withClient<Result>(
  { client, signal }: OneCall<CallOptions>,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  const opened = new Client({ ...client, signal: client?.signal ?? signal })
  try {
    return await use(opened)
  } finally {
    await opened.close()
  }
}

/** The same for what is read piece by piece: the client is open while somebody reads. */
async function* withOpenClient<Item>(
  { client, signal }: OneCall<CallOptions>,
  use: (client: Client) => AsyncIterable<Item>,
): AsyncGenerator<Item, void, undefined> {
  const opened = new Client({ ...client, signal: client?.signal ?? signal })
  try {
    yield* use(opened)
  } finally {
    await opened.close()
  }
}
