import { GantryError } from '../../errors.js'

/** Where something went wrong: `host:port`, for people. */
export interface Peer {
  readonly host: string
  /** Speaks TLS. */
  readonly secure: boolean
}

/** Errors of an untrusted chain, by OpenSSL's names as Node passes them on. */
const UNKNOWN_AUTHORITY = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_UNTRUSTED',
])

const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet',
  CERT_REVOKED: 'is revoked',
  CERT_REJECTED: 'is rejected',
  CERT_SIGNATURE_FAILURE: 'has a wrong signature',
  CERT_CHAIN_TOO_LONG: 'has too long a chain',
  INVALID_CA: 'is signed by a certificate that may not sign',
  INVALID_PURPOSE: 'is not for servers',
  HOSTNAME_MISMATCH: 'is for another host',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for another host',
}

/** What a TLS library says when the other side does not speak TLS. */
const NOT_TLS = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'ERR_SSL_HTTP_REQUEST'])

const CONNECTION_FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ECONNABORTED: 'connection aborted',
  EPIPE: 'connection closed while sending',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'host is unreachable',
  ENETUNREACH: 'network is unreachable',
  EHOSTDOWN: 'host is down',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'name resolution failed for now',
  EADDRNOTAVAIL: 'address is not available',
  UND_ERR_SOCKET: 'connection closed before the answer was complete',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'connection closed before the answer was complete',
  HPE_INVALID_EOF_STATE: 'connection closed before the answer was complete',
}

/** The error of a failed connection, handshake or exchange. What is a GantryError already stays as it is. */
export function networkError(cause: unknown, peer: Peer): GantryError {
  if (cause instanceof GantryError) return cause
  const code = codeOf(cause)
  return tlsError(code, cause, peer) ?? connectionError(code, cause, peer)
}

/** The error code of anything thrown; the first inner one of several attempts to connect. */
export function codeOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return codeOf(cause.errors[0])
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return ''
  return typeof cause.code === 'string' ? cause.code : ''
}

function tlsError(code: string, cause: unknown, { host, secure }: Peer): GantryError | undefined {
  if (!secure) return undefined
  if (UNKNOWN_AUTHORITY.has(code)) {
    return new GantryError('tls-error', `${host}: certificate signed by unknown authority`, {
      hint: 'trust the authority that signed it, if the server is the one you mean',
      details: { reason: 'unknown-authority' },
      cause,
    })
  }
  const fault = CERTIFICATE_FAULTS[code]
  if (fault !== undefined) return new GantryError('tls-error', `${host}: certificate ${fault}`, { cause })
  if (NOT_TLS.has(code)) {
    return new GantryError('tls-error', `${host} gave an HTTP response to an HTTPS client`, {
      hint: 'use plain HTTP if the server offers nothing else',
      details: { reason: 'plain-http-server' },
      cause,
    })
  }
  if (code.includes('CERTIFICATE_REQUIRED') || code.endsWith('ALERT_HANDSHAKE_FAILURE')) {
    return new GantryError('tls-error', `${host} refused the TLS handshake (${code})`, {
      hint: 'the server may ask for a client certificate',
      cause,
    })
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) {
    return new GantryError('tls-error', `TLS with ${host} failed (${code})`, { cause })
  }
  return undefined
}

function connectionError(code: string, cause: unknown, { host }: Peer): GantryError {
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'HPE_HEADER_OVERFLOW') {
    return new GantryError('limit-exceeded', `headers of the answer of ${host} exceed the limit of 64 KiB`, { cause })
  }
  const fault = CONNECTION_FAULTS[code]
  if (fault === undefined) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return new GantryError('network-error', `${host}: ${reason}${code === '' ? '' : ` (${code})`}`, { cause })
  }
  const hint = CONNECTION_HINTS[code]
  return new GantryError('network-error', `${host}: ${fault}`, { hint, cause })
}

const CONNECTION_HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'is the server running, and is the port right?',
  ENOTFOUND: 'is the host name right?',
}

/** How often a failed exchange may be repeated. */
export type Repeatable = 'always' | 'once' | 'never'

const REPEATABLE = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_SOCKET',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'HPE_INVALID_EOF_STATE',
])

/** Whether it may help to try again: never after a refused certificate or for a host that does not exist. */
export function repeatableOf(error: unknown): Repeatable {
  if (!(error instanceof GantryError)) return 'never'
  if (error.code === 'timeout') return 'always'
  if (error.code !== 'network-error') return 'never'
  const code = codeOf(error.cause)
  if (code === 'ECONNREFUSED') return 'once'
  return REPEATABLE.has(code) ? 'always' : 'never'
}
