import { GantryError } from '../../errors.js'
import { requireObject } from '../../util/require-kind.js'

/** What is known to a registry's origin. */
export type Credential =
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, `identitytoken` in Docker's config. */
  | { readonly type: 'identity-token'; readonly token: string }
  /** A bearer token that is sent as it is, `registrytoken` in Docker's config. */
  | { readonly type: 'registry-token'; readonly token: string }

const TYPES: ReadonlySet<string> = new Set<Credential['type']>(['basic', 'identity-token', 'registry-token'])

/**
 * Refuses a credential that no request can carry.
 * @throws GantryError `invalid-argument` for a user name with a colon (RFC 7617, section 2)
 */
export function checkCredential(credential: Credential): void {
  requireObject('a credential', credential)
  const secrets = credential.type === 'basic' ? [credential.username, credential.password] : [credential.token]
  if (!TYPES.has(credential.type) || secrets.some((secret) => typeof secret !== 'string')) {
    throw new GantryError(
      'invalid-argument',
      `a credential has a type (${[...TYPES].join(', ')}) and what belongs to it`,
    )
  }
  if (credential.type !== 'basic' || !credential.username.includes(':')) return
  throw new GantryError('invalid-argument', 'the user name must not contain a colon', {
    hint: 'A password is given by itself, such as on standard input.',
  })
}

/** Where a credential is wanted: the host with its port as in references, and the repository where there is one. */
export interface CredentialScope {
  readonly registry: string
  readonly repository?: string | undefined
}

/** What a lookup found, with what people need to know when the registry refuses it. */
export interface FoundCredential {
  /** Undefined means anonymous. */
  readonly credential: Credential | undefined
  /** The file, helper or variable that the credential comes from; for an anonymous one, the places that were looked at. */
  readonly origins: readonly string[]
  /**
   * Nobody has stored the credential for registries: a variable offered it, which may mean it for something else. When it
   * is refused, the request is made anonymously.
   */
  readonly isGuess: boolean
}

/**
 * Looks up the credential for a registry; undefined means anonymous.
 * @throws GantryError `credential-store-error` when a store or helper fails, which is never "anonymous"
 */
export interface CredentialLookup {
  (scope: CredentialScope): Promise<Credential | undefined>
  /** The same with where the credential was found; without it, errors cannot say that. */
  readonly explain?: ((scope: CredentialScope) => Promise<FoundCredential>) | undefined
}
