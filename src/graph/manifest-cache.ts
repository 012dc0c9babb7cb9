import type { Descriptor } from '../oci/descriptor.js'
import type { ManifestContent } from '../oci/manifest.js'
import type { CallOptions, Source } from '../store/store.js'
import { readContent } from '../store/verify.js'

/** In bytes; a graph of ten thousand usual manifests stays well below. */
const CAPACITY = 64 * 1024 * 1024

/** Reads manifests of a source, each once, and keeps them as long as they are not too many. */
export class ManifestCache {
  readonly #source: Source
  readonly #kept = new Map<string, Uint8Array>()
  #room = CAPACITY

  constructor(source: Source) {
    this.#source = source
  }

  /** The manifests that were kept, by digest. */
  get kept(): ReadonlyMap<string, Uint8Array> {
    return this.#kept
  }

  /** Takes a manifest that is in memory already. */
  add({ descriptor, bytes }: ManifestContent): void {
    this.#room -= bytes.byteLength
    this.#kept.set(descriptor.digest, bytes)
  }

  /** @throws GantryError as {@link readContent} */
  async read(descriptor: Descriptor, options: CallOptions): Promise<ManifestContent> {
    const kept = this.#kept.get(descriptor.digest)
    if (kept !== undefined) return { descriptor, bytes: kept }
    const content = { descriptor, bytes: await readContent(this.#source, descriptor, options) }
    if (content.bytes.byteLength <= this.#room) this.add(content)
    return content
  }
}
