import { OPEN_ACCESS, type Permission } from './access.js'
import type { AuthenticationOptions, Authenticator } from './authenticator.js'
import { BasicAuthenticator } from './basic.js'
import { BearerAuthenticator } from './bearer.js'
import { parseHtpasswd } from './htpasswd.js'
import { PasswordFile } from './password-file.js'

/**
 * Makes the authenticator that the options ask for; without any, everything is allowed.
 * @throws GantryError `invalid-argument` for a malformed htpasswd text
 */
export function createAuthenticator(options: AuthenticationOptions | undefined): Authenticator {
  if (options === undefined) return { authorize: () => Promise.resolve(OPEN_ACCESS) }
  const {
    type,
    users = {},
    htpasswd = '',
    anonymousPull = false,
    allow = (username: string | undefined, permission: Permission): boolean =>
      username !== undefined || (anonymousPull && permission.action === 'pull'),
    realm = 'gantry registry',
  } = options
  const passwords = new PasswordFile(users, parseHtpasswd(htpasswd))
  return type === 'basic'
    ? new BasicAuthenticator(passwords, allow, realm)
    : new BearerAuthenticator(passwords, allow, options)
}
