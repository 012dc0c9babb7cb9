import type { AttachOptions, AttachResult } from '../artifact/attach.js'
import type { PullFilesOptions, PullFilesResult } from '../artifact/pull-files.js'
import type { FileToPush, PushFilesOptions, PushFilesResult } from '../artifact/push-files.js'
import { GantryError } from '../errors.js'
import type { DiscoverOptions, ReferrerTree } from '../graph/discover.js'
import type { CopyOptions } from '../graph/plan-copy.js'
import type { CopyResult } from '../graph/run-copy.js'
import type { PlatformOptions } from '../graph/select-platform.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { ManifestContent } from '../oci/manifest.js'
import type { TagListOptions } from '../store/store.js'
import type { Bytes } from '../util/bytes.js'
import type { Target } from './open-target.js'
import { Opener } from './opener.js'
import type { ContentToPush } from './spool-content.js'
import { tagsOf } from './target.js'

/** A path, a path with its type and name, or content with the name that it is pulled under. */
export type PushedFile = string | FileToPush | ContentToPush

/**
 * The front door: every verb in one call. References are those of the command line: `registry.example.com/team/app:v1`,
 * or with a scheme such as `oci-layout:./folder:v1`.
 *
 * Close it with `close()`, or declare it with `await using`. Its defaults are those of the command line: credentials of
 * Docker and Podman, `certs.d`, proxies of the environment, plain HTTP for localhost. What fails throws a GantryError.
 *
 * @example
 * await using client = new Client()
 * await client.copy('localhost:5000/hello:v1', 'registry.example.com/team/hello:v1', { referrers: true })
 */
export class Client extends Opener {
  /**
   * Copies an artifact, an image or an index with everything that it needs; what the destination has does not move.
   * @param to its tags, and its digest where it names one, are what the copy is called
   * @throws GantryError `conflict` when `to` names another digest, before anything is sent
   * @example
   * const { root, copied } = await client.copy('localhost:5000/hello:v1', 'oci-layout:./layout:v1')
   */
  async copy(from: string, to: string, options: CopyOptions = {}): Promise<CopyResult> {
    const { copy } = await import('../graph/copy.js')
    const source = withReference(await this.open(from))
    const sink = await this.openCopySink(to)
    const { tags = tagsOf(sink), digest = sink.digest } = options
    try {
      const result = await copy(source.store, source.reference, sink.store, { ...options, tags, digest })
      await sink.complete()
      return result
    } catch (error) {
      await sink.abandon()
      throw error
    }
  }

  /**
   * Packs files, folders and content in memory into an artifact and pushes it.
   * @throws GantryError `file-error`; `invalid-argument` for names or types that do not go together
   * @example
   * await client.push('localhost:5000/notes:v1', [{ name: 'note.txt', content: Buffer.from('hi') }])
   */
  async push(to: string, files: readonly PushedFile[], options: PushFilesOptions = {}): Promise<PushFilesResult> {
    const { pushFiles } = await import('../artifact/push-files.js')
    const sink = await this.openSink(to)
    const { tags = tagsOf(sink), digest = sink.digest } = options
    return pushFiles(sink.store, await this.#filesOf(files, options), { ...options, tags, digest })
  }

  /**
   * Packs files into an artifact that refers to another one.
   * @param to the subject
   * @example
   * await client.attach('localhost:5000/hello:v1', ['sbom.json'], { artifactType: 'application/spdx+json' })
   */
  async attach(to: string, files: readonly PushedFile[], options: AttachOptions): Promise<AttachResult> {
    const { attach } = await import('../artifact/attach.js')
    const { store, reference } = withReference(await this.openSink(to))
    return attach(store, reference, await this.#filesOf(files, options), options)
  }

  /**
   * Pulls the files of an artifact into a folder; after a failure the folder is as it was.
   * @throws GantryError `unsafe-path` for a name that leads out of the folder
   * @example
   * const { files } = await client.pull('localhost:5000/hello:v1', './download')
   */
  async pull(from: string, folder: string, options: PullFilesOptions = {}): Promise<PullFilesResult> {
    const { pullFiles } = await import('../artifact/pull-files.js')
    const { store, reference } = withReference(await this.open(from))
    const { cache = await this.openCache() } = options
    return pullFiles(store, reference, folder, { ...options, cache })
  }

  /**
   * Finds what refers to a manifest, and what refers to that in turn.
   * @example
   * const { root } = await client.discover('localhost:5000/hello:v1', { artifactType: 'application/spdx+json' })
   */
  async discover(of: string, options: DiscoverOptions & PlatformOptions = {}): Promise<ReferrerTree> {
    const { discover } = await import('../graph/discover.js')
    const { store, descriptor } = await this.#resolve(of, options)
    return discover(store, descriptor, options)
  }

  /**
   * Finds what a reference, or a platform of an index, stands for.
   * @throws GantryError `not-found`
   * @example
   * const { digest } = await client.resolve('localhost:5000/hello:v1')
   */
  async resolve(reference: string, options: PlatformOptions = {}): Promise<Descriptor> {
    return (await this.#resolve(reference, options)).descriptor
  }

  /**
   * Reads a manifest, with the bytes as they are stored.
   * @example
   * const { descriptor, bytes } = await client.fetchManifest('localhost:5000/hello:v1')
   */
  async fetchManifest(reference: string, options: PlatformOptions = {}): Promise<ManifestContent> {
    const { readPlatformManifest } = await import('../graph/select-platform.js')
    const target = withReference(await this.open(reference))
    return readPlatformManifest(await this.withCache(target.store), target.reference, options)
  }

  /**
   * Opens a blob; what is yielded is checked, and an error at the end says that the bytes were wrong.
   * @param reference with a digest
   * @example
   * for await (const chunk of (await client.fetchBlob(`localhost:5000/hello@${digest}`)).content) console.log(chunk.length)
   */
  async fetchBlob(reference: string, { signal }: PlatformOptions = {}): Promise<OpenedBlob> {
    const { verifyContent } = await import('../store/verify.js')
    const { store, digest, typed } = await this.open(reference)
    if (digest === undefined) throw new GantryError('invalid-argument', `"${typed}": no digest specified`)
    const descriptor = await store.resolveBlob(digest, { signal })
    return { descriptor, content: verifyContent(descriptor, store.fetch(descriptor, { signal })) }
  }

  /**
   * Points further tags at a manifest.
   * @example
   * await client.tag('localhost:5000/hello:v1', ['latest', 'stable'])
   */
  async tag(reference: string, tags: readonly string[], { signal }: PlatformOptions = {}): Promise<Descriptor> {
    const target = withReference(await this.openSink(reference))
    const { descriptor } = await target.store.readManifest(target.reference, { signal })
    for (const tag of tags) await target.store.tag(descriptor, tag, { signal })
    return descriptor
  }

  /**
   * Lists the tags of a repository or a layout, page by page as they are asked for.
   * @example
   * for await (const tag of client.tags('localhost:5000/hello')) console.log(tag)
   */
  async *tags(repository: string, options: TagListOptions = {}): AsyncGenerator<string, void, undefined> {
    yield* (await this.open(repository)).store.tags(options)
  }

  /**
   * Lists the repositories of a registry, as far as it shows them.
   * @example
   * for await (const name of client.repositories('localhost:5000')) console.log(name)
   */
  async *repositories(registry: string, options: TagListOptions = {}): AsyncGenerator<string, void, undefined> {
    const { Registry } = await import('../registry/registry.js')
    yield* new Registry(await this.transport(registry)).catalog(options)
  }

  async #resolve(
    text: string,
    { platform, signal }: PlatformOptions,
  ): Promise<{ readonly store: Target['store']; readonly descriptor: Descriptor }> {
    const { resolvePlatform } = await import('../graph/select-platform.js')
    const { store, reference } = withReference(await this.open(text))
    return { store, descriptor: await resolvePlatform(store, reference, { platform, signal }) }
  }

  async #filesOf(
    files: readonly PushedFile[],
    { signal }: { readonly signal?: AbortSignal },
  ): Promise<readonly FileToPush[]> {
    const { spoolContent } = await import('./spool-content.js')
    const named = files.map((file) => (typeof file === 'string' ? { path: file } : file))
    return Promise.all(named.map(async (file) => ('content' in file ? await spoolContent(file, this, signal) : file)))
  }
}

/** A blob that can be read once. */
export interface OpenedBlob {
  readonly descriptor: Descriptor
  readonly content: Bytes
}

function withReference<Store>(target: Target<Store>): Target<Store> & { readonly reference: string } {
  const { reference, typed } = target
  if (reference !== undefined) return { ...target, reference }
  throw new GantryError('invalid-reference', `"${typed}": no tag or digest specified`, {
    hint: 'Name what is meant: <name>:<tag> or <name>@<digest>.',
  })
}
