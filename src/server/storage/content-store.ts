import type { Digest, DigestAlgorithm } from '../../oci/digest.js'
import type { Bytes } from '../../util/bytes.js'
import type { ByteRange } from '../byte-range.js'

/** Content that arrives, piece by piece and over several requests, before it has a digest. */
export interface ContentWriter {
  /** Bytes that are safely received so far. */
  readonly size: number
  /**
   * Adds what arrives. When the stream fails, what arrived before stays, so that an upload can be resumed.
   * @param limit the most bytes that the content may have in total
   * @throws GantryError `limit-exceeded`
   */
  write(content: Bytes, limit: number): Promise<void>
  /**
   * Checks the content against `digest` and publishes it; the writer is at its end, whatever happens.
   * @throws GantryError `digest-mismatch`; nothing is published then
   */
  commit(digest: Digest): Promise<void>
  /** Removes what was received. Does nothing after a commit. */
  abort(): Promise<void>
}

/** Content by digest, in memory or in a folder, without any notion of repositories. */
export interface ContentStore {
  /** @param algorithm hashed while writing; a commit with the other one reads the content again */
  createWriter(algorithm: DigestAlgorithm): ContentWriter
  /** Opens published content, or a part of it. */
  open(digest: Digest, range?: ByteRange): Bytes
  /** Removes content; nothing happens when it is not there. */
  remove(digest: Digest): Promise<void>
  close(): Promise<void>
}
