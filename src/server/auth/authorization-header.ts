/** What an Authorization header holds. */
export type Authorization =
  | { readonly scheme: 'none' }
  | { readonly scheme: 'basic'; readonly username: string; readonly password: string }
  | { readonly scheme: 'bearer'; readonly token: string }
  | { readonly scheme: 'other' }

/** Reads an Authorization header (RFC 7617, RFC 6750); what is malformed is `other`. */
export function parseAuthorization(header: string | undefined): Authorization {
  if (header === undefined) return { scheme: 'none' }
  const space = header.indexOf(' ')
  const scheme = header.slice(0, space).toLowerCase()
  const value = header.slice(space + 1).trim()
  if (scheme === 'bearer') return { scheme, token: value }
  if (scheme !== 'basic') return { scheme: 'other' }
  const text = Buffer.from(value, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 1) return { scheme: 'other' }
  return { scheme, username: text.slice(0, colon), password: text.slice(colon + 1) }
}
