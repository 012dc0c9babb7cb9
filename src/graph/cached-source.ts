import type { Descriptor } from '../oci/descriptor.js'
import type { ManifestContent } from '../oci/manifest.js'
import type { CallOptions, FetchOptions, Source, Store } from '../store/store.js'
import { openBytes, type Bytes } from '../util/bytes.js'
import { transfer } from './transfer.js'

/**
 * A source that keeps what is fetched in another store, and takes from there what it has. Tags are asked for at the
 * source each time; content is what its digest says wherever it comes from.
 */
export class CachedSource implements Source {
  readonly #source: Source
  readonly #cache: Store

  constructor(source: Source, cache: Store) {
    this.#source = source
    this.#cache = cache
  }

  async resolve(reference: string, options?: CallOptions): Promise<Descriptor> {
    return this.#source.resolve(reference, options)
  }

  async readManifest(reference: string, options: CallOptions = {}): Promise<ManifestContent> {
    const descriptor = await this.resolve(reference, options)
    if (await this.#cache.has(descriptor, options)) return this.#cache.readManifest(descriptor.digest, options)
    const content = await this.#source.readManifest(descriptor.digest, options)
    await this.#cache.push(content.descriptor, openBytes(content.bytes), options)
    return content
  }

  async *fetch(descriptor: Descriptor, options: FetchOptions = {}): Bytes {
    if (options.noCache === true) {
      yield* this.#source.fetch(descriptor, options)
      return
    }
    const { signal } = options
    const callOptions = signal === undefined ? {} : { signal }
    if (!(await this.#cache.has(descriptor, callOptions))) {
      await transfer(this.#source, this.#cache, descriptor, callOptions)
    }
    yield* this.#cache.fetch(descriptor, options)
  }
}
