import { GantryError } from '../../errors.js'

/** Longest `WWW-Authenticate` that is looked at, in characters. */
const MAX_LENGTH = 64 * 1024

/** One challenge of a 401 (RFC 9110, section 11.6.1). */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string
  /** Names in lower case; of a name that comes twice the first value. */
  readonly parameters: Readonly<Record<string, string | undefined>>
}

/**
 * Parses every challenge of an answer, whether they come in several headers or in one, quoted or bare. What cannot be
 * understood is skipped; runs in linear time whatever the input.
 * @param values every `WWW-Authenticate` header
 * @throws GantryError `invalid-content` above 64 KiB
 */
export function parseChallenges(values: readonly string[]): Challenge[] {
  const length = values.reduce((sum, value) => sum + value.length, 0)
  if (length > MAX_LENGTH) {
    throw new GantryError('invalid-content', `authentication challenge is longer than ${MAX_LENGTH} characters`)
  }
  return values.flatMap((value) => new ChallengeReader(value).readAll())
}

interface OpenChallenge extends Challenge {
  readonly parameters: Record<string, string | undefined>
}

/** Reads one header from left to right; every step takes at least one character. */
class ChallengeReader {
  readonly #text: string
  #position = 0

  constructor(text: string) {
    this.#text = text
  }

  readAll(): Challenge[] {
    const challenges: OpenChallenge[] = []
    for (;;) {
      this.#skip((character) => isSpace(character) || character === ',')
      if (this.#position >= this.#text.length) return challenges
      const word = this.#take(isTokenCharacter)
      if (word === '') {
        this.#position++
        continue
      }
      const afterWord = this.#position
      this.#skip(isSpace)
      if (this.#peek() === '=') this.#readValue(word, challenges.at(-1))
      else {
        this.#position = afterWord
        challenges.push({ scheme: word.toLowerCase(), parameters: Object.create(null) as OpenChallenge['parameters'] })
      }
    }
  }

  /** Reads the value behind `=`, and adds it to the challenge that is open. Padding of a token68 ends up as an empty one. */
  #readValue(name: string, challenge: OpenChallenge | undefined): void {
    this.#position++
    this.#skip(isSpace)
    const value =
      this.#peek() === '"' ? this.#readQuoted() : this.#take((character) => !isSpace(character) && character !== ',')
    if (challenge === undefined) return
    challenge.parameters[name.toLowerCase()] ??= value
  }

  #readQuoted(): string {
    const pieces: string[] = []
    let start = ++this.#position
    while (this.#position < this.#text.length && this.#peek() !== '"') {
      if (this.#peek() === '\\') {
        pieces.push(this.#text.slice(start, this.#position))
        start = ++this.#position
      }
      this.#position++
    }
    pieces.push(this.#text.slice(start, this.#position))
    this.#position++
    return pieces.join('')
  }

  #peek(): string {
    return this.#text[this.#position] ?? ''
  }

  #take(belongs: (character: string) => boolean): string {
    const start = this.#position
    this.#skip(belongs)
    return this.#text.slice(start, this.#position)
  }

  #skip(belongs: (character: string) => boolean): void {
    while (this.#position < this.#text.length && belongs(this.#peek())) this.#position++
  }
}

function isSpace(character: string): boolean {
  return character === ' ' || character === '\t'
}

/** Characters of a token, and those that a token68 has besides. */
function isTokenCharacter(character: string): boolean {
  const code = character.charCodeAt(0)
  const isAlphanumeric = (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
  return isAlphanumeric || "!#$%&'*+-.^_`|~/".includes(character)
}

/** What a registry offers to whoever wants in. */
export interface AuthOffer {
  /** A token service; present when its address looks like one. */
  readonly bearer?: BearerOffer
  readonly basic: boolean
  /** Bearer was offered without a usable address. */
  readonly unusableRealm?: string
}

export interface BearerOffer {
  /** Absolute http(s) address, or a path on the registry. */
  readonly realm: string
  readonly service?: string
  /** What the registry wants the token to allow, as it wrote it. */
  readonly scope: string
}

/** Picks out of all challenges what can be answered; undefined when there are none of a known scheme. */
export function offerOf(challenges: readonly Challenge[]): AuthOffer | undefined {
  const bearers = challenges.filter(({ scheme }) => scheme === 'bearer')
  const basic = challenges.some(({ scheme }) => scheme === 'basic')
  if (bearers.length === 0 && !basic) return undefined
  const usable = bearers.find(({ parameters }) => isAddress(parameters.realm ?? ''))
  if (usable === undefined) {
    const [first] = bearers
    return { basic, unusableRealm: first === undefined ? undefined : (first.parameters.realm ?? '') }
  }
  const { realm = '', service, scope = '' } = usable.parameters
  return { basic, bearer: { realm, scope, service: service === undefined || service === '' ? undefined : service } }
}

/** An absolute address, or a path that cannot be read as another host. */
function isAddress(realm: string): boolean {
  return /^https?:\/\//i.test(realm) || /^\/(?![/\\])/.test(realm)
}
