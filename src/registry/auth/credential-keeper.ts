import { checkCredential, type Credential, type CredentialLookup, type FoundCredential } from './credential.js'
import type { CredentialRefusal } from './refused-credentials.js'
import type { Scope } from './scope.js'
import type { Holder } from './token-cache.js'

/** A credential with the number under which its tokens are kept; anonymous is one as well. */
export interface KnownCredential extends FoundCredential {
  readonly holder: Holder
  /** The repository that it was looked up for; empty for the registry itself. */
  readonly repository: string
  /** What to say when the registry refuses it. */
  readonly refusal: CredentialRefusal
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
    const key = repositoryIn(scopes)
    const known = this.#found.get(key)
    if (known !== undefined) return known
    const looking = this.#look(key)
    this.#found.set(key, looking)
    looking.catch(() => this.#found.delete(key))
    return looking
  }

  /** What {@link find} has found before; undefined where nobody has asked for it. */
  async known(scopes: readonly Scope[]): Promise<KnownCredential | undefined> {
    return this.#found.get(repositoryIn(scopes))
  }

  /** Goes on anonymously where a guess was refused; the refusal stays the one of the guess. */
  giveUp({ repository, refusal, origins }: KnownCredential): KnownCredential {
    const anonymous: KnownCredential = {
      credential: undefined,
      holder: this.#holderOf(undefined),
      isGuess: false,
      repository,
      origins,
      refusal,
    }
    this.#found.set(repository, Promise.resolve(anonymous))
    return anonymous
  }

  async #look(repository: string): Promise<KnownCredential> {
    const found = await this.#explain(repository)
    const { credential, origins } = found
    if (credential !== undefined) checkCredential(credential)
    const reason = credential === undefined ? 'no-credentials' : 'refused-credentials'
    const refusal = { reason, host: this.#registry, origins } as const
    return { ...found, repository, holder: this.#holderOf(credential), refusal }
  }

  async #explain(repository: string): Promise<FoundCredential> {
    const lookup = this.#lookup
    const scope = { registry: this.#registry, repository: repository === '' ? undefined : repository }
    if (lookup?.explain !== undefined) return lookup.explain(scope)
    return { credential: await lookup?.(scope), origins: [], isGuess: false }
  }

  #holderOf(credential: Credential | undefined): Holder {
    const index = this.#distinct.findIndex((other) => isSame(credential, other))
    return index === -1 ? this.#distinct.push(credential) - 1 : index
  }
}

function repositoryIn(scopes: readonly Scope[]): string {
  return scopes.find(({ type }) => type === 'repository')?.name ?? ''
}

function isSame(one: Credential | undefined, other: Credential | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  if (one.type === 'basic') {
    return other.type === 'basic' && one.username === other.username && one.password === other.password
  }
  return other.type === one.type && one.token === other.token
}
