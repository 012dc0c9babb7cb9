import { GantryError } from '../errors.js'
import { Annotation } from '../oci/annotations.js'
import type { Annotations, Descriptor } from '../oci/descriptor.js'
import { isDigest, type Digest } from '../oci/digest.js'
import { detectMediaType, MAX_MANIFEST_SIZE, type ManifestContent } from '../oci/manifest.js'
import { isManifestType, MediaType } from '../oci/media-types.js'
import { throwIfAborted } from '../util/abort.js'
import { collectBytes, type Bytes } from '../util/bytes.js'
import type { LayoutContent } from './layout-content.js'
import { LayoutGraph } from './layout-graph.js'
import type {
  BlobSource,
  CallOptions,
  FetchOptions,
  LocalSource,
  ReferrerOptions,
  ReferrerSource,
  Source,
  TagListOptions,
  TagSource,
} from './store.js'
import { verifyContent } from './verify.js'

/** Reads an image layout, wherever it lies (image-spec, image-layout.md). */
export class LayoutReader implements Source, BlobSource, LocalSource, ReferrerSource, TagSource {
  /** @internal */
  /** Where it lies; for other readers of layouts. */
  readonly content: LayoutContent
  /** @internal */
  protected readonly graph: LayoutGraph

  /** @internal */
  constructor(content: LayoutContent) {
    this.content = content
    this.graph = new LayoutGraph((descriptor, signal) => this.#readIfThere(descriptor, signal))
  }

  /**
   * Finds what a name or a digest stands for. A digest may be that of any content: of what `index.json` lists, of what
   * the indexes there contain, or of a plain blob, which is `application/octet-stream` unless it is a manifest that
   * says so.
   * @throws GantryError `not-found`
   */
  async resolve(reference: string, { signal }: CallOptions = {}): Promise<Descriptor> {
    throwIfAborted(signal)
    const index = await this.content.readIndex()
    if (!isDigest(reference)) {
      const entry = index.tagged(reference)
      if (entry === undefined) throw notFound(reference)
      return entry.descriptor
    }
    const listed = index.entriesOf(reference)[0]
    if (listed !== undefined) return withoutName(listed.descriptor)
    const size = await this.content.sizeOf(reference)
    if (size === undefined) throw notFound(reference)
    const contained = await this.graph.contained(index, { signal })
    return contained.get(reference) ?? this.#describeBlob(reference, size, signal)
  }

  /** The annotations of `index.json` as a whole. */
  async annotations(): Promise<Annotations> {
    return (await this.content.readIndex()).annotations
  }

  async resolveBlob(digest: Digest, { signal }: CallOptions = {}): Promise<Descriptor> {
    throwIfAborted(signal)
    const size = await this.content.sizeOf(digest)
    if (size === undefined) throw notFound(digest)
    return { mediaType: MediaType.octetStream, digest, size }
  }

  async readManifest(reference: string, options: CallOptions = {}): Promise<ManifestContent> {
    const descriptor = await this.resolve(reference, options)
    // A layout may list any media type by intent; a blob that nothing calls a manifest is none.
    if (isDigest(reference) && descriptor.mediaType === MediaType.octetStream) throw notFound(reference)
    return { descriptor, bytes: await this.#read(descriptor, options.signal) }
  }

  async checkBlob({ digest, size }: Descriptor, { signal }: CallOptions = {}): Promise<void> {
    throwIfAborted(signal)
    const actual = await this.content.sizeOf(digest)
    if (actual === undefined) throw notFound(digest)
    if (actual === size) return
    throw new GantryError('size-mismatch', `blob ${digest} has ${actual} bytes where ${size} are declared`)
  }

  fetch({ digest, size }: Descriptor, { offset = 0, signal, transient = false }: FetchOptions = {}): Bytes {
    return this.content.open(digest, { size, offset, signal, transient })
  }

  async referrers(subject: Descriptor, { artifactType, signal }: ReferrerOptions = {}): Promise<readonly Descriptor[]> {
    throwIfAborted(signal)
    const nodes = await this.graph.nodes(await this.content.readIndex(), signal)
    return nodes
      .filter((node) => node.subject === subject.digest)
      .map((node) => node.referrer)
      .filter((referrer) => artifactType === undefined || referrer.artifactType === artifactType)
  }

  /** All names in the order of their characters' codes. */
  async *tags({ last, signal }: TagListOptions = {}): AsyncGenerator<string, void, undefined> {
    throwIfAborted(signal)
    const index = await this.content.readIndex()
    for (const tag of [...index.tags].sort()) if (last === undefined || tag > last) yield tag
  }

  async #describeBlob(digest: Digest, size: number, signal: AbortSignal | undefined): Promise<Descriptor> {
    const blob = { mediaType: MediaType.octetStream, digest, size }
    if (size > MAX_MANIFEST_SIZE) return blob
    const mediaType = detectMediaType(await this.#read(blob, signal))
    return mediaType === undefined || !isManifestType(mediaType) ? blob : { mediaType, digest, size }
  }

  async #readIfThere(descriptor: Descriptor, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    if ((await this.content.sizeOf(descriptor.digest)) === undefined) return undefined
    return this.#read(descriptor, signal)
  }

  async #read(descriptor: Descriptor, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { digest, size } = descriptor
    const what = `manifest ${digest}`
    if (size > MAX_MANIFEST_SIZE) {
      throw new GantryError('limit-exceeded', `${what} exceeds the limit of ${MAX_MANIFEST_SIZE} bytes`, {
        details: { reason: 'manifest-size' },
      })
    }
    const bytes = this.content.open(digest, { size, offset: 0, signal })
    return collectBytes(verifyContent(descriptor, bytes), MAX_MANIFEST_SIZE, what, 'manifest-size')
  }
}

/** The descriptor of a manifest that was asked for by its digest, and not by one of its names. */
function withoutName(descriptor: Descriptor): Descriptor {
  if (descriptor.annotations?.[Annotation.refName] === undefined) return descriptor
  const { annotations, ...fields } = descriptor
  const { [Annotation.refName]: _, ...others } = annotations
  return Object.keys(others).length === 0 ? fields : { ...fields, annotations: others }
}

function notFound(reference: string): GantryError {
  return new GantryError('not-found', `${reference}: not found`)
}
