import type { IncomingMessage } from 'node:http'
import { Refusal } from '../refusal.js'
import type { Access, Permission } from './access.js'
import type { Authenticator, Policy } from './authenticator.js'
import { parseAuthorization } from './authorization-header.js'
import type { PasswordFile } from './password-file.js'

/** User name and password in each request (RFC 7617). */
export class BasicAuthenticator implements Authenticator {
  readonly #passwords: PasswordFile
  readonly #allow: Policy
  readonly #challenge: Readonly<Record<string, string>>

  constructor(passwords: PasswordFile, allow: Policy, realm: string) {
    this.#passwords = passwords
    this.#allow = allow
    this.#challenge = { 'WWW-Authenticate': `Basic realm="${realm.replace(/["\\\r\n]/g, '')}", charset="UTF-8"` }
  }

  async authorize(request: IncomingMessage, permissions: readonly Permission[]): Promise<Access> {
    const username = await this.#usernameOf(request)
    const isAllowed = permissions.every((permission) => this.#allow(username, permission))
    if (username === undefined && (permissions.length === 0 || !isAllowed)) throw this.#unauthorized()
    if (!isAllowed) throw new Refusal('DENIED', 'the user may not do this')
    return { username, allows: (permission) => this.#allow(username, permission) }
  }

  async #usernameOf(request: IncomingMessage): Promise<string | undefined> {
    const authorization = parseAuthorization(request.headers.authorization)
    if (authorization.scheme === 'none') return undefined
    if (authorization.scheme !== 'basic') throw this.#unauthorized()
    const { username, password } = authorization
    if (!(await this.#passwords.check(username, password))) throw this.#unauthorized()
    return username
  }

  #unauthorized(): Refusal {
    return new Refusal('UNAUTHORIZED', 'authentication required', { headers: this.#challenge })
  }
}
