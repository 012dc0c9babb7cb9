/** 75: how many requests are allowed, and what the next one gets. */
export interface RateLimitSwitches {
  /** Requests of manifests by GET before the limit; others do not count. */
  readonly allowed: number
  /** Requests that are then refused; default all. */
  readonly refused?: number
  /** Seconds, or a date so many seconds from now. */
  readonly retryAfter?: number | { readonly dateIn: number }
  /** `ratelimit-limit` and the others of Docker Hub. */
  readonly headers?: boolean
  readonly body?: 'json' | 'html' | 'text'
  /** Default TOOMANYREQUESTS. */
  readonly code?: string
}

/** What goes wrong between client and registry. */
export interface HttpSwitches {
  /** 77: how many requests of each method and path fail first, with which status. */
  readonly flaky?: { readonly times: number; readonly status: number }
  /** 77: how many connections are cut before the answer. */
  readonly reset?: number
  /** 77: milliseconds before each answer. */
  readonly slow?: number
  /** 81 */
  readonly contentEncoding?: 'manifests' | 'blobs'
  /** 82: bytes of headers that every answer has besides. */
  readonly hugeHeaders?: number
}

/** What holds for every answer. */
export interface GeneralSwitches {
  /** 76 */
  readonly errorShape?:
    'standard' | 'single' | 'details' | 'text' | 'html' | 'escaped' | 'empty' | 'huge' | 'wrongStatus'
  /** 78: of `/v2/`; `everything` says 200 to whatever is asked. */
  readonly ping?: 200 | 401 | 404 | 'everything'
  /** 79: text of `Warning: 299`. */
  readonly warning?: string
  /** 80: headers without which every request is refused. */
  readonly requiredHeaders?: readonly string[]
  /** The address of what was created stands in answers with scheme and host. */
  readonly absoluteLocations?: boolean
  /** Headers of every answer by which a vendor is known. */
  readonly extraHeaders?: Readonly<Record<string, string>>
}
