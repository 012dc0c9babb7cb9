/** Forms of the `Range` header of an upload (30). */
export type RangeForm = 'honest' | 'stuck' | 'offByOne' | 'bytes' | 'bytes=0--1' | 'missing'

/** How blobs are taken. */
export interface UploadSwitches {
  /** 23; default `relative`. */
  readonly location?: 'absolute' | 'relative' | 'pathless' | 'outsideV2'
  /** 23: least number of characters that the address of an upload has; needs a query or `outsideV2`. */
  readonly locationLength?: number
  /** 24: what the query of a Location holds: the newest state must come back. */
  readonly locationQuery?: 'none' | 'state' | 'cache-and-state'
  /** 24: what an outdated state gets; default 404. */
  readonly staleState?: 404 | 416
  /** 25 */
  readonly locationScheme?: 'http'
  readonly dropPort?: boolean
  /** 26 */
  readonly locationHost?: 'other' | 'private'
  /** 27: a PATCH with Content-Range is refused. */
  readonly noChunked?: boolean
  /** 28: bytes that a PATCH with Content-Range may have; more is 416. */
  readonly maxChunk?: number
  /** 29: bytes that a PATCH must have when another one follows. */
  readonly minChunk?: number
  /** 29: `OCI-Chunk-Min-Length` says so; default false. */
  readonly announceMinChunk?: boolean
  /** 30: of the answers to POST, PATCH and GET, and of a 416. */
  readonly rangeHeader?: Readonly<Partial<Record<'post' | 'patch' | 'status' | 'refused', RangeForm>>>
  /** 30b: a chunk below `minChunk` ends the upload with 201, and the PUT is refused. */
  readonly earlyAccept?: boolean
  /** 30c: bytes of a PATCH or PUT, announced by `OCI-Chunk-Max-Length`; more is 413. */
  readonly chunkMax?: number
  /** 31: what `bytes 0-N/*` gets. */
  readonly contentRangeFormat?: 400 | 500
  /** 32: a second PATCH without Content-Range is refused. */
  readonly streamOnce?: boolean
  /** 33: a chunk that begins elsewhere; 202 takes it all the same. */
  readonly outOfOrder?: 416 | 202 | 400
  /** 34 */
  readonly statusNoLocation?: boolean
  /** 35: POST with `?digest=` ; 415 unless the body is an octet stream. */
  readonly singlePost?: 201 | 202 | 415
  /** 36: the first request of this many uploads gets BLOB_UPLOAD_UNKNOWN. */
  readonly unknownOnce?: number
  /** 37 */
  readonly dropConnection?: 'POST' | 'PATCH'
  /** 1 GiB or so: bytes of a blob; more is 413. */
  readonly maxBlobSize?: number
}

/** What becomes of a mount. */
export interface MountSwitches {
  /** 38; default 201, which is 202 where the source does not have the blob. */
  readonly status?: 201 | 202 | 401 | 403 | 404 | 405
  /** 39; default 201. */
  readonly withoutFrom?: 201 | 202 | 'error'
  /** 40: the token has to cover the other repository. */
  readonly requiresPullScope?: boolean
}
