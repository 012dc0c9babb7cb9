import type { Digest } from '../oci/digest.js'
import type { ManifestContent } from '../oci/manifest.js'

/** Bytes that are kept; what was used longest ago goes first. */
const CAPACITY = 16 * 1024 * 1024

/** Remembers manifests that were just read or pushed, so that to tag or copy them needs no second reading. */
export class ManifestCache {
  readonly #contents = new Map<Digest, ManifestContent>()
  #size = 0

  get(digest: Digest): ManifestContent | undefined {
    const content = this.#contents.get(digest)
    if (content !== undefined) {
      this.#contents.delete(digest)
      this.#contents.set(digest, content)
    }
    return content
  }

  /** Keeps content whose bytes have been checked. */
  set(content: ManifestContent): void {
    this.delete(content.descriptor.digest)
    this.#contents.set(content.descriptor.digest, content)
    this.#size += content.bytes.byteLength
    for (const digest of this.#contents.keys()) {
      if (this.#size <= CAPACITY) return
      this.delete(digest)
    }
  }

  delete(digest: Digest): void {
    const content = this.#contents.get(digest)
    if (content === undefined) return
    this.#contents.delete(digest)
    this.#size -= content.bytes.byteLength
  }
}
