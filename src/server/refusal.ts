import { GantryError, type ErrorCode } from '../errors.js'

/** The codes of the distribution-spec ("Error Codes"), and those that its answers have no code for. */
export type RefusalCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS'
  | 'PAGINATION_NUMBER_INVALID'
  | 'PRECONDITION_FAILED'
  | 'RANGE_INVALID'
  | 'TAG_INVALID'

const STATUS: Readonly<Record<RefusalCode, number>> = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: 405,
  TOOMANYREQUESTS: 429,
  PAGINATION_NUMBER_INVALID: 400,
  PRECONDITION_FAILED: 412,
  RANGE_INVALID: 416,
  TAG_INVALID: 400,
}

const ERROR_CODE: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid-argument',
  401: 'unauthorized',
  403: 'denied',
  404: 'not-found',
  405: 'unsupported',
  409: 'conflict',
  412: 'conflict',
  413: 'limit-exceeded',
  416: 'invalid-argument',
  429: 'rate-limited',
}

export interface RefusalOptions {
  /** HTTP status; default: the one that belongs to the code. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly detail?: unknown
  readonly cause?: unknown
}

/** A request that the registry does not carry out, with all that its answer needs. */
export class Refusal extends GantryError {
  readonly registryCode: RefusalCode
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly detail: unknown

  constructor(registryCode: RefusalCode, message: string, options: RefusalOptions = {}) {
    const { status = STATUS[registryCode], headers = {}, detail, cause } = options
    super(ERROR_CODE[status] ?? 'invalid-argument', message, { cause })
    this.registryCode = registryCode
    this.status = status
    this.headers = headers
    this.detail = detail
  }
}
