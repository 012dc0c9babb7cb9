import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { isRegistryName } from '../../oci/reference.js'
import type { Exchange } from '../exchange.js'
import { Refusal } from '../refusal.js'
import type { Access, Permission } from './access.js'
import type { AuthenticationOptions, Authenticator, Policy } from './authenticator.js'
import { parseAuthorization } from './authorization-header.js'
import { TokenSigner } from './json-web-token.js'
import type { PasswordFile } from './password-file.js'
import { formatScopes, parseScopes } from './scope.js'
import { TokenEndpoint, TOKEN_PATH } from './token-endpoint.js'

const DEFAULT_SERVICE = 'gantry-registry'
const DEFAULT_LIFETIME = 300

/** Tokens that name what they allow, and the endpoint that hands them out (Docker's token authentication). */
export class BearerAuthenticator implements Authenticator {
  readonly #allow: Policy
  readonly #signer: TokenSigner
  readonly #endpoint: TokenEndpoint
  readonly #service: string
  readonly #tokenUrl: string | undefined

  constructor(passwords: PasswordFile, allow: Policy, options: AuthenticationOptions) {
    const { service = DEFAULT_SERVICE, tokenUrl, tokenLifetime: lifetime = DEFAULT_LIFETIME } = options
    const { signingKey = randomBytes(32) } = options
    this.#allow = allow
    this.#service = service
    this.#tokenUrl = tokenUrl
    this.#signer = new TokenSigner(signingKey, service)
    this.#endpoint = new TokenEndpoint({ passwords, allow, signer: this.#signer }, { service, lifetime })
  }

  async authorize(request: IncomingMessage, permissions: readonly Permission[]): Promise<Access> {
    const authorization = parseAuthorization(request.headers.authorization)
    if (authorization.scheme === 'none') return this.#anonymous(request, permissions)
    const claims = authorization.scheme === 'bearer' ? this.#signer.verify(authorization.token) : undefined
    if (claims?.use !== 'access') throw this.#unauthorized(request, permissions, 'invalid_token')
    const username = typeof claims.sub === 'string' ? claims.sub : undefined
    const granted = new Set(parseScopes(typeof claims.scope === 'string' ? claims.scope : '').map(keyOf))
    const access: Access = {
      username,
      allows: (permission) => granted.has(keyOf(permission)),
      askFor: (wanted) =>
        wanted.every((permission) => this.#allow(username, permission))
          ? this.#unauthorized(request, wanted, 'insufficient_scope')
          : undefined,
    }
    // Clients ask for the base path to learn whether somebody is logged in.
    const isLoggedOut = permissions.length === 0 && username === undefined
    if (isLoggedOut || !permissions.every((permission) => access.allows(permission))) {
      throw this.#unauthorized(request, permissions, 'insufficient_scope')
    }
    return access
  }

  async answerTokenRequest(exchange: Exchange): Promise<boolean> {
    if (exchange.path !== TOKEN_PATH) return false
    await this.#endpoint.answer(exchange)
    return true
  }

  #anonymous(request: IncomingMessage, permissions: readonly Permission[]): Access {
    const allows = (permission: Permission): boolean => this.#allow(undefined, permission)
    // The base path is where clients learn how to log in.
    if (permissions.length === 0 || !permissions.every(allows)) throw this.#unauthorized(request, permissions)
    return { username: undefined, allows }
  }

  #unauthorized(request: IncomingMessage, permissions: readonly Permission[], error?: string): Refusal {
    const scope = formatScopes(permissions)
    const parameters = [
      `realm="${this.#tokenUrl ?? tokenUrlOf(request)}"`,
      `service="${this.#service}"`,
      scope === '' ? undefined : `scope="${scope}"`,
      error === undefined ? undefined : `error="${error}"`,
    ].filter((parameter) => parameter !== undefined)
    return new Refusal('UNAUTHORIZED', 'authentication required', {
      headers: { 'WWW-Authenticate': `Bearer ${parameters.join(',')}` },
    })
  }
}

function keyOf({ type, name, action }: Permission): string {
  return `${type}:${name}:${action}`
}

/** The token endpoint under the name by which the client has reached this registry. */
function tokenUrlOf({ headers, socket }: IncomingMessage): string {
  const host = headers.host ?? ''
  const own = socket.localAddress?.includes(':') === true ? `[${socket.localAddress}]` : (socket.localAddress ?? '')
  const authority = isRegistryName(host) ? host : `${own}:${socket.localPort ?? 0}`
  return `${socket instanceof TLSSocket ? 'https' : 'http'}://${authority}${TOKEN_PATH}`
}
