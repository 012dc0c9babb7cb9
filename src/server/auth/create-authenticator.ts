import { OPEN_ACCESS } from './access.js'
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
  const passwords = new PasswordFile(options.users ?? {}, parseHtpasswd(options.htpasswd ?? ''))
  const allow =
    options.allow ??
    ((username, permission) =>
      username !== undefined || (options.anonymousPull === true && permission.action === 'pull'))
  return options.type === 'basic'
    ? new BasicAuthenticator(passwords, allow, options.realm ?? 'gantry registry')
    : new BearerAuthenticator(passwords, allow, options)
}
