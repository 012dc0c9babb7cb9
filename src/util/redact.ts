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

const URL_IN_TEXT = /\b[a-z][a-z0-9+.-]{0,19}:\/\/[^\s"'<>]+/gi
/** With a scheme parsers take any number of slashes, forwards or backwards, and without one two. */
const USER_INFORMATION = /^([a-z][a-z0-9+.-]{0,19}:[/\\]*|[/\\]{2,})[^/\\?#]*@/i
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
  const withoutUser = url.replace(USER_INFORMATION, `$1${REDACTED}@`).replace(/#.*$/s, `#${REDACTED}`)
  const queryStart = withoutUser.indexOf('?')
  if (queryStart === -1) return withoutUser
  const query = withoutUser
    .slice(queryStart + 1)
    .split('&')
    .map((pair) => {
      const equals = pair.indexOf('=')
      // Without a name there is nothing to know it by.
      if (equals === -1) return pair === '' ? pair : REDACTED
      return SHOWN_QUERY_KEYS.has(pair.slice(0, equals)) ? pair : `${pair.slice(0, equals)}=${REDACTED}`
    })
  return `${withoutUser.slice(0, queryStart)}?${query.join('&')}`
}

/** Text without the secrets that addresses and authorization headers in it may carry. */
export function redactSecrets(text: string): string {
  return text.replace(URL_IN_TEXT, (url) => redactUrl(url)).replace(AUTHORIZATION, `$1 ${REDACTED}`)
}

/**
 * Text without secrets that are known, in whichever form it repeats them: as they are, as they stand in addresses and
 * forms, in base64, and in JSON. Secrets of one or two characters stay, as leaving them out would only mangle the text.
 */
export function maskSecrets(text: string, secrets: readonly string[]): string {
  const forms = secrets.filter((secret) => secret.length > 2).flatMap(formsOf)
  // The longest first: one form may be a part of another.
  const sorted = [...new Set(forms)].sort((one, other) => other.length - one.length)
  return sorted.reduce((rest, form) => rest.replaceAll(form, REDACTED), text)
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const base64 = bytes.toString('base64')
  const percent = encodeURIComponent(bytes.toString())
  return [
    secret,
    percent,
    percent.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    new URLSearchParams([['', secret]]).toString().slice(1),
    base64,
    base64.replace(/=+$/, ''),
    encodeURIComponent(base64),
    bytes.toString('base64url'),
    JSON.stringify(secret).slice(1, -1),
  ]
}
