/** What is known to a registry's origin. */
export type Credential =
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, `identitytoken` in Docker's config. */
  | { readonly type: 'identity-token'; readonly token: string }
  /** A bearer token that is sent as it is, `registrytoken` in Docker's config. */
  | { readonly type: 'registry-token'; readonly token: string }

/** Where a credential is wanted: the host with its port as in references, and the repository where there is one. */
export interface CredentialScope {
  readonly registry: string
  readonly repository?: string
}

/**
 * Looks up the credential for a registry; undefined means anonymous.
 * @throws GantryError `credential-store-error` when a store or helper fails, which is never "anonymous"
 */
export type CredentialLookup = (scope: CredentialScope) => Promise<Credential | undefined>
