import type { Credential, CredentialLookup } from './credential.js'
import type { Scope } from './scope.js'
import type { Holder } from './token-cache.js'

/** A credential with the number under which its tokens are kept; anonymous is one as well. */
export interface KnownCredential {
  readonly credential: Credential | undefined
  readonly holder: Holder
}

/** Looks credentials up once for each repository, and tells equal ones from different ones. */
export class CredentialKeeper {
  readonly #registry: string
  readonly #lookup: CredentialLookup | undefined
  readonly #found = new Map<string, Promise<KnownCredential>>()
  readonly #distinct: (Credential | undefined)[] = []

  constructor(registry: string, lookup: CredentialLookup | undefined) {
    this.#registry = registry
    this.#lookup = lookup
  }

  /**
   * The credential for the first repository among the scopes.
   * @throws GantryError `credential-store-error`; the next call looks again
   */
  async find(scopes: readonly Scope[]): Promise<KnownCredential> {
    const repository = scopes.find(({ type }) => type === 'repository')?.name
    const key = repository ?? ''
    const known = this.#found.get(key)
    if (known !== undefined) return known
    const looking = this.#look(repository)
    this.#found.set(key, looking)
    looking.catch(() => this.#found.delete(key))
    return looking
  }

  async #look(repository: string | undefined): Promise<KnownCredential> {
    const scope = { registry: this.#registry, ...(repository === undefined ? {} : { repository }) }
    const credential = await this.#lookup?.(scope)
    const index = this.#distinct.findIndex((other) => isSame(credential, other))
    if (index !== -1) return { credential, holder: index }
    return { credential, holder: this.#distinct.push(credential) - 1 }
  }
}

function isSame(one: Credential | undefined, other: Credential | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  if (one.type === 'basic') {
    return other.type === 'basic' && one.username === other.username && one.password === other.password
  }
  return other.type === one.type && one.token === other.token
}
