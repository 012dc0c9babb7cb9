import { redactSecrets } from './util/redact.js'
import { visibleText } from './util/visible-text.js'

/** Longest message, in characters: names that a registry supplies may be as long as a manifest. */
const MAX_TEXT = 16 * 1024

/** What went wrong, as a value that callers switch on. The message is for people and may change between versions. */
export type ErrorCode =
  /** An argument or an option does not make sense by itself. */
  | 'invalid-argument'
  | 'invalid-reference'
  | 'invalid-digest'
  | 'invalid-platform'
  /** A document (manifest, index, configuration file, layout) is not what its specification asks for. */
  | 'invalid-content'
  /** A manifest could be read as two different things, or is not of the type that it was announced as. */
  | 'ambiguous-manifest'
  /** The bytes that arrived are not those that the digest names. */
  | 'digest-mismatch'
  /** Fewer or more bytes arrived than the descriptor declares. */
  | 'size-mismatch'
  | 'not-found'
  | 'already-exists'
  /** A tag would move, or the content changed while it was being worked on. */
  | 'conflict'
  /** One of the bounds on size, depth, count or pages was passed. */
  | 'limit-exceeded'
  /** A name that a registry or an archive supplied does not stay inside the output folder. */
  | 'unsafe-path'
  /** No credentials, or wrong ones. */
  | 'unauthorized'
  /** The credentials are good and do not allow this. */
  | 'denied'
  /** The registry or the store does not offer this operation. */
  | 'unsupported'
  | 'rate-limited'
  /** The registry answered with an error that has no code of its own here. */
  | 'registry-error'
  /** A redirect, an upload location, a next page or a token service points where it must not. */
  | 'untrusted-destination'
  | 'tls-error'
  | 'network-error'
  | 'timeout'
  /** The caller's AbortSignal fired. */
  | 'aborted'
  /** A file could not be read or written. */
  | 'file-error'
  /** A credential store or helper failed; never a reason to go on anonymously. */
  | 'credential-store-error'
  /** A file or a layout is held by another process. */
  | 'locked'
  /** Nobody has signed it, in no form that is looked for. */
  | 'unsigned'
  /** It is signed, and by nobody who is trusted, or not as it has to be. */
  | 'untrusted-signature'

/** One entry of a registry's own error body (distribution-spec, section "Error Codes"). */
export interface RegistryErrorEntry {
  readonly code: string
  readonly message?: string
  readonly detail?: unknown
}

/** What a registry answered; addresses are kept without secrets. */
export interface RegistryResponse {
  readonly status: number
  readonly method: string
  readonly url: string
  readonly errors: readonly RegistryErrorEntry[]
}

/** The end of a transfer that failed. */
export type TransferSide = 'source' | 'destination'

/**
 * Which of the cases with one code this is. Advice is chosen by it, and programs may switch on it; a code without a
 * reason has one case only, or none that anybody can do something about.
 */
export type ErrorReason =
  /** `unsafe-path`: a name leads out of the output folder. */
  | 'path-traversal'
  /** `unsafe-path`: a name that not every system can have. */
  | 'unportable-name'
  /** `tls-error`: nobody who is trusted has signed the certificate. */
  | 'unknown-authority'
  /** `tls-error`: the server speaks plain HTTP. */
  | 'plain-http-server'
  /** `tls-error`, `network-error`: the server speaks TLS and was asked in plain HTTP. */
  | 'tls-server'
  /** `limit-exceeded`: a manifest or a page of a list is larger than `maxManifestSize`. */
  | 'manifest-size'
  /** `limit-exceeded`: an archive unpacks to more than `maxUnpackedSize`. */
  | 'unpacked-size'
  /** `limit-exceeded`: a list of tags, repositories or referrers has more entries than are read. */
  | 'list-length'
  /** `untrusted-destination`: a token service that is not of the registry. */
  | 'token-service'
  /** `rate-limited`: the registry asks to wait for longer than `maxRetryAfter`. */
  | 'long-wait'
  /** `timeout`: the time for the whole call is over. */
  | 'whole-command'
  /** `unauthorized`: nothing was found to log in with. */
  | 'no-credentials'
  /** `unauthorized`: what was found was refused. */
  | 'refused-credentials'
  /** `unsupported`: the registry takes no Docker media types. */
  | 'docker-media-types'

/** Facts about an error that programs can use, and that advice is chosen by. */
export interface ErrorDetails {
  readonly reason?: ErrorReason
  /** Host that failed, with its port where it is not the usual one. */
  readonly host?: string
  /** What the host is in this request, where it is not the registry itself. */
  readonly role?: 'redirect-target'
  /** How often it was tried. */
  readonly attempts?: number
  /** Files, variables and helpers that the error is about, as people know them. */
  readonly origins?: readonly string[]
}

export interface GantryErrorOptions {
  /** Advice on what to do next. Names no command line flag; the CLI adds those. */
  readonly hint?: string
  readonly cause?: unknown
  /** Present when a registry answered with an error. */
  readonly response?: RegistryResponse
  /** Present when one end of a transfer failed. */
  readonly side?: TransferSide
  readonly details?: ErrorDetails
}

/** Known to every copy of this module, so that two copies of the package take each other's errors for what they are. */
const BRAND = Symbol.for('gantry.GantryError')

/**
 * The one error type of gantry. Secrets and control characters are removed from message and hint when it is made,
 * so that it can be printed and logged anywhere.
 */
export class GantryError extends Error {
  override readonly name = 'GantryError'
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly response: RegistryResponse | undefined
  readonly side: TransferSide | undefined
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, options: GantryErrorOptions = {}) {
    const { hint, cause, response, side, details = {} } = options
    super(safeText(message), cause === undefined ? undefined : { cause })
    Object.defineProperty(this, BRAND, { value: true })
    this.code = code
    this.hint = hint === undefined ? undefined : safeText(hint)
    this.response = response
    this.side = side
    this.details = details
  }

  /** What a changed copy of this error is made with: everything it says, and itself as the cause where it has none. */
  get options(): GantryErrorOptions {
    const { hint, response, side, details } = this
    return { hint, response, side, details, cause: this.cause ?? this }
  }
}

/** Whether `error` is a GantryError, and has one of the given codes when any are given. */
export function isGantryError(error: unknown, ...codes: ErrorCode[]): error is GantryError {
  if (!(error instanceof GantryError) && !(error instanceof Error && BRAND in error)) return false
  return codes.length === 0 || codes.includes((error as GantryError).code)
}

/** A copy of `error` that says which end of a transfer failed; the first side that was noted stays. */
export function withSide(error: unknown, side: TransferSide): unknown {
  if (!isGantryError(error) || error.side !== undefined) return error
  return new GantryError(error.code, error.message, { ...error.options, side })
}

/** A copy of `error` that says how often it was tried, and what went wrong at first; the error itself for one attempt. */
export function withAttempts(error: GantryError, attempts: number, firstReason?: string): GantryError {
  if (attempts === 1) return error
  const first = firstReason === undefined || firstReason === error.message ? '' : `; at first: ${firstReason}`
  return new GantryError(error.code, `${error.message} (${attempts} attempts${first})`, {
    ...error.options,
    details: { ...error.details, attempts },
  })
}

/** The message of anything that was thrown, safe to print. */
export function messageOf(error: unknown): string {
  return safeText(error instanceof Error ? error.message : String(error))
}

function safeText(text: string): string {
  const redacted = redactSecrets(text)
  return visibleText(redacted.length > MAX_TEXT ? `${redacted.slice(0, MAX_TEXT)}…` : redacted)
}
