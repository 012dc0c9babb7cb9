import { STATUS_CODES } from 'node:http'
import { GantryError, withAttempts, type ErrorCode, type RegistryErrorEntry } from '../errors.js'
import { isJsonObject, parseJson, type JsonObject } from '../util/json.js'
import { isSecretName, REDACTED, redactSecrets, redactUrl } from '../util/redact.js'
import { describeRefusal, refusalDetails, refusalHint, type CredentialRefusal } from './auth/refused-credentials.js'
import { readBodyStart } from './http/body-start.js'
import { isRetryableStatus } from './http/retry.js'
import { shownText } from './http/sent-secrets.js'
import type { RegistryAnswer } from './http/transport.js'

/** How much of an explanation is shown, in characters. */
const MAX_SHOWN = 1024

export interface ResponseErrorOptions {
  /** Replaces the message, where the caller can say better what is missing. */
  readonly message?: string
  readonly hint?: string
}

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthorized',
  403: 'denied',
  404: 'not-found',
  405: 'unsupported',
  408: 'timeout',
  409: 'conflict',
  413: 'limit-exceeded',
  429: 'rate-limited',
}

/** Registries that answer 400 to nearly everything still name what is wrong. */
const CODE_OF_ENTRY: Readonly<Record<string, ErrorCode>> = {
  UNAUTHORIZED: 'unauthorized',
  DENIED: 'denied',
  UNSUPPORTED: 'unsupported',
  TOOMANYREQUESTS: 'rate-limited',
  TOO_MANY_REQUEST: 'rate-limited',
  TAG_IMMUTABLE: 'conflict',
  NAME_UNKNOWN: 'not-found',
  MANIFEST_UNKNOWN: 'not-found',
  BLOB_UNKNOWN: 'not-found',
}

/**
 * Reads a registry's answer as an error. The status decides the code; the registry's own entries make the message
 * (distribution-spec, "Error Codes"), in whichever of the many shapes they come. Never throws: a body that cannot be
 * read does not hide the status.
 */
export async function responseError(answer: RegistryAnswer, options: ResponseErrorOptions = {}): Promise<GantryError> {
  const text = answer.method === 'HEAD' ? '' : Buffer.from(await readBodyStart(answer.body)).toString('utf8')
  if (answer.method === 'HEAD') await answer.discard()
  const errors = parseErrors(text, (shown) => redactSecrets(shownText(answer, shown)))
  const address = redactUrl(shownText(answer, answer.url))
  const code = codeOf(answer, errors)
  const { status, method, attempts = 1 } = answer
  const refusal = refusalIn(answer, code)
  const what = options.message ?? describe(answer, address, errors)
  const message = refusal === undefined ? what : `${what}: ${describeRefusal(refusal)}`
  const said = options.hint ?? hintFrom(answer, text, errors)
  const error = new GantryError(code, message, {
    hint: refusal === undefined ? said : [said, refusalHint(refusal)].filter((line) => line !== undefined).join('\n'),
    details: refusal === undefined ? undefined : refusalDetails(refusal),
    response: { status, method, url: address, errors },
  })
  return isRetryableStatus(status) ? withAttempts(error, attempts) : error
}

/** Why the registry lets nobody in; a credential that does not allow something is no reason to log in again. */
function refusalIn({ refusal }: RegistryAnswer, code: ErrorCode): CredentialRefusal | undefined {
  if (code === 'unauthorized') return refusal
  return code === 'denied' && refusal?.reason === 'no-credentials' ? refusal : undefined
}

/** Whether a GantryError came from an answer that has this error code of the distribution-spec. */
export function hasRegistryCode(error: GantryError, code: string): boolean {
  return error.response?.errors.some((entry) => entry.code.toUpperCase() === code) ?? false
}

function codeOf({ status, method }: RegistryAnswer, errors: readonly RegistryErrorEntry[]): ErrorCode {
  // A precondition fails on reading when a policy withholds the content, on writing when a tag must not move.
  if (status === 412) return method === 'GET' || method === 'HEAD' ? 'denied' : 'conflict'
  const known = CODE_OF_STATUS[status]
  if (known !== undefined) return known
  const entry = errors.find(({ code }) => code.toUpperCase() in CODE_OF_ENTRY)
  return (entry === undefined ? undefined : CODE_OF_ENTRY[entry.code.toUpperCase()]) ?? 'registry-error'
}

function describe(answer: RegistryAnswer, address: string, errors: readonly RegistryErrorEntry[]): string {
  if (errors.length > 0) return shorten(errors.map(formatEntry).join('; '))
  const reason = STATUS_CODES[answer.status]
  return `${answer.method} "${address}": response status code ${answer.status}${reason === undefined ? '' : `: ${reason}`}`
}

function formatEntry({ code, message, detail }: RegistryErrorEntry): string {
  const parts = [
    ...(code === '' ? [] : [code.toLowerCase().replaceAll('_', ' ')]),
    ...(message === undefined || message === '' ? [] : [message]),
  ]
  const details = formatDetail(detail)
  if (parts.length > 1 && details !== '') parts.push(details)
  return parts.join(': ')
}

/** What a registry adds to an error, for people: `name: nosuch`, a list with commas; empty when it says nothing. */
function formatDetail(detail: unknown): string {
  if (detail === undefined || detail === null) return ''
  if (typeof detail === 'string') return detail
  if (Array.isArray(detail)) return detail.map(formatDetail).filter(Boolean).join('; ')
  if (!isJsonObject(detail)) return JSON.stringify(detail)
  const members = Object.keys(detail).sort()
  return members
    .map((name) => [name, formatMember(detail[name])])
    .filter(([, text]) => text !== '')
    .map(([name, text]) => `${name}: ${text}`)
    .join(', ')
}

function formatMember(value: unknown): string {
  if (typeof value === 'string') return value
  const isSaying =
    value !== undefined && value !== null && !(typeof value === 'object' && Object.keys(value).length === 0)
  return isSaying ? JSON.stringify(value) : ''
}

/** Rate limits and token services often explain themselves in plain text. */
function hintFrom(answer: RegistryAnswer, text: string, errors: readonly RegistryErrorEntry[]): string | undefined {
  const type = (answer.header('content-type') ?? '').toLowerCase()
  // Servers that do not understand a request often leave the type out.
  const isPlain = type.startsWith('text/plain') || (type === '' && !/^\s*[<{[]/.test(text))
  const shown = shorten(shownText(answer, text.replace(/\s+/g, ' ').trim()))
  return isPlain && errors.length === 0 && shown !== '' ? `the registry says: ${shown}` : undefined
}

function shorten(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}

/** Makes text fit to be shown. */
type Clean = (text: string) => string

function parseErrors(text: string, clean: Clean): readonly RegistryErrorEntry[] {
  const json = text.trimStart().startsWith('{&') ? unescapeHtml(text) : text
  let document: unknown
  try {
    document = parseJson(Buffer.from(json), 'error')
  } catch {
    // Not JSON: a proxy's page, plain text or nothing at all.
    return []
  }
  if (!isJsonObject(document)) return []
  if (Array.isArray(document.errors)) return document.errors.flatMap((entry) => parseEntry(entry, clean))
  if (isJsonObject(document.errors)) return parseEntry(document.errors, clean)
  if (typeof document.details === 'string' && document.code === undefined) return parseEntry(document.details, clean)
  return parseEntry(document, clean)
}

function parseEntry(entry: unknown, clean: Clean): RegistryErrorEntry[] {
  if (typeof entry === 'string') return entry === '' ? [] : [{ code: '', message: clean(entry) }]
  if (!isJsonObject(entry)) return []
  const { code, message, detail } = entry
  const hasCode = typeof code === 'string' || typeof code === 'number'
  if (!hasCode && typeof message !== 'string') return []
  return [
    {
      code: hasCode ? clean(String(code)) : '',
      message: typeof message === 'string' ? clean(message) : undefined,
      detail: detail === undefined ? undefined : withoutSecrets(detail, clean),
    },
  ]
}

/** Some registries quote the request in the details, with what it was authorised by. */
function withoutSecrets(value: unknown, clean: Clean): unknown {
  if (typeof value === 'string') return clean(value)
  if (Array.isArray(value)) return value.map((entry) => withoutSecrets(entry, clean))
  if (!isJsonObject(value)) return value
  const copy = Object.create(null) as JsonObject
  for (const [name, member] of Object.entries(value)) {
    copy[clean(name)] = isSecretName(name) ? REDACTED : withoutSecrets(member, clean)
  }
  return copy
}

function unescapeHtml(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#34;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
