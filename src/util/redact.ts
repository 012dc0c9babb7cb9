/** Query keys whose values may be shown; every other value could be a signature or a token. */
const SHOWN_QUERY_KEYS = new Set([
  'scope',
  'service',
  'account',
  'mount',
  'from',
  'digest',
  'n',
  'last',
  'artifactType',
])

const URL_IN_TEXT = /\bhttps?:\/\/[^\s"'<>]+/gi
const AUTHORIZATION =
  /\b(basic|bearer)[ \t]+(?!(?:authentication|authorization|challenges?|credentials?)\b)[A-Za-z0-9+/=._~-]{8,}/gi

const SECRET_NAME = /token|secret|password|auth|cookie|api-?key|credential|signature/i

/** What stands in the place of a secret. */
export const REDACTED = '*****'

/** Whether what goes by this name, of a header or in a document, could be a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name)
}

/**
 * The address without user information, without the value of any query parameter that is not known to be harmless, and
 * without a fragment.
 */
export function redactUrl(url: string): string {
  const withoutUser = url.replace(/^(https?:\/\/)[^/?#]*@/i, `$1${REDACTED}@`).replace(/#.*$/s, `#${REDACTED}`)
  const queryStart = withoutUser.indexOf('?')
  if (queryStart === -1) return withoutUser
  const query = withoutUser
    .slice(queryStart + 1)
    .split('&')
    .map((pair) => {
      const equals = pair.indexOf('=')
      if (equals === -1) return pair
      return SHOWN_QUERY_KEYS.has(pair.slice(0, equals)) ? pair : `${pair.slice(0, equals)}=${REDACTED}`
    })
  return `${withoutUser.slice(0, queryStart)}?${query.join('&')}`
}

/** Text without the secrets that addresses and authorization headers in it may carry. */
export function redactSecrets(text: string): string {
  return text.replace(URL_IN_TEXT, (url) => redactUrl(url)).replace(AUTHORIZATION, `$1 ${REDACTED}`)
}
