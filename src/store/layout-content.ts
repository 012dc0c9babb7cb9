import type { Digest } from '../oci/digest.js'
import type { LayoutIndex } from '../oci/layout-index.js'
import type { Bytes, ContentUse } from '../util/bytes.js'

export interface BlobRange extends ContentUse {
  /** Of the whole blob, in bytes. */
  readonly size: number
  /** First byte wanted. */
  readonly offset: number
  readonly signal: AbortSignal | undefined
}

/** Where an image layout lies, a folder or a tar, as far as reading it is concerned. */
export interface LayoutContent {
  /** Not to be changed by the caller. @throws GantryError when it is missing, too large or malformed */
  readIndex(): Promise<LayoutIndex>
  /**
   * The size of a blob; undefined when it is not there.
   * @throws GantryError `file-error` when what is there is no regular file
   */
  sizeOf(digest: Digest): Promise<number | undefined>
  /**
   * Opens a blob when the first piece is asked for.
   * @throws GantryError `not-found`; `size-mismatch` when it has another size; `file-error`
   */
  open(digest: Digest, range: BlobRange): Bytes
}
