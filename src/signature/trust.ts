import { GantryError } from '../errors.js'
import type { Signature } from './find-signatures.js'
import { isSignedBy, type PublicKey } from './public-key.js'

/** Who has signed something. */
export type Signer =
  | { readonly kind: 'key'; readonly name: string; readonly hint: string }
  | { readonly kind: 'certificate'; readonly identity: string; readonly issuer: string }

/** Somebody whose signatures count. */
export interface Trust {
  /** What people call it: the file of a key, an identity. */
  readonly name: string
  /**
   * Finds out whether a signature is one of theirs.
   * @throws GantryError `invalid-content` that says why it is not
   */
  verify(signature: Signature): Promise<Signer> | Signer
}

/**
 * Trust in a key. No log is asked and no certificate looked at: as `cosign verify --key … --insecure-ignore-tlog`.
 * @example
 * const trust = trustKey(parsePublicKey(pem, 'cosign.pub'))
 */
export function trustKey(key: PublicKey): Trust {
  return {
    name: key.name,
    verify({ signedBytes, signature }) {
      if (isSignedBy(key, signedBytes, signature)) return { kind: 'key', name: key.name, hint: key.hint }
      throw new GantryError('invalid-content', `not signed with ${key.name}`)
    },
  }
}
