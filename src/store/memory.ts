import { GantryError } from '../errors.js'
import { isManifest, type Descriptor } from '../oci/descriptor.js'
import { isDigest, type Digest } from '../oci/digest.js'
import { referrerDescriptor, type ManifestContent } from '../oci/manifest.js'
import { MediaType } from '../oci/media-types.js'
import { throwIfAborted } from '../util/abort.js'
import type { Bytes, OpenContent } from '../util/bytes.js'
import { receiveManifest, receiveWhole } from './receive-content.js'
import type {
  CallOptions,
  Deleter,
  FetchOptions,
  PushOptions,
  ReferrerOptions,
  ReferrerSource,
  Sink,
  Source,
  TagListOptions,
  TagSource,
  Untagger,
} from './store.js'
import { checkTagName } from './tag-name.js'

/** A store that holds everything in memory, and forgets it with the object. */
export class MemoryStore implements Source, Sink, ReferrerSource, Deleter, TagSource, Untagger {
  readonly #content = new Map<Digest, Uint8Array>()
  readonly #manifests = new Map<Digest, Descriptor>()
  readonly #tags = new Map<string, Descriptor>()
  /** Manifests by the digest of their subject, as they are listed to who asks for referrers. */
  readonly #referrers = new Map<Digest, Map<Digest, Descriptor>>()

  async resolve(reference: string, { signal }: CallOptions = {}): Promise<Descriptor> {
    throwIfAborted(signal)
    if (!isDigest(reference)) {
      const tagged = this.#tags.get(reference)
      if (tagged === undefined) throw notFound(reference)
      return tagged
    }
    const manifest = this.#manifests.get(reference)
    if (manifest !== undefined) return manifest
    const size = this.#bytesOf(reference).byteLength
    return { mediaType: MediaType.octetStream, digest: reference, size }
  }

  async resolveBlob(digest: Digest, { signal }: CallOptions = {}): Promise<Descriptor> {
    throwIfAborted(signal)
    return { mediaType: MediaType.octetStream, digest, size: this.#bytesOf(digest).byteLength }
  }

  async readManifest(reference: string, options: CallOptions = {}): Promise<ManifestContent> {
    const descriptor = await this.resolve(reference, options)
    if (!this.#manifests.has(descriptor.digest)) throw notFound(reference)
    return { descriptor, bytes: this.#bytesOf(descriptor.digest) }
  }

  async *fetch(descriptor: Descriptor, { offset = 0, signal }: FetchOptions = {}): Bytes {
    throwIfAborted(signal)
    const bytes = this.#bytesOf(descriptor.digest)
    if (offset < bytes.byteLength) yield bytes.subarray(offset)
  }

  async has(descriptor: Descriptor, { signal }: CallOptions = {}): Promise<boolean> {
    throwIfAborted(signal)
    return this.#has(descriptor)
  }

  async push(descriptor: Descriptor, open: OpenContent, options: PushOptions = {}): Promise<void> {
    if (options.tag !== undefined) checkTagName(options.tag)
    if (isManifest(descriptor)) await this.#pushManifest(descriptor, open, options)
    else await this.#pushBlob(descriptor, open, options)
    if (options.tag !== undefined) this.#tags.set(options.tag, descriptor)
  }

  async tag(descriptor: Descriptor, tag: string, { signal }: CallOptions = {}): Promise<void> {
    throwIfAborted(signal)
    checkTagName(tag)
    if (!this.#has(descriptor)) throw notFound(descriptor.digest)
    this.#tags.set(tag, descriptor)
  }

  async untag(tag: string, { signal }: CallOptions = {}): Promise<void> {
    throwIfAborted(signal)
    if (!this.#tags.delete(tag)) throw notFound(tag)
  }

  async referrers(subject: Descriptor, options: ReferrerOptions = {}): Promise<readonly Descriptor[]> {
    throwIfAborted(options.signal)
    const all = [...(this.#referrers.get(subject.digest)?.values() ?? [])]
    return options.artifactType === undefined
      ? all
      : all.filter((referrer) => referrer.artifactType === options.artifactType)
  }

  async delete({ digest }: Descriptor, { signal }: CallOptions = {}): Promise<void> {
    throwIfAborted(signal)
    if (!this.#content.delete(digest)) throw notFound(digest)
    this.#manifests.delete(digest)
    for (const [tag, tagged] of this.#tags) if (tagged.digest === digest) this.#tags.delete(tag)
    for (const referrers of this.#referrers.values()) referrers.delete(digest)
  }

  async *tags({ last, signal }: TagListOptions = {}): AsyncGenerator<string, void, undefined> {
    throwIfAborted(signal)
    for (const tag of [...this.#tags.keys()].sort()) if (last === undefined || tag > last) yield tag
  }

  async #pushManifest(descriptor: Descriptor, open: OpenContent, options: PushOptions): Promise<void> {
    const received = await receiveManifest(descriptor, open, options)
    const { digest } = descriptor
    this.#content.set(digest, received.bytes)
    if (!this.#manifests.has(digest)) this.#manifests.set(digest, descriptor)
    const { manifest } = received
    const subject = manifest?.subject?.digest
    if (manifest === undefined || subject === undefined) return
    const referrers = this.#referrers.get(subject) ?? new Map<Digest, Descriptor>()
    this.#referrers.set(subject, referrers.set(digest, referrerDescriptor(received, manifest)))
  }

  async #pushBlob(descriptor: Descriptor, open: OpenContent, options: PushOptions): Promise<void> {
    if (this.#has(descriptor)) {
      options.onProgress?.(descriptor.size)
      return
    }
    this.#content.set(descriptor.digest, await receiveWhole(descriptor, open, options))
  }

  /** A manifest counts as one only when it was pushed as such: its subject is not known otherwise. */
  #has(descriptor: Descriptor): boolean {
    const { digest, size } = descriptor
    if (isManifest(descriptor) && !this.#manifests.has(digest)) return false
    return this.#content.get(digest)?.byteLength === size
  }

  #bytesOf(digest: Digest): Uint8Array {
    const bytes = this.#content.get(digest)
    if (bytes === undefined) throw notFound(digest)
    return bytes
  }
}

function notFound(reference: string): GantryError {
  return new GantryError('not-found', `${reference}: not found`)
}
