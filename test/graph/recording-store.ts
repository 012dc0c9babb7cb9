import type { Descriptor } from '../../src/oci/descriptor.js'
import type { ManifestContent } from '../../src/oci/manifest.js'
import { MemoryStore } from '../../src/store/memory.js'
import type { CallOptions, FetchOptions, PushOptions, ReferrerOptions } from '../../src/store/store.js'
import type { Bytes, OpenContent } from '../../src/util/bytes.js'

export interface Call {
  readonly method: string
  /** Digest, tag or both. */
  readonly what: string
}

/** A store in memory that notes every call, counts how many run at once, and can fail on purpose. */
export class RecordingStore extends MemoryStore {
  readonly calls: Call[] = []
  /** Called before each call; what it throws, the call throws. */
  onCall: ((method: string, what: string) => void | Promise<void>) | undefined
  mostAtOnce = 0
  #running = 0

  callsOf(method: string): readonly string[] {
    return this.calls.filter((call) => call.method === method).map(({ what }) => what)
  }

  override async resolve(reference: string, options?: CallOptions): Promise<Descriptor> {
    // What a store does inside of another call is not noted.
    if (this.#inside) return super.resolve(reference, options)
    return this.#note('resolve', reference, () => super.resolve(reference, options))
  }

  override async readManifest(reference: string, options?: CallOptions): Promise<ManifestContent> {
    return this.#note('readManifest', reference, () => {
      this.#inside = true
      const content = super.readManifest(reference, options)
      this.#inside = false
      return content
    })
  }

  override async *fetch(descriptor: Descriptor, options?: FetchOptions): Bytes {
    await this.#note('fetch', descriptor.digest, async () => {})
    yield* super.fetch(descriptor, options)
  }

  override async has(descriptor: Descriptor, options?: CallOptions): Promise<boolean> {
    return this.#note('has', descriptor.digest, () => super.has(descriptor, options))
  }

  override async push(descriptor: Descriptor, open: OpenContent, options: PushOptions = {}): Promise<void> {
    const what = options.tag === undefined ? descriptor.digest : `${descriptor.digest} ${options.tag}`
    return this.#note('push', what, () => super.push(descriptor, open, options))
  }

  override async tag(descriptor: Descriptor, tag: string, options?: CallOptions): Promise<void> {
    return this.#note('tag', `${descriptor.digest} ${tag}`, () => super.tag(descriptor, tag, options))
  }

  override async referrers(subject: Descriptor, options?: ReferrerOptions): Promise<readonly Descriptor[]> {
    return this.#note('referrers', subject.digest, () => super.referrers(subject, options))
  }

  override async delete(descriptor: Descriptor, options?: CallOptions): Promise<void> {
    return this.#note('delete', descriptor.digest, () => super.delete(descriptor, options))
  }

  #inside = false

  async #note<T>(method: string, what: string, work: () => Promise<T>): Promise<T> {
    this.calls.push({ method, what })
    this.#running++
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#running)
    try {
      // Lets others start, as a network would.
      await new Promise((resolve) => setTimeout(resolve, 1))
      await this.onCall?.(method, what)
      return await work()
    } finally {
      this.#running--
    }
  }
}
