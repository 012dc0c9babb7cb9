import type { CredentialLookup } from '../auth/credential.js'
import type { TransportEvent } from './transport-event.js'

/** Whom to trust, and who to be, on TLS connections. */
export interface TlsOptions {
  /** Accept any certificate of the registry itself; other hosts are still verified. Default false. */
  readonly insecure?: boolean
  /** Certificate authorities to trust besides the built-in ones, as PEM. They also count for hosts that the registry redirects to. */
  readonly ca?: readonly string[]
  /** Trust only `ca` and none of the built-in authorities. Default false. */
  readonly replaceRoots?: boolean
  /** Client certificate as PEM; shown to the registry's own origin only. Needs `key`. */
  readonly certificate?: string
  /** Private key of the client certificate as PEM. */
  readonly key?: string
}

/**
 * Proxies, with values as in the environment variables `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`. They may speak `http`,
 * `https`, `socks5` or `socks5h`, and resolve names in all of these. Loopback is never proxied.
 */
export interface ProxyOptions {
  /** Proxy for plain requests. */
  readonly http?: string
  /** Proxy for requests over TLS, which go through a CONNECT tunnel. */
  readonly https?: string
  /** What the values of `http` and `https` come from, such as the names of variables; for messages. */
  readonly origin?: { readonly http?: string | undefined; readonly https?: string | undefined }
  /** Hosts, suffixes, `host:port`, addresses and CIDR blocks that are reached directly, separated by commas; `*` for all. */
  readonly noProxy?: string
}

/** Static name resolution: connections to `host:port` go to `address:addressPort`; name checks are unchanged. */
export interface HostOverride {
  readonly host: string
  readonly port: number
  readonly address: string
  /** Default: `port`. */
  readonly addressPort?: number
}

/** When and how long to wait before a request is repeated. All times in milliseconds. */
export interface RetryOptions {
  /** How often a request is sent at most; 1 means no repetition. Default 5. */
  readonly attempts?: number
  /** Upper bound of the first wait; doubles with each attempt, and the wait is chosen at random below it. Default 300. */
  readonly firstDelay?: number
  /** Upper bound of every wait that the registry did not ask for. Default 15 000. */
  readonly maxDelay?: number
  /** The longest `Retry-After` that is followed; more is an error. Default 60 000. */
  readonly maxRetryAfter?: number
  /** The longest that one request waits in total. Default 120 000. */
  readonly maxTotalDelay?: number
}

/** Time limits in milliseconds; 0 switches one off. */
export interface TimeoutOptions {
  /** Name resolution and TCP connection. Default 15 000. */
  readonly connect?: number
  /** TLS handshake. Default 15 000. */
  readonly tls?: number
  /** From the end of the request to the headers of the answer. Default 60 000. */
  readonly headers?: number
  /** The same for requests that are known to take long (`slowAnswer`). Default 300 000. */
  readonly slowHeaders?: number
  /** Silence in the middle of a body, in either direction. Default 30 000. */
  readonly body?: number
  /** A whole token request. Default 30 000. */
  readonly token?: number
  /** Bytes per second that a body has to reach on average over `minimumRateWindow`; 0 switches it off. Default 1 024. */
  readonly minimumRate?: number
  /** Default 60 000. */
  readonly minimumRateWindow?: number
}

export interface TransportOptions {
  /** `host[:port]` as in references; docker.io and index.docker.io are contacted as registry-1.docker.io. */
  readonly registry: string
  /** Speak HTTP instead of HTTPS to the registry. Default false. */
  readonly plainHttp?: boolean
  readonly tls?: TlsOptions
  readonly proxy?: ProxyOptions
  /** Static name resolution; of several entries for one host and port the last one counts. */
  readonly resolve?: readonly HostOverride[]
  /** Sent with every request to the registry's own origin, and never anywhere else. */
  readonly headers?: Readonly<Record<string, string>>
  /** Asked when the registry wants to know who is there; anonymous without it. */
  readonly credentials?: CredentialLookup
  /** Token services (`host[:port]`) that may see the credentials, besides those of the registry's own domain. */
  readonly trustedAuthHosts?: readonly string[]
  /** Default `gantry`. */
  readonly userAgent?: string
  readonly retry?: RetryOptions
  readonly timeouts?: TimeoutOptions
  /** Requests in flight per host, those with and those without a body counted apart; by default it follows the host, 8 to 32. */
  readonly concurrency?: number
  /**
   * Largest body of an upload request, in bytes: larger blobs are sent in chunks. For proxies with a limit; by default
   * the limit is found out from responses with status 413.
   */
  readonly chunkSize?: number
  /** Told of retries, warnings and every request and answer, without secrets. */
  readonly onEvent?: (event: TransportEvent) => void
  /** Whether requests and answers are events too; default true. Without them small requests cost noticeably less. */
  readonly trace?: boolean
}
