import type { AppendResult } from '../image/append.js'
import type { AttachOptions, AttachResult } from '../artifact/attach.js'
import type { PullFilesOptions, PullFilesResult } from '../artifact/pull-files.js'
import type { PushFilesOptions, PushFilesResult } from '../artifact/push-files.js'
import type { DiscoverOptions, ReferrerTree } from '../graph/discover.js'
import type { CopyOptions } from '../graph/plan-copy.js'
import type { CopyResult } from '../graph/run-copy.js'
import type { PlatformOptions } from '../graph/select-platform.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { AppendOptions } from './append.js'
import { checkArgument, checkOptions } from './check-arguments.js'
import { OPTION_KINDS } from './option-kinds.js'
import type { CopyTarget, SinkReference, SourceReference, Target } from './open-target.js'
import type { PushedContent, PushedFile } from './spool-content.js'
import { tagsOf, withReference } from './target.js'

import { withTotals, type WithProgress } from './progress.js'
import { ContentClient } from './content-client.js'

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
export class Client extends ContentClient {
  /**
   * Copies an artifact, an image or an index with everything that it needs; what the destination has does not move.
   * @param to its tags, and its digest where it names one, are what the copy is called
   * @throws GantryError `conflict` when `to` names another digest, before anything is sent
   * @example
   * const { descriptor, copied } = await client.copy('localhost:5000/hello:v1', 'oci-layout:./layout:v1')
   */
  async copy(
    from: SourceReference,
    to: SinkReference | CopyTarget,
    options: WithProgress<CopyOptions> = {},
  ): Promise<CopyResult> {
    checkOptions('copy', options, OPTION_KINDS.copy)
    const { copy } = await import('../graph/copy.js')
    const source = withReference(await this.open(from))
    const sink = await this.openCopySink(to)
    const { tags = tagsOf(sink), digest = sink.digest } = options
    const onEvent = withTotals(options.onEvent)
    try {
      const result = await copy(source.store, source.reference, sink.store, { ...options, tags, digest, onEvent })
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
  async push(
    to: SinkReference,
    files: readonly PushedFile[],
    options: WithProgress<PushFilesOptions> = {},
  ): Promise<PushFilesResult> {
    checkOptions('push', options, OPTION_KINDS.push)
    const [{ pushFiles }, { filesToPush }] = await Promise.all([
      import('../artifact/push-files.js'),
      import('./spool-content.js'),
    ])
    const sink = await this.openSink(to)
    const { tags = tagsOf(sink), digest = sink.digest } = options
    const onEvent = withTotals(options.onEvent)
    return pushFiles(sink.store, await filesToPush(files, this, options), { ...options, tags, digest, onEvent })
  }

  /**
   * Packs files into an artifact that refers to another one.
   * @param to the subject
   * @example
   * await client.attach('localhost:5000/hello:v1', ['sbom.json'], { artifactType: 'application/spdx+json' })
   */
  async attach(
    to: SinkReference,
    files: readonly PushedFile[],
    options: WithProgress<AttachOptions>,
  ): Promise<AttachResult> {
    checkOptions('attach', options, OPTION_KINDS.attach)
    const [{ attach }, { filesToPush }] = await Promise.all([
      import('../artifact/attach.js'),
      import('./spool-content.js'),
    ])
    const { store, reference } = withReference(await this.openSink(to))
    return attach(store, reference, await filesToPush(files, this, options), {
      ...options,
      onEvent: withTotals(options.onEvent),
    })
  }

  /**
   * Pulls the files of an artifact into a folder; after a failure the folder is as it was.
   * @throws GantryError `unsafe-path` for a name that leads out of the folder
   * @example
   * const { files } = await client.pull('localhost:5000/hello:v1', './download')
   */
  async pull(
    from: SourceReference,
    folder: string,
    options: WithProgress<PullFilesOptions> = {},
  ): Promise<PullFilesResult> {
    checkOptions('pull', options, OPTION_KINDS.pull)
    checkArgument('the folder to pull into', 'text', folder)
    const { pullFiles } = await import('../artifact/pull-files.js')
    const { store, reference } = withReference(await this.open(from))
    const { cache = await this.openCache() } = options
    return pullFiles(store, reference, folder, { ...options, cache, onEvent: withTotals(options.onEvent) })
  }

  /**
   * Finds what refers to a manifest, and what refers to that in turn.
   * @example
   * const { root } = await client.discover('localhost:5000/hello:v1', { artifactType: 'application/spdx+json' })
   */
  async discover(of: SourceReference, options: DiscoverOptions & PlatformOptions = {}): Promise<ReferrerTree> {
    checkOptions('discover', options, OPTION_KINDS.discover)
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
  async resolve(reference: SourceReference, options: PlatformOptions = {}): Promise<Descriptor> {
    checkOptions('resolve', options, OPTION_KINDS.platform)
    return (await this.#resolve(reference, options)).descriptor
  }

  /**
   * Appends layers to an image, and pushes the result. A layer is a tar, as a path, bytes or a stream; one that is not
   * compressed gets compressed, the same tar always to the same bytes.
   * @param layers the lowest one first
   * @throws GantryError `file-error` or `invalid-content` for a layer; `not-found` for the base
   * @example
   * await client.append('localhost:5000/app:v2', ['app.tar'], { base: 'localhost:5000/app:v1' })
   */
  async append(
    to: SinkReference,
    layers: readonly PushedContent[],
    options: AppendOptions = {},
  ): Promise<AppendResult> {
    checkOptions('append', options, OPTION_KINDS.append)
    const { append } = await import('./append.js')
    return append(this, to, layers, options)
  }

  async #resolve(
    from: SourceReference,
    { platform, signal }: PlatformOptions,
  ): Promise<{ readonly store: Target['store']; readonly descriptor: Descriptor }> {
    const { resolvePlatform } = await import('../graph/select-platform.js')
    const { store, reference } = withReference(await this.open(from))
    return { store, descriptor: await resolvePlatform(store, reference, { platform, signal }) }
  }
}
