/** How blobs are handed out. */
export interface BlobSwitches {
  /** 41: to another origin, which refuses every request with credentials. */
  readonly redirect?: 302 | 303 | 307 | 308
  /** 42: hops on the way there, or a redirect that leads nowhere good. */
  readonly redirectChain?: number | 'loop' | 'http' | 'private'
  /** 43: seconds of virtual time after which a signed address is refused. */
  readonly redirectExpiry?: number
  /** 44 */
  readonly ranges?: 'honest' | 'none' | 'ignore' | 'wrongContentRange' | 'brokenLength416'
  /** 45: how often a blob is cut after half of its bytes, or has its first byte changed. */
  readonly truncate?: number
  readonly corrupt?: number
  /** 46: what was pushed by sha512 is known by sha256, and shown as that. */
  readonly sha256Only?: boolean
}

/** How manifests are taken and handed out. */
export interface ManifestSwitches {
  /** 46 */
  readonly digestHeader?: 'ok' | 'missing' | 'wrong' | 'otherAlgorithm'
  /** 47 */
  readonly head?: 'ok' | 'noLength' | 'gzipLength' | 405 | 'noContentType'
  /** 48: what a GET gets whose Accept does not name the type. */
  readonly acceptStrict?: 404 | 'convertSchema1'
  /** 48: the types that this is about; default all. */
  readonly acceptStrictTypes?: RegExp
  /** 49: behind the media type. */
  readonly contentType?: string
  /** 50: in bytes; default 4 MiB, and 413 above. */
  readonly maxSize?: number
  readonly overStatus?: 400 | 413
  readonly overCode?: string
  /** 51: media types of manifests, configs and layers that are refused. */
  readonly rejectTypes?: { readonly types: RegExp; readonly status: 400 | 405 | 415; readonly code?: string }
  /** 52 */
  readonly rejectSubject?: 400
  /** 53 */
  readonly putStatus?: 200 | 201 | 202
  /** 54: an index needs everything that it names: 400 MANIFEST_BLOB_UNKNOWN. */
  readonly childrenFirst?: boolean
  /** The status of a manifest whose blobs are missing; default 404. */
  readonly missingBlobStatus?: 400 | 404
  /** 54b: HEAD of what is not there. */
  readonly missingIs403?: boolean
  /** Code of a 404; default MANIFEST_UNKNOWN. */
  readonly missingCode?: string
}

/** What may become of tags, and who may see what. */
export interface PolicySwitches {
  /** 55: tags that match may not move. */
  readonly immutable?: { readonly tags: RegExp; readonly status: 400 | 409 | 412; readonly code?: string }
  /** 56: repositories whose manifests are withheld with 412. */
  readonly pullDenied?: RegExp
}

/** What repositories may be called, and what becomes of those that are not there. */
export interface NameSwitches {
  /** 76: names, tags and digests of another form are no endpoint at all: 404 in plain text. */
  readonly strictRouter?: boolean
  /** 57: how many parts a name has. */
  readonly depth?: number
  /** 58: what those get who may not push; default 404. */
  readonly missingRepo?: 404 | 401 | 403
  /** Repositories that were made before; a push to any other that is not there is refused, or the connection cut (37). */
  readonly made?: RegExp
  readonly unknownPush?: 404 | 'drop'
}
