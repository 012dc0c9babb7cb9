import { SecretMask } from '../../util/redact.js'
import type { RegistryAnswer, RequestBody } from './transport.js'

/** Secrets that are remembered: a long copy gets a token for each repository. */
const MAX_SECRETS = 1000
const FORM = 'application/x-www-form-urlencoded'
/** Members of a form that are secrets (RFC 6749). */
const SECRET_MEMBERS = ['refresh_token', 'password', 'client_secret', 'access_token']

/** What of a request can hold a secret. */
export interface SentRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly body?: RequestBody
}

/**
 * Every secret that a transport has sent, and the one mask for what comes back. A registry, a token service or a proxy
 * may repeat what it was sent, in an error, a warning, a header or an address; nothing of it is shown without this mask.
 */
export class SentSecrets {
  readonly #mask = new SecretMask([], MAX_SECRETS)
  #lastAuthorization: string | undefined

  /** @param userHeaders headers of the user, whose values all count as secrets */
  constructor(userHeaders: Readonly<Record<string, string>> = {}) {
    for (const value of Object.values(userHeaders)) this.#noteValue(value)
  }

  /** Takes note of what a request carries. */
  note({ headers, body }: SentRequest): void {
    this.noteAuthorization(headers.authorization)
    if (headers['content-type'] !== FORM || !(body?.content instanceof Uint8Array)) return
    const form = new URLSearchParams(Buffer.from(body.content).toString())
    for (const name of SECRET_MEMBERS) this.#mask.add(form.get(name) ?? '')
  }

  /** Takes note of the value of `Authorization` or `Proxy-Authorization`: whole, its token, and its password. */
  noteAuthorization(value: string | undefined): void {
    if (value === undefined || value === this.#lastAuthorization) return
    this.#lastAuthorization = value
    this.#noteValue(value)
  }

  /**
   * Text from outside as it may be shown. Words of our own are not for it: a password that is one of them must not be
   * told from what is missing.
   */
  shown(text: string): string {
    return this.#mask.mask(text)
  }

  #noteValue(value: string): void {
    this.#mask.add(value)
    const [, scheme = '', rest = ''] = /^\s*(basic|bearer)\s+(\S+)\s*$/i.exec(value) ?? []
    this.#mask.add(rest)
    if (scheme.toLowerCase() !== 'basic') return
    const user = Buffer.from(rest, 'base64').toString()
    const colon = user.indexOf(':')
    if (colon === -1) return
    this.#mask.add(user)
    this.#mask.add(user.slice(colon + 1))
  }
}

/** Text of an answer as it may be shown. */
export function shownText({ shown }: RegistryAnswer, text: string): string {
  return shown === undefined ? text : shown(text)
}
