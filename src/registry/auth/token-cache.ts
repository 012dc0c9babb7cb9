import type { ScopeSet } from './scope-set.js'
import type { Token } from './token-response.js'

/** A token that has been got, for whom and for what. */
export interface CachedToken {
  readonly value: string
  readonly scopes: ScopeSet
  readonly usableUntil: number
}

/** Who asks: the number of a credential; tokens of one are never given to another. */
export type Holder = number

/** Keeps tokens until they are to be renewed; all who want the same one at once share one request for it. */
export class TokenCache {
  readonly #now: () => number
  readonly #tokens = new Map<Holder, CachedToken[]>()
  readonly #requests = new Map<string, Promise<CachedToken>>()

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now
  }

  /**
   * A token that allows everything in `scopes`: one that is there, one that is on its way, or a new one.
   * @param request gets a new token; its failure is not remembered
   */
  async get(holder: Holder, scopes: ScopeSet, request: () => Promise<Token>): Promise<CachedToken> {
    const known = this.#find(holder, scopes)
    if (known !== undefined) return known
    const key = `${holder} ${scopes.key}`
    const running = this.#requests.get(key)
    if (running !== undefined) return running
    const started = this.#request(holder, scopes, request)
    this.#requests.set(key, started)
    try {
      return await started
    } finally {
      this.#requests.delete(key)
    }
  }

  /** Forgets a token that was refused. */
  drop(token: CachedToken): void {
    for (const [holder, tokens] of this.#tokens) {
      this.#tokens.set(
        holder,
        tokens.filter((known) => known !== token),
      )
    }
  }

  #find(holder: Holder, scopes: ScopeSet): CachedToken | undefined {
    const now = this.#now()
    const usable = (this.#tokens.get(holder) ?? []).filter(({ usableUntil }) => now < usableUntil)
    return (
      usable.find((token) => token.scopes.key === scopes.key) ?? usable.find((token) => token.scopes.covers(scopes))
    )
  }

  async #request(holder: Holder, scopes: ScopeSet, request: () => Promise<Token>): Promise<CachedToken> {
    // Counted from the moment of asking: the way of the answer is part of the token's life.
    const start = this.#now()
    const { value, usableFor } = await request()
    const token = { value, scopes, usableUntil: start + usableFor }
    const others = (this.#tokens.get(holder) ?? []).filter((known) => {
      return known.scopes.key !== scopes.key && start < known.usableUntil
    })
    this.#tokens.set(holder, [...others, token])
    return token
  }
}
