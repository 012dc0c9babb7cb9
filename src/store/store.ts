import type { Descriptor } from '../oci/descriptor.js'
import type { Digest } from '../oci/digest.js'
import type { ManifestContent } from '../oci/manifest.js'
import type { Bytes, ContentUse, OpenContent } from '../util/bytes.js'

/** Options of every call that may take time. */
export interface CallOptions {
  readonly signal?: AbortSignal
}

export interface FetchOptions extends CallOptions, ContentUse {
  /** First byte wanted; default 0. */
  readonly offset?: number
  /** Ask past every cache: the copy that was received before had the wrong digest. */
  readonly noCache?: boolean
  /**
   * Take a layer that a registry does not have from the addresses that its descriptor names, where the registry may
   * point. Default false: such layers are not found.
   */
  readonly foreign?: boolean
}

export interface PushOptions extends CallOptions {
  /** Called with the absolute number of bytes that have been handed over so far. */
  readonly onProgress?: (offset: number) => void
  /** For manifests: also point this tag at the content, in the same step where the store can. */
  readonly tag?: string
}

export interface LookUpOptions extends CallOptions {
  /**
   * It is only looked for: where a registry denies access to it, and lets the same repository be read, it is not found.
   * Default false.
   */
  readonly optional?: boolean
}

export interface ResolveOptions extends CallOptions {
  /**
   * Take a registry's first word for it that nothing is there, for a caller who only writes it then. By default the
   * registry is asked twice.
   */
  readonly trustMissing?: boolean
}

/**
 * Content that can be read by digest. What `fetch` yields is a claim: whoever gives the bytes a name checks size and
 * digest first, with {@link verifyContent}, and sinks always do.
 */
export interface Source {
  /**
   * Finds what a tag or a digest names.
   * @throws GantryError `not-found`
   */
  resolve(reference: string, options?: ResolveOptions): Promise<Descriptor>
  /**
   * Resolves a tag or a digest and reads the manifest in one step, checked against its digest.
   * @throws GantryError `not-found`, `digest-mismatch`, `limit-exceeded` above the limit for manifests
   */
  readManifest(reference: string, options?: LookUpOptions): Promise<ManifestContent>
  /** Opens content. Lazy: nothing is requested before the first chunk is asked for. */
  fetch(descriptor: Descriptor, options?: FetchOptions): Bytes
}

/** A source that finds blobs without a manifest that names them. */
export interface BlobSource {
  /**
   * Finds a blob by its digest alone; its media type is `application/octet-stream`.
   * @throws GantryError `not-found`
   */
  resolveBlob(digest: Digest, options?: CallOptions): Promise<Descriptor>
}

/** A source on this machine: it can look at what it has before anything is sent anywhere. */
export interface LocalSource {
  /**
   * Looks whether a blob is there as its descriptor says, as far as that can be seen without reading it.
   * @throws GantryError `not-found`, `size-mismatch`, `file-error`; `conflict` when it has changed
   */
  checkBlob(descriptor: Descriptor, options?: CallOptions): Promise<void>
}

/** A place that takes content. What it stores under a digest has been checked. */
export interface Sink {
  /** Whether content is there already. */
  has(descriptor: Descriptor, options?: CallOptions): Promise<boolean>
  /**
   * Stores content: written aside, checked against size and digest, then published.
   * @throws GantryError `digest-mismatch` or `size-mismatch`; nothing is published then
   */
  push(descriptor: Descriptor, open: OpenContent, options?: PushOptions): Promise<void>
  /**
   * Points a tag at a manifest that is there.
   * @throws GantryError `not-found` when it is not
   */
  tag(descriptor: Descriptor, tag: string, options?: CallOptions): Promise<void>
}

export interface ReferrerOptions extends CallOptions {
  /** Only referrers of this type. */
  readonly artifactType?: string
  /** Most referrers that are read from a registry; default 100 000. */
  readonly maxListLength?: number
}

/** A source that knows who refers to a manifest (distribution-spec, "Listing Referrers"). */
export interface ReferrerSource {
  referrers(subject: Descriptor, options?: ReferrerOptions): Promise<readonly Descriptor[]>
}

/** A sink that has to keep lists of referrers, and can tell before a push whether it will be able to. */
export interface ReferrerSink {
  /**
   * Makes sure that the list of a manifest's referrers can be read, and holds nothing that must not be overwritten.
   * @throws GantryError `conflict`, and as the store
   */
  checkReferrers(subject: Descriptor, options?: CallOptions): Promise<void>
}

/** A store that can remove content. */
export interface Deleter {
  /**
   * Removes a manifest, with the tags that point at it, or a blob.
   * @throws GantryError `not-found`
   */
  delete(descriptor: Descriptor, options?: CallOptions): Promise<void>
}

export interface TagListOptions extends CallOptions {
  /** List what comes after this tag. */
  readonly last?: string
  /** Most tags that are read from a registry; default 100 000. More are an error, after these were listed. */
  readonly maxListLength?: number
  /** Called with each entry of a registry's list that is no tag, safe to print; default: the transport reports them. */
  readonly onInvalid?: (name: string) => void
}

/** A source that can list its tags. */
export interface TagSource {
  tags(options?: TagListOptions): AsyncIterable<string>
}

/** A store that can take a tag away and leave what it points at. */
export interface Untagger {
  /** @throws GantryError `not-found`; `unsupported` where the registry cannot do that */
  untag(tag: string, options?: CallOptions): Promise<void>
}

/** A sink that can take a blob from a neighbour without moving the bytes. */
export interface Mounter {
  /** What `from` would be in {@link Mounter.mount}, or undefined where the source is no neighbour. */
  mountSourceOf(source: Source): string | undefined
  /**
   * Takes a blob from another repository of the same registry; where the registry refuses, the blob is pushed, in the
   * upload that the attempt has opened.
   * @returns whether the blob was mounted; false after a push
   */
  mount(descriptor: Descriptor, from: string, open: OpenContent, options?: PushOptions): Promise<boolean>
}

/** Everything that a full store offers. */
export type Store = Source & Sink

export function isLocalSource(store: object): store is LocalSource {
  return 'checkBlob' in store
}

export function isBlobSource(store: object): store is BlobSource {
  return 'resolveBlob' in store
}

export function isReferrerSource(store: object): store is ReferrerSource {
  return 'referrers' in store
}

export function isReferrerSink(store: object): store is ReferrerSink {
  return 'checkReferrers' in store
}

export function isDeleter(store: object): store is Deleter {
  return 'delete' in store
}

export function isTagSource(store: object): store is TagSource {
  return 'tags' in store
}

export function isUntagger(store: object): store is Untagger {
  return 'untag' in store
}

export function isMounter(store: object): store is Mounter {
  return 'mount' in store
}
