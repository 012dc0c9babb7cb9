import type { Descriptor } from '../../oci/descriptor.js'
import { algorithmOf, type Digest, type DigestAlgorithm } from '../../oci/digest.js'
import { openBytes, type Bytes } from '../../util/bytes.js'
import type { ByteRange } from '../byte-range.js'
import type { ContentStore, ContentWriter } from './content-store.js'
import { KeyedLock } from './keyed-lock.js'
import type { RepositoryIndex } from './repository-index.js'
import { type Change, type ManifestRecord } from './repository-index.js'
import type { NewManifest, RegistryStorage } from './storage.js'

/** Keeps changes so that they survive the process; resolves when that is certain. */
export interface ChangeLog {
  append(change: Change): Promise<void>
  close(): Promise<void>
}

/** A storage that holds its state in memory, its content in a {@link ContentStore}, and reports every change. */
export class IndexedStorage implements RegistryStorage {
  readonly #index: RepositoryIndex
  readonly #content: ContentStore
  readonly #log: ChangeLog | undefined
  /** Publishing content and removing it exclude each other. */
  readonly #lock = new KeyedLock()

  constructor(index: RepositoryIndex, content: ContentStore, log?: ChangeLog) {
    this.#index = index
    this.#content = content
    this.#log = log
  }

  repositories(): readonly string[] {
    return this.#index.names()
  }

  tags(repository: string): readonly string[] | undefined {
    return this.#index.get(repository)?.sortedTags()
  }

  digestOfTag(repository: string, tag: string): Digest | undefined {
    return this.#index.get(repository)?.tags.get(tag)
  }

  manifest(repository: string, digest: Digest): ManifestRecord | undefined {
    return this.#index.get(repository)?.manifests.get(digest)
  }

  referrers(repository: string, subject: Digest): readonly Descriptor[] {
    return [...(this.#index.get(repository)?.referrers.get(subject)?.values() ?? [])]
  }

  blobSize(repository: string, digest: Digest): number | undefined {
    return this.#index.get(repository)?.blobs.get(digest)
  }

  *repositoriesWithBlob(digest: Digest): Generator<string, void, undefined> {
    if (!this.#index.isUsed(digest)) return
    for (const name of this.#index.names()) if (this.blobSize(name, digest) !== undefined) yield name
  }

  open(digest: Digest, range?: ByteRange): Bytes {
    return this.#content.open(digest, range)
  }

  createWriter(algorithm: DigestAlgorithm): ContentWriter {
    return this.#content.createWriter(algorithm)
  }

  async commitBlob(repository: string, digest: Digest, writer: ContentWriter): Promise<void> {
    const { size } = writer
    await this.#lock.run(digest, async () => {
      await writer.commit(digest)
      await this.#apply({ type: 'link-blob', repository, digest, size })
    })
  }

  async mountBlob(repository: string, digest: Digest, from: string): Promise<boolean> {
    return this.#lock.run(digest, async () => {
      const size = this.blobSize(from, digest)
      if (size === undefined) return false
      if (this.blobSize(repository, digest) === undefined) {
        await this.#apply({ type: 'link-blob', repository, digest, size })
      }
      return true
    })
  }

  async deleteBlob(repository: string, digest: Digest): Promise<boolean> {
    if (this.blobSize(repository, digest) === undefined) return false
    await this.#apply({ type: 'unlink-blob', repository, digest })
    await this.#removeUnused(digest)
    return true
  }

  async putManifest(repository: string, content: NewManifest, check?: () => void): Promise<void> {
    const { digest, bytes, manifest, tags } = content
    await this.#lock.run(digest, async () => {
      check?.()
      if (!this.#index.isUsed(digest)) await this.#write(digest, bytes)
      try {
        check?.()
      } catch (error) {
        if (!this.#index.isUsed(digest)) await this.#content.remove(digest)
        throw error
      }
      await this.#apply({ type: 'put-manifest', repository, digest, manifest, tags })
    })
  }

  async deleteManifest(repository: string, digest: Digest): Promise<boolean> {
    if (this.manifest(repository, digest) === undefined) return false
    await this.#apply({ type: 'delete-manifest', repository, digest })
    await this.#removeUnused(digest)
    return true
  }

  async deleteTag(repository: string, tag: string): Promise<boolean> {
    if (this.digestOfTag(repository, tag) === undefined) return false
    await this.#apply({ type: 'delete-tag', repository, tag })
    return true
  }

  async close(): Promise<void> {
    await this.#content.close()
    await this.#log?.close()
  }

  /** The state changes at once, so that two requests never decide on the same old state. */
  async #apply(change: Change): Promise<void> {
    this.#index.apply(change)
    await this.#log?.append(change)
  }

  async #removeUnused(digest: Digest): Promise<void> {
    await this.#lock.run(digest, async () => {
      if (!this.#index.isUsed(digest)) await this.#content.remove(digest)
    })
  }

  async #write(digest: Digest, bytes: Uint8Array): Promise<void> {
    const writer = this.#content.createWriter(algorithmOf(digest))
    try {
      await writer.write(openBytes(bytes)(), bytes.byteLength)
      await writer.commit(digest)
    } finally {
      await writer.abort()
    }
  }
}
