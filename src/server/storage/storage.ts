import type { Descriptor } from '../../oci/descriptor.js'
import type { Digest, DigestAlgorithm } from '../../oci/digest.js'
import type { Bytes } from '../../util/bytes.js'
import type { ByteRange } from '../byte-range.js'
import type { ContentWriter } from './content-store.js'
import type { ManifestRecord } from './repository-index.js'

export interface NewManifest {
  readonly digest: Digest
  readonly bytes: Uint8Array
  readonly manifest: ManifestRecord
  /** Tags that point at it from now on, in the same step. */
  readonly tags: readonly string[]
}

/**
 * What the embedded registry keeps. Names and digests that are passed in have been checked. Whatever has been awaited
 * is there to stay; repositories come with their first content and go with their last. Content goes when no repository holds it any more.
 */
export interface RegistryStorage {
  /** All repositories, sorted. */
  repositories(): readonly string[]
  /** The tags of a repository, sorted; undefined when there is no such repository. */
  tags(repository: string): readonly string[] | undefined
  digestOfTag(repository: string, tag: string): Digest | undefined
  manifest(repository: string, digest: Digest): ManifestRecord | undefined
  /** Who refers to a manifest of this repository, whether that is there or not. */
  referrers(repository: string, subject: Digest): readonly Descriptor[]
  /** Size of a blob in bytes; undefined when this repository does not hold it. */
  blobSize(repository: string, digest: Digest): number | undefined
  /** The repositories that hold a blob. */
  repositoriesWithBlob(digest: Digest): Iterable<string>

  /** Opens a blob or a manifest that a repository holds, or a part of it. */
  open(digest: Digest, range?: ByteRange): Bytes
  /** Begins a blob that no repository holds yet. */
  createWriter(algorithm: DigestAlgorithm): ContentWriter
  /**
   * Publishes what was written, checked against `digest`, in one repository.
   * @throws GantryError `digest-mismatch`
   */
  commitBlob(repository: string, digest: Digest, writer: ContentWriter): Promise<void>
  /** Makes a blob of another repository a blob of this one; false when the other does not hold it. */
  mountBlob(repository: string, digest: Digest, from: string): Promise<boolean>
  /** False when the repository does not hold it. */
  deleteBlob(repository: string, digest: Digest): Promise<boolean>
  /**
   * Stores a manifest with its tags.
   * @param check throws when the state does not allow it; nothing can happen between it and the change
   */
  putManifest(repository: string, content: NewManifest, check?: () => void): Promise<void>
  /** Removes a manifest, and the tags that point at it; false when the repository does not hold it. */
  deleteManifest(repository: string, digest: Digest): Promise<boolean>
  /** Removes a tag alone; false when the repository has no such tag. */
  deleteTag(repository: string, tag: string): Promise<boolean>

  /** Lets go of all resources. */
  close(): Promise<void>
}
