import type { Descriptor } from '../../oci/descriptor.js'
import type { Digest } from '../../oci/digest.js'
import { compareNames } from './compare-names.js'

/** A manifest as a repository knows it; its bytes are content like any other. */
export interface ManifestRecord {
  readonly mediaType: string
  /** In bytes. */
  readonly size: number
  /** The manifest that this one refers to, with the descriptor by which it is listed there. */
  readonly referrer?: { readonly subject: Digest; readonly descriptor: Descriptor }
}

/** One step by which the state of the registry changes. */
export type Change =
  | { readonly type: 'link-blob'; readonly repository: string; readonly digest: Digest; readonly size: number }
  | { readonly type: 'unlink-blob'; readonly repository: string; readonly digest: Digest }
  | {
      readonly type: 'put-manifest'
      readonly repository: string
      readonly digest: Digest
      readonly manifest: ManifestRecord
      readonly tags: readonly string[]
    }
  | { readonly type: 'delete-manifest'; readonly repository: string; readonly digest: Digest }
  | { readonly type: 'delete-tag'; readonly repository: string; readonly tag: string }

/** What one repository holds. */
export class RepositoryState {
  readonly blobs = new Map<Digest, number>()
  readonly manifests = new Map<Digest, ManifestRecord>()
  readonly tags = new Map<string, Digest>()
  /** By subject, whether that is there or not. */
  readonly referrers = new Map<Digest, Map<Digest, Descriptor>>()
  #sortedTags: readonly string[] | undefined

  get isEmpty(): boolean {
    return this.blobs.size === 0 && this.manifests.size === 0
  }

  sortedTags(): readonly string[] {
    this.#sortedTags ??= [...this.tags.keys()].sort(compareNames)
    return this.#sortedTags
  }

  setTag(tag: string, digest: Digest): void {
    if (!this.tags.has(tag)) this.#sortedTags = undefined
    this.tags.set(tag, digest)
  }

  deleteTag(tag: string): void {
    if (this.tags.delete(tag)) this.#sortedTags = undefined
  }
}

/** What all repositories hold: the whole state of the registry but the content itself. */
export class RepositoryIndex {
  readonly #repositories = new Map<string, RepositoryState>()
  /** How many repositories hold a digest, as a blob and as a manifest. */
  readonly #uses = new Map<Digest, number>()

  get(repository: string): RepositoryState | undefined {
    return this.#repositories.get(repository)
  }

  names(): readonly string[] {
    return [...this.#repositories.keys()].sort(compareNames)
  }

  isUsed(digest: Digest): boolean {
    return this.#uses.has(digest)
  }

  usedDigests(): Iterable<Digest> {
    return this.#uses.keys()
  }

  /** Carries out one step; steps that change nothing are allowed. */
  apply(change: Change): void {
    const existing = this.#repositories.get(change.repository)
    const repository = existing ?? new RepositoryState()
    if (existing === undefined) this.#repositories.set(change.repository, repository)
    switch (change.type) {
      case 'link-blob':
        if (!repository.blobs.has(change.digest)) this.#count(change.digest, 1)
        repository.blobs.set(change.digest, change.size)
        break
      case 'unlink-blob':
        if (repository.blobs.delete(change.digest)) this.#count(change.digest, -1)
        break
      case 'put-manifest':
        this.#putManifest(repository, change.digest, change.manifest)
        for (const tag of change.tags) repository.setTag(tag, change.digest)
        break
      case 'delete-manifest':
        this.#deleteManifest(repository, change.digest)
        for (const [tag, digest] of repository.tags) if (digest === change.digest) repository.deleteTag(tag)
        break
      case 'delete-tag':
        repository.deleteTag(change.tag)
        break
    }
    if (repository.isEmpty) this.#repositories.delete(change.repository)
  }

  /** The shortest list of steps that leads to this state. */
  *changes(): Generator<Change, void, undefined> {
    for (const [repository, { blobs, manifests, tags }] of this.#repositories) {
      for (const [digest, size] of blobs) yield { type: 'link-blob', repository, digest, size }
      const tagsOf = new Map<Digest, string[]>()
      for (const [tag, digest] of tags) {
        const others = tagsOf.get(digest)
        if (others === undefined) tagsOf.set(digest, [tag])
        else others.push(tag)
      }
      for (const [digest, manifest] of manifests) {
        yield { type: 'put-manifest', repository, digest, manifest, tags: tagsOf.get(digest) ?? [] }
      }
    }
  }

  #putManifest(repository: RepositoryState, digest: Digest, manifest: ManifestRecord): void {
    this.#deleteManifest(repository, digest)
    repository.manifests.set(digest, manifest)
    this.#count(digest, 1)
    if (manifest.referrer === undefined) return
    const { subject, descriptor } = manifest.referrer
    const others = repository.referrers.get(subject)
    if (others === undefined) repository.referrers.set(subject, new Map([[digest, descriptor]]))
    else others.set(digest, descriptor)
  }

  #deleteManifest(repository: RepositoryState, digest: Digest): void {
    const manifest = repository.manifests.get(digest)
    if (manifest === undefined) return
    repository.manifests.delete(digest)
    this.#count(digest, -1)
    if (manifest.referrer === undefined) return
    const others = repository.referrers.get(manifest.referrer.subject)
    others?.delete(digest)
    if (others?.size === 0) repository.referrers.delete(manifest.referrer.subject)
  }

  #count(digest: Digest, step: 1 | -1): void {
    const uses = (this.#uses.get(digest) ?? 0) + step
    if (uses === 0) this.#uses.delete(digest)
    else this.#uses.set(digest, uses)
  }
}
