import type { Bytes, OpenContent } from '../../util/bytes.js'
import type { BackoffOptions } from '../../util/backoff.js'
import type { CredentialRefusal } from '../auth/refused-credentials.js'
import type { Scope } from '../auth/scope.js'
import type { RegistryState } from '../registry-state.js'
import type { OnTransportEvent } from './transport-event.js'

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What is sent. */
export interface RequestBody {
  /** Opened anew for each attempt, unless it is in memory. */
  readonly content: OpenContent | Uint8Array
  /** In bytes; chunked transfer coding when unknown. */
  readonly size?: number
  /** What it is a part of, in bytes: only for messages. */
  readonly part?: { readonly start: number; readonly size: number }
  readonly contentType: string
  /** Called with the absolute number of bytes handed to the connection in this attempt. */
  readonly onProgress?: (offset: number) => void
}

/** One request of the distribution API to the registry that the transport belongs to. */
export interface RegistryRequest {
  readonly method: Method
  /** Path and query below the registry's origin, or an absolute address that the caller has checked to lie there. */
  readonly url: string
  /** One that is undefined is not sent. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: RequestBody
  /** What the request needs to be allowed; the one that matters most first. */
  readonly scopes: readonly Scope[]
  /**
   * `free`: repeat it on every retryable outcome. `never`: hand the first outcome to the caller, who knows how to
   * recover (an upload asks the registry where it stands). A 401 is answered with a fresh token in both cases.
   */
  readonly retry: 'free' | 'never'
  /**
   * Whether a GET or HEAD follows redirects, without secrets, to where a registry may point; default false. Other methods
   * always follow 307 and 308, with their body from its start.
   */
  readonly followRedirects?: boolean
  /** The registry may take minutes to answer (commit of a large upload); default false. */
  readonly slowAnswer?: boolean
  /**
   * Send it behind the other requests that have this set, on one connection and without waiting for their answers
   * (RFC 9112, section 9.3.2), so that the registry gets to them one after the other. For idempotent methods without a
   * body, or with a small one that is in memory; default false.
   */
  readonly inOrder?: boolean
  /** The body of the answer is read as `ContentUse.transient` says; default false. */
  readonly transient?: boolean
  readonly signal?: AbortSignal
}

/** A GET for content that is kept outside of the registry. */
export interface ElsewhereRequest extends Pick<RegistryRequest, 'transient' | 'signal'> {
  /** As the document names it. */
  readonly url: string
}

/** The body of an answer, for one reader. */
export interface AnswerContent extends Bytes {
  /** Stops it where it is, and lets go of the connection; reading fails then. */
  destroy(failure?: Error): unknown
}

/** An answer, whatever its status: only failures to get one throw. The body has to be read or discarded. */
export interface RegistryAnswer {
  readonly status: number
  readonly method: Method
  /** The address that answered in the end, after redirects. */
  readonly url: string
  /** First value of a header that comes once, or undefined. Names in any case. */
  header(name: string): string | undefined
  /** A header that is a list and may come several times: all its values, joined by commas (RFC 9110, section 5.3). */
  headerList(name: string): string | undefined
  /** The body as received: never decoded. Errors with `network-error` or `timeout` when it is cut or stalls. */
  readonly body: AnswerContent
  /** How often the request was sent, 1 when it is not given: a 404 to a repeated DELETE means that it is done. */
  readonly attempts?: number
  /** What the request was to be authorised with, where the registry refused it with 401 or 403. */
  readonly refusal?: CredentialRefusal | undefined
  /** Text of this answer as it may be shown: without the secrets that the transport has sent. */
  readonly shown?: (text: string) => string
  /** Reads and drops a small rest so that the connection can be used again, or closes it. */
  discard(): Promise<void>
}

/** How often something is tried, and who is told of it. */
export interface Repetition {
  /** How often it is tried at most without getting ahead; 1 means no repetition. */
  readonly attempts: number
  readonly backoff: BackoffOptions
  /** Told of each repetition, and of giving up. */
  readonly onEvent?: OnTransportEvent
}

/**
 * Carries requests to one registry: connection, time limits, pacing, retries, authentication, redirects.
 * Throws GantryError `network-error`, `timeout`, `tls-error`, `aborted`, `untrusted-destination`, `limit-exceeded`,
 * `rate-limited` (a Retry-After beyond the limit), `unauthorized` (the token service refused, or a redirect target asked
 * for credentials), `credential-store-error`, and what the token service fails with; every answer of the registry with
 * a status is returned.
 */
export interface RegistryTransport {
  /** Host and port as in references. */
  readonly registry: string
  /** Scheme, host and port that requests go to. */
  readonly origin: string
  /**
   * For callers who repeat what the transport cannot; by default five attempts, and nobody is told.
   * @internal
   */
  readonly repetition?: Repetition
  /**
   * What is known about the registry; what wraps a transport forwards it.
   * @internal
   */
  readonly state?: RegistryState
  /** Text of the registry as it may be shown: without the secrets that were sent. */
  readonly shown?: (text: string) => string
  request(request: RegistryRequest): Promise<RegistryAnswer>
  /**
   * Gets content from an address outside of the registry that a document in the registry names: anonymously, where the
   * registry may point, with redirects.
   * @internal
   */
  requestElsewhere?(request: ElsewhereRequest): Promise<RegistryAnswer>
  /** Reports something about the registry that is worth knowing and no failure; each text once. */
  notice?(message: string): void
}
