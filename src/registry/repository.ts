import { GantryError, isGantryError } from '../errors.js'
import { isManifest, type Descriptor } from '../oci/descriptor.js'
import { algorithmOf, type Digest } from '../oci/digest.js'
import { MAX_MANIFEST_SIZE, type ManifestContent } from '../oci/manifest.js'
import { ACCEPTED_MANIFEST_TYPES } from '../oci/media-types.js'
import type {
  CallOptions,
  BlobSource,
  Deleter,
  FetchOptions,
  LookUpOptions,
  Mounter,
  PushOptions,
  ReferrerOptions,
  ReferrerSink,
  ReferrerSource,
  ResolveOptions,
  Sink,
  Source,
  TagListOptions,
  TagSource,
  Untagger,
} from '../store/store.js'
import type { BackoffOptions } from '../util/backoff.js'
import type { Bytes, OpenContent } from '../util/bytes.js'
import { downloadBlob } from './blob-download.js'
import { uploadBlob } from './blob-upload.js'
import { hasBlob, resolveBlob } from './blobs.js'
import { deleteFromRegistry } from './deletion.js'
import { embeddedData } from './embedded-data.js'
import { blobPath, requireName, requireTag } from './endpoints.js'
import { downloadForeignLayer } from './foreign-layer.js'
import type { RegistryTransport } from './http/transport.js'
import { ManifestCache } from './manifest-cache.js'
import { deleteManifest, deleteTag } from './manifest-deletion.js'
import { collectManifest, putManifest, type PutManifestOptions, type StoredManifest } from './manifest-push.js'
import { hasManifest, readManifest, resolveManifest } from './manifests.js'
import { referrerPushesOf } from './referrer-pushes.js'
import { checkReferrersList, recordReferrer, relationToForget } from './referrer-record.js'
import { relationOf } from './referrer-relation.js'
import { listReferrers, type ReferrersMode } from './referrers.js'
import { changeReferrersTag } from './referrers-tag-writer.js'
import { referenceIn, type RepositoryAction, type RepositoryContext } from './repository-context.js'
import { RegistryState } from './registry-state.js'
import { repetitionOf } from './repetition.js'
import { listTags } from './tags.js'
import { openMount } from './upload-session.js'

export interface RepositoryOptions {
  /** How referrers are found and recorded; default `auto`. */
  readonly referrers?: ReferrersMode
  /** Largest manifest, index or list page that is read, in bytes; default 4 MiB. */
  readonly maxManifestSize?: number
  /** Media types that manifests are asked for as; default: all that are known. */
  readonly manifestTypes?: readonly string[]
  /** Tags that are asked for at a time; default 1000, the most that every registry takes. */
  readonly pageSize?: number
  /** Upload larger blobs in chunks of this many bytes; by default each goes in one request, which every registry takes. */
  readonly uploadChunkSize?: number
  /** Actions that will be needed, so that one token does for all; by default what each request needs. */
  readonly actions?: readonly RepositoryAction[]
  /** How long to wait before a transfer that broke off is taken up again; default: as the transport does. */
  readonly backoff?: BackoffOptions
  /**
   * Opens one of the addresses that the descriptor of a layer names, when the registry does not have the layer itself.
   * Whoever supplies it decides which are reached, and sends no secrets there. By default such layers are found only by
   * calls that ask for `foreign` ones, and where the registry may point.
   */
  readonly openForeign?: (urls: readonly string[], options: FetchOptions) => Bytes
}

/** A repository of a registry as a store (distribution-spec 1.1). */
export class Repository
  implements Source, BlobSource, Sink, ReferrerSource, ReferrerSink, Deleter, TagSource, Untagger, Mounter
{
  readonly #context: RepositoryContext
  readonly #options: RepositoryOptions
  readonly #mode: ReferrersMode
  readonly #manifests = new ManifestCache()

  /** @throws GantryError `invalid-reference` when `name` is no repository name */
  constructor(transport: RegistryTransport, name: string, options: RepositoryOptions = {}) {
    requireName(name)
    const { maxManifestSize = MAX_MANIFEST_SIZE, manifestTypes = ACCEPTED_MANIFEST_TYPES, actions = [] } = options
    const { referrers = 'auto', backoff } = options
    const repetition = repetitionOf(transport, backoff)
    const { state = new RegistryState() } = transport
    this.#context = { transport, state, name, maxManifestSize, manifestTypes, actions, repetition }
    this.#options = options
    this.#mode = referrers
  }

  /** Host and port as in references. */
  get registry(): string {
    return this.#context.transport.registry
  }

  get name(): string {
    return this.#context.name
  }

  async resolve(reference: string, options: ResolveOptions = {}): Promise<Descriptor> {
    return resolveManifest(this.#context, reference, options)
  }

  async resolveBlob(digest: Digest, options: CallOptions = {}): Promise<Descriptor> {
    return resolveBlob(this.#context, digest, options)
  }

  async readManifest(reference: string, options: LookUpOptions = {}): Promise<ManifestContent> {
    const { descriptor, bytes } = await readManifest(this.#context, reference, options)
    this.#manifests.set({ descriptor, bytes })
    return { descriptor, bytes }
  }

  fetch(descriptor: Descriptor, options: FetchOptions = {}): Bytes {
    if (isManifest(descriptor)) return this.#fetchManifest(descriptor, options)
    // A generator more for each piece is what makes large downloads slow.
    const isPlain = descriptor.data === undefined && descriptor.urls === undefined
    return isPlain ? downloadBlob(this.#context, descriptor, options) : this.#fetchBlob(descriptor, options)
  }

  async has(descriptor: Descriptor, options: CallOptions = {}): Promise<boolean> {
    return isManifest(descriptor)
      ? hasManifest(this.#context, descriptor.digest, options)
      : hasBlob(this.#context, descriptor, options)
  }

  /**
   * Stores content. A manifest with a subject is also entered in the list of the subject's referrers where the registry
   * does not keep one itself.
   */
  async push(descriptor: Descriptor, open: OpenContent, options: PushOptions = {}): Promise<void> {
    if (!isManifest(descriptor)) return this.#uploadBlob(descriptor, open, options)
    const { tag, signal, onProgress } = options
    if (tag !== undefined) requireTag(tag)
    const content = await collectManifest(this.#context, descriptor, open)
    const put = (inOrder: boolean): Promise<StoredManifest> => this.#put(content, { tag, signal, onProgress, inOrder })
    const relation = relationOf(content)
    if (relation === undefined) await put(false)
    else {
      const pushes = referrerPushesOf(this.#context, relation.subject.digest)
      const record = ({ subject }: StoredManifest): Promise<boolean> =>
        recordReferrer(this.#context, this.#mode, relation, { signal, announced: subject !== undefined })
      await pushes.push(descriptor.digest, put, record)
    }
    this.#manifests.set(content)
  }

  async tag(descriptor: Descriptor, tag: string, options: CallOptions = {}): Promise<void> {
    requireTag(tag)
    const content = this.#manifests.get(descriptor.digest) ?? (await this.readManifest(descriptor.digest, options))
    await this.#put(content, { ...options, tag })
  }

  async checkReferrers(subject: Descriptor, options: CallOptions = {}): Promise<void> {
    await checkReferrersList(this.#context, this.#mode, subject.digest, options)
  }

  async referrers(subject: Descriptor, options: ReferrerOptions = {}): Promise<readonly Descriptor[]> {
    return listReferrers(this.#context, this.#mode, subject.digest, options)
  }

  /**
   * Removes a manifest with all its tags, or a blob. A manifest that the registry does not list as a referrer itself is
   * taken off the list of its subject's referrers.
   * @throws GantryError `not-found`; `unsupported` where the registry does not delete
   */
  async delete(descriptor: Descriptor, { signal }: CallOptions = {}): Promise<void> {
    const { digest } = descriptor
    if (!isManifest(descriptor)) {
      const what = referenceIn(this.#context, digest)
      const hint = 'the registry does not delete blobs, or not without being configured to'
      const isThere = (): Promise<boolean> => hasBlob(this.#context, descriptor, { signal })
      return deleteFromRegistry(this.#context, { path: blobPath(this.name, digest), what, isThere, hint, signal })
    }
    const read = async (): Promise<ManifestContent> =>
      this.#manifests.get(digest) ?? (await this.readManifest(digest, { signal }))
    const relation = await relationToForget(this.#context, this.#mode, read, { signal })
    await deleteManifest(this.#context, digest, { signal })
    this.#manifests.delete(digest)
    if (relation === undefined) return
    const change = { kind: 'remove', descriptor: relation.referrer } as const
    await changeReferrersTag(this.#context, relation.subject.digest, change, { signal })
  }

  /**
   * Removes a tag and leaves the manifest alone (distribution-spec, end-9).
   * @throws GantryError `not-found`; `unsupported` where the registry deletes manifests only by digest
   */
  async untag(tag: string, { signal }: CallOptions = {}): Promise<void> {
    requireTag(tag)
    await deleteTag(this.#context, tag, { signal })
  }

  tags(options: TagListOptions = {}): AsyncIterable<string> {
    return listTags(this.#context, this.#options.pageSize ?? 1000, options)
  }

  mountSourceOf(source: Source): string | undefined {
    if (!(source instanceof Repository) || source.name === this.name) return undefined
    const { registry, origin } = this.#context.transport
    const other = source.#context.transport
    return other.registry === registry && other.origin === origin ? source.name : undefined
  }

  async mount(descriptor: Descriptor, from: string, open: OpenContent, options: PushOptions = {}): Promise<boolean> {
    const query = { digest: descriptor.digest, from }
    const session = await openMount(this.#context, query, options).catch((error: unknown) => {
      // Whatever a registry has against the mount, it may still take the blob.
      if (isGantryError(error) && error.code !== 'aborted') return undefined
      throw error
    })
    if (session === 'mounted') return true
    await this.#uploadBlob(descriptor, open, { ...options, session })
    return false
  }

  async #uploadBlob(
    descriptor: Descriptor,
    open: OpenContent,
    options: Parameters<typeof uploadBlob>[2],
  ): Promise<void> {
    const chunkSize = this.#options.uploadChunkSize
    await uploadBlob(this.#context, { descriptor, open }, { ...options, chunkSize })
  }

  async #put(content: ManifestContent, options: PutManifestOptions): Promise<StoredManifest> {
    const { tag } = options
    const { digest } = content.descriptor
    if (tag === undefined) return putManifest(this.#context, content, digest, options)
    // Under a tag alone a registry keeps a manifest by the digest that it prefers.
    if (algorithmOf(digest) === 'sha256') return putManifest(this.#context, content, tag, options)
    const stored = await putManifest(this.#context, content, digest, options)
    if (!stored.tags.includes(tag)) await putManifest(this.#context, content, tag, { signal: options.signal })
    return stored
  }

  async *#fetchManifest(descriptor: Descriptor, options: FetchOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const { digest, mediaType, size } = descriptor
    const { offset = 0, noCache = false, signal } = options
    const known = noCache ? undefined : this.#manifests.get(digest)
    const content = known ?? (await readManifest(this.#context, digest, { noCache, signal }))
    const where = `manifest ${referenceIn(this.#context, digest)}`
    if (content.descriptor.mediaType !== mediaType) {
      const actual = content.descriptor.mediaType
      throw new GantryError('ambiguous-manifest', `ambiguous ${where}: wanted a "${mediaType}", got a "${actual}"`)
    }
    if (content.bytes.byteLength !== size) {
      throw new GantryError(
        'size-mismatch',
        `${where} has ${content.bytes.byteLength} bytes in the registry, and ${size} by its descriptor`,
      )
    }
    this.#manifests.set(content)
    if (offset < size) yield content.bytes.subarray(offset)
  }

  async *#fetchBlob(descriptor: Descriptor, options: FetchOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const embedded = embeddedData(descriptor)
    const offset = options.offset ?? 0
    if (embedded !== undefined) {
      if (offset < embedded.byteLength) yield embedded.subarray(offset)
      return
    }
    try {
      yield* downloadBlob(this.#context, descriptor, options)
    } catch (error) {
      const { openForeign } = this.#options
      const { urls = [] } = descriptor
      const isElsewhere = urls.length > 0 && isGantryError(error, 'not-found')
      if (isElsewhere && openForeign !== undefined) yield* openForeign(urls, options)
      else if (isElsewhere && options.foreign === true) yield* downloadForeignLayer(this.#context, descriptor, options)
      else throw error
    }
  }
}
