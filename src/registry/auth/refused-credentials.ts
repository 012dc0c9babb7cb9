import type { ErrorDetails } from '../../errors.js'

/** Why a registry lets nobody in: nothing was found to log in with, or what was found was refused. */
export interface CredentialRefusal {
  readonly reason: 'no-credentials' | 'refused-credentials'
  /** The registry as in references. */
  readonly host: string
  /** Where the refused credential came from, or the places where nothing was found. */
  readonly origins: readonly string[]
}

/** The end of a message about a request that was not authorised. */
export function describeRefusal({ reason, host }: CredentialRefusal): string {
  return reason === 'no-credentials'
    ? `no credentials for ${host} were found`
    : `the credentials for ${host} were refused`
}

/** Advice for a request that was not authorised: where to log in, and which places matter. */
export function refusalHint({ reason, host, origins }: CredentialRefusal): string {
  const places = listOf(origins)
  if (reason === 'no-credentials') {
    return `Log in with: gantry login ${host}${places === '' ? '' : `\nNothing was found in ${places}.`}`
  }
  // Without an origin the caller has given them, and knows where to look.
  if (places === '') return 'check user and password'
  return `The refused credentials come from ${places}. Correct them there, or log in with: gantry login ${host}`
}

/** The facts about a refusal for programs. */
export function refusalDetails(refusal: CredentialRefusal): ErrorDetails {
  const { reason, host, origins } = refusal
  return { reason, host, origins }
}

function listOf(origins: readonly string[]): string {
  const last = origins.at(-1) ?? ''
  return origins.length < 2 ? last : `${origins.slice(0, -1).join(', ')} and ${last}`
}
