import { GantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { ManifestContent } from '../oci/manifest.js'
import type { CallOptions, FetchOptions, Source } from '../store/store.js'
import { readContent } from '../store/verify.js'
import { openBytes, type Bytes, type OpenContent } from '../util/bytes.js'

/** Content that was made or found here and is about to be pushed: in memory, or opened when it is needed. */
export class PreparedSource implements Source {
  readonly #content = new Map<string, { readonly descriptor: Descriptor; readonly open: OpenContent }>()

  add(descriptor: Descriptor, open: OpenContent): void {
    this.#content.set(descriptor.digest, { descriptor, open })
  }

  addBytes(descriptor: Descriptor, bytes: Uint8Array): void {
    this.add(descriptor, openBytes(bytes))
  }

  /** Finds content by its digest; there are no tags. */
  async resolve(reference: string): Promise<Descriptor> {
    return this.#find(reference).descriptor
  }

  async readManifest(reference: string, options?: CallOptions): Promise<ManifestContent> {
    const { descriptor } = this.#find(reference)
    return { descriptor, bytes: await readContent(this, descriptor, options) }
  }

  async *fetch(descriptor: Descriptor, { offset }: FetchOptions = {}): Bytes {
    yield* this.#find(descriptor.digest).open(offset)
  }

  #find(digest: string): { readonly descriptor: Descriptor; readonly open: OpenContent } {
    const content = this.#content.get(digest)
    if (content === undefined) throw new GantryError('not-found', `${digest}: not found`)
    return content
  }
}
