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
 * Text without secrets that are known, in whichever form it repeats them: as they are, percent-encoded, in base64, in
 * JSON and in HTML.
 */
export function maskSecrets(text: string, secrets: readonly string[]): string {
  return new SecretMask(secrets).mask(text)
}

/** Secrets of one or two characters stay in texts, as leaving them out would only mangle them. */
const MIN_SECRET = 3
/** Base64 of a secret inside of something longer is looked for from this length on, in characters. */
const MIN_ALIGNED = 8

/** Secrets that are known, and how to find them in a text. */
export class SecretMask {
  /** The patterns of each secret; made when a text is looked through for the first time. */
  readonly #patterns = new Map<string, readonly RegExp[] | undefined>()
  readonly #most: number
  #sorted: readonly string[] | undefined

  /** @param most secrets that are remembered; beyond them those are forgotten that were added first */
  constructor(secrets: Iterable<string> = [], most = Infinity) {
    this.#most = most
    for (const secret of secrets) this.add(secret)
  }

  add(secret: string): void {
    if (secret.length < MIN_SECRET || this.#patterns.has(secret)) return
    this.#patterns.set(secret, undefined)
    this.#sorted = undefined
    const [oldest] = this.#patterns.keys()
    if (this.#patterns.size > this.#most && oldest !== undefined) this.#patterns.delete(oldest)
  }

  /** The text with every secret, in any form, replaced. */
  mask(text: string): string {
    if (text.length < MIN_SECRET) return text
    // The longest first: one secret may be a part of another.
    this.#sorted ??= [...this.#patterns.keys()].sort((one, other) => other.length - one.length)
    return this.#sorted.reduce((rest, secret) => {
      const patterns = this.#patterns.get(secret) ?? patternsOf(secret)
      this.#patterns.set(secret, patterns)
      return patterns.reduce((masked, pattern) => masked.replace(pattern, REDACTED), rest)
    }, text)
  }
}

/** Of any case: host names and media types are put into lower case. */
function patternsOf(secret: string): readonly RegExp[] {
  const bytes = Buffer.from(secret)
  const whole = bytes.toString('base64')
  // Inside of something longer the secret may begin at any of three places of a group; its edges depend on the rest.
  const inner = [0, 1, 2].map((offset) => {
    const base64 = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
    return base64.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6))
  })
  const encoded = [whole, ...inner.filter((text) => text.length >= MIN_ALIGNED)]
  return [
    new RegExp(
      secret.replace(ESCAPED_OR_OTHER, (part) => patternOfPart(part)),
      'gi',
    ),
    new RegExp([...new Set(encoded)].map((text) => Array.from(text, patternOfBase64).join('')).join('|'), 'gi'),
  ]
}

const UNRESERVED = /[A-Za-z0-9_~-]/
const HTML: Readonly<Record<string, string>> = { '&': 'amp', '"': 'quot', "'": 'apos', '<': 'lt', '>': 'gt' }

/** Parts of a reference to a character in HTML, which may stand in an address. */
const AMPERSAND = '(?:&|%(?:25)*26)'
const HASH = `${AMPERSAND}(?:#|%(?:25)*23)`
const SEMICOLON = '(?:;|%(?:25)*3b)'

/** Backslashes with what may stand behind one in JSON, or any other character. */
const ESCAPED_OR_OTHER = /\\*["/]|\\+|[^\\]/gsu

/** One escaped text may stand in another one, so backslashes become more; bounded, as texts may be full of them. */
function patternOfPart(part: string): string {
  const count = part.length - part.replace(/^\\+/, '').length
  const last = part.slice(count)
  if (count === 0 && !'"/'.includes(last)) return patternOfCharacter(last)
  const backslashes = `${patternOfCharacter('\\')}{${count},${4 * count + 3}}`
  return last === '' ? backslashes : `${backslashes}${patternOfCharacter(last)}`
}

/** A character as it is, or in one of the encodings of addresses, JSON and HTML. */
function patternOfCharacter(character: string): string {
  if (UNRESERVED.test(character)) return character
  const code = character.codePointAt(0) ?? 0
  const percent = Array.from(Buffer.from(character), (byte) => `%(?:25)*${byte.toString(16).padStart(2, '0')}`)
  const json = Array.from({ length: character.length }, (_, index) => {
    return `(?:\\\\|%(?:25)*5c){1,7}u${character.charCodeAt(index).toString(16).padStart(4, '0')}`
  })
  const html = [`${HASH}0*${code}${SEMICOLON}`, `${HASH}x0*${code.toString(16)}${SEMICOLON}`]
  const name = HTML[character]
  if (name !== undefined) html.push(`${AMPERSAND}${name}${SEMICOLON}`)
  const plain = code > 0xffff ? character : `\\u${code.toString(16).padStart(4, '0')}`
  const any = [plain, percent.join(''), json.join(''), ...html, ...(character === ' ' ? ['\\+'] : [])]
  return `(?:${any.join('|')})`
}

/** A character of base64, of either alphabet, percent-encoded or not. */
function patternOfBase64(character: string): string {
  if (character === '+') return `(?:[+-]|%(?:25)*2b)`
  if (character === '/') return `(?:\\\\?[/_]|%(?:25)*2f)`
  if (character === '=') return `(?:=|%(?:25)*3d)?`
  return character
}
