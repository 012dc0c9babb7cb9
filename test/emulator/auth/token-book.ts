import { randomBytes } from 'node:crypto'
import type { VirtualTime } from '../virtual-time.js'
import type { TokenSwitches } from './auth-switches.js'

/** Whether a token allows an action on a resource, such as `repository:app`. */
export type Grants = (resource: string, action: string) => boolean

export interface IssuedToken {
  readonly value: string
  readonly username: string | undefined
  readonly allows: Grants
  readonly issuedAt: number
  usesLeft: number
}

/** The tokens that have been handed out, and what they are good for. */
export class TokenBook {
  readonly #time: VirtualTime
  readonly #switches: TokenSwitches
  readonly #tokens = new Map<string, IssuedToken>()

  constructor(time: VirtualTime, switches: TokenSwitches) {
    this.#time = time
    this.#switches = switches
  }

  /** Seconds until a token expires. */
  get lifetime(): number {
    return this.#switches.ttl?.seconds ?? 300
  }

  issue(username: string | undefined, allows: Grants, value = this.#newValue()): IssuedToken {
    const usesLeft = this.#switches.ttl?.requests ?? Number.POSITIVE_INFINITY
    const token = { value, username, allows, issuedAt: this.#time.now(), usesLeft }
    this.#tokens.set(value, token)
    return token
  }

  /** The token if it is good, and counts as used once more. */
  use(value: string): IssuedToken | 'expired' | 'unknown' {
    const token = this.#tokens.get(value)
    if (token === undefined) return 'unknown'
    const isOld = this.#time.now() - token.issuedAt >= this.lifetime * 1000
    if (isOld || token.usesLeft <= 0) return 'expired'
    token.usesLeft--
    return token
  }

  #newValue(): string {
    return randomBytes(Math.ceil((this.#switches.length ?? 40) / 2)).toString('hex')
  }
}

/** Reads `type:name:action,action`; names may hold colons. */
export function parseScope(text: string): { resource: string; actions: readonly string[] } | undefined {
  const last = text.lastIndexOf(':')
  if (last <= text.indexOf(':')) return undefined
  return {
    resource: text.slice(0, last),
    actions: text
      .slice(last + 1)
      .split(',')
      .filter(Boolean),
  }
}
