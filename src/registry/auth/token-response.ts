import { GantryError } from '../../errors.js'
import { parseJsonObject } from '../../util/json.js'

/** Bytes that the answer of a token service may have. */
export const MAX_TOKEN_RESPONSE_SIZE = 1024 * 1024
/** Seconds that a token is taken to be good for at least, and when nothing is said (distribution, token documentation). */
const MIN_LIFETIME = 60
/** Seconds beyond which a lifetime is not believed. */
const MAX_LIFETIME = 30 * 24 * 3600
/** The part of its lifetime after which a token is renewed. */
const RENEWAL = 0.8

/** A token and how long it is used. */
export interface Token {
  readonly value: string
  /** Milliseconds from now until it is renewed. */
  readonly usableFor: number
}

/**
 * Parses the answer of a token service.
 * @param now milliseconds since 1970
 * @throws GantryError `invalid-content` when there is no token in it; the message quotes nothing
 */
export function parseToken(bytes: Uint8Array, what: string, now: number): Token {
  const body = parseJsonObject(bytes, what)
  // Some services send an empty one beside the real one.
  const value = [body.token, body.access_token].find((token) => typeof token === 'string' && token !== '')
  if (typeof value !== 'string') throw new GantryError('invalid-content', `${what} holds no token`)
  // It becomes part of a header.
  if (!/^[\x21-\x7e]+$/.test(value))
    throw new GantryError('invalid-content', `${what} holds a token with odd characters`)
  const lifetime = lifetimeOf(body.expires_in)
  return { value, usableFor: Math.floor((lifetime * RENEWAL - ageOf(body.issued_at, lifetime, now)) * 1000) }
}

function lifetimeOf(seconds: unknown): number {
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return MIN_LIFETIME
  return Math.min(Math.max(seconds, MIN_LIFETIME), MAX_LIFETIME)
}

/** Seconds since the token was issued; none when the two clocks do not agree well enough to tell. */
function ageOf(issuedAt: unknown, lifetime: number, now: number): number {
  const issued = typeof issuedAt === 'string' ? Date.parse(issuedAt) : Number.NaN
  const age = (now - issued) / 1000
  return Number.isFinite(age) && age > 0 && age < lifetime * RENEWAL ? age : 0
}
