import { GantryError } from '../../errors.js'
import type { RegistryRequest } from './transport.js'

/** Headers that describe the message itself, and would break it if they came from outside. */
const FORBIDDEN = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'expect',
])
/** Headers that only the registry may see, should a caller set them. */
const SECRET = new Set(['authorization', 'proxy-authorization', 'cookie'])
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/**
 * Checks headers that the user wants to send.
 * @returns the same with names in lower case
 * @throws GantryError `invalid-argument` for names and values that are no header, and for names that are not for users
 */
export function checkUserHeaders(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  const checked: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase()
    if (!NAME.test(name)) throw new GantryError('invalid-argument', `header name "${name}" is not valid`)
    if (FORBIDDEN.has(key)) throw new GantryError('invalid-argument', `header ${name} cannot be set`)
    // The value may be a secret, so it is not quoted.
    if (!isHeaderValue(value)) throw new GantryError('invalid-argument', `value of header ${name} is not valid`)
    checked[key] = value
  }
  return checked
}

/** Printable Latin-1 and tab, without anything that would end the header. */
function isHeaderValue(value: string): boolean {
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index)
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false
  }
  return true
}

/** Headers of a request that any host may see, with names in lower case. */
export function publicHeadersOf(request: RegistryRequest, userAgent: string): Record<string, string> {
  // Whatever is encoded on the way has another digest than what was asked for.
  const headers: Record<string, string> = { 'user-agent': userAgent, 'accept-encoding': 'identity' }
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    const key = name.toLowerCase()
    if (value !== undefined && !SECRET.has(key)) headers[key] = value
  }
  const { body } = request
  if (body !== undefined) headers['content-type'] = body.contentType
  if (body?.size !== undefined) headers['content-length'] = String(body.size)
  return headers
}
