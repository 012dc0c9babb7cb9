import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import { isGantryError } from '../../errors.js'
import { parseJsonObject, type JsonObject } from '../../util/json.js'

const HEADER = encode({ alg: 'HS256', typ: 'JWT' })

/** Longest token that is looked at, in characters. */
const MAX_LENGTH = 16 * 1024

/** Signs and checks JSON Web Tokens (RFC 7519) with HMAC-SHA-256, for one audience. */
export class TokenSigner {
  readonly #key: Uint8Array
  readonly #audience: string

  constructor(key: Uint8Array, audience: string) {
    this.#key = key
    this.#audience = audience
  }

  /** @param lifetime in seconds */
  sign(claims: JsonObject, lifetime: number): string {
    const now = Math.floor(Date.now() / 1000)
    const payload = encode({
      ...claims,
      iss: this.#audience,
      aud: this.#audience,
      jti: randomUUID(),
      iat: now,
      nbf: now - 10,
      exp: now + lifetime,
    })
    return `${HEADER}.${payload}.${this.#signatureOf(payload).toString('base64url')}`
  }

  /** The claims of a token that this signer made and that has not expired; undefined for any other. */
  verify(token: string): JsonObject | undefined {
    const [header, payload, signature, ...more] = token.length > MAX_LENGTH ? [] : token.split('.')
    // The header is compared as a whole: a token cannot choose how it is checked.
    if (header !== HEADER || payload === undefined || signature === undefined || more.length > 0) return undefined
    const given = Buffer.from(signature, 'base64url')
    const own = this.#signatureOf(payload)
    if (given.byteLength !== own.byteLength || !timingSafeEqual(given, own)) return undefined
    const claims = decode(payload)
    const now = Date.now() / 1000
    const isCurrent = typeof claims?.exp === 'number' && claims.exp > now && claims.aud === this.#audience
    return isCurrent ? claims : undefined
  }

  #signatureOf(payload: string): Buffer {
    return createHmac('sha256', this.#key).update(`${HEADER}.${payload}`).digest()
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(payload: string): JsonObject | undefined {
  try {
    return parseJsonObject(Buffer.from(payload, 'base64url'), 'the token')
  } catch (error) {
    if (isGantryError(error)) return undefined
    throw error
  }
}
