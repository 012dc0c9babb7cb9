import { isGantryError } from '../../errors.js'
import { formatTimestamp } from '../../oci/annotations.js'
import { mediaTypeOf } from '../../oci/media-types.js'
import { collectBytes } from '../../util/bytes.js'
import type { Exchange } from '../exchange.js'
import { Refusal } from '../refusal.js'
import type { Policy } from './authenticator.js'
import { parseAuthorization } from './authorization-header.js'
import type { TokenSigner } from './json-web-token.js'
import type { PasswordFile } from './password-file.js'
import { formatScopes, parseScopes } from './scope.js'

/** Where tokens are to be had. */
export const TOKEN_PATH = '/token'

const MAX_FORM_SIZE = 64 * 1024
const REFRESH_LIFETIME = 30 * 24 * 60 * 60

/** What the endpoint decides by. */
export interface TokenAuthority {
  readonly passwords: PasswordFile
  readonly allow: Policy
  readonly signer: TokenSigner
}

interface TokenRequest {
  readonly username: string | undefined
  readonly scope: string
  /** Whether a refresh token is wanted. */
  readonly offline: boolean
}

/** Hands out tokens: GET with a Basic header, or POST with an OAuth2 form (RFC 6749, sections 4.3 and 6). */
export class TokenEndpoint {
  readonly #authority: TokenAuthority
  readonly #service: string
  readonly #lifetime: number

  /** @param settings.lifetime of access tokens, in seconds */
  constructor(authority: TokenAuthority, settings: { readonly service: string; readonly lifetime: number }) {
    this.#authority = authority
    this.#service = settings.service
    this.#lifetime = settings.lifetime
  }

  /** @throws Refusal `UNAUTHORIZED` for a wrong login by GET, `UNSUPPORTED` for other methods */
  async answer(exchange: Exchange): Promise<void> {
    if (exchange.method === 'GET') this.#sendToken(exchange, await this.#readQuery(exchange))
    else if (exchange.method === 'POST') await this.#answerForm(exchange)
    else {
      throw new Refusal('UNSUPPORTED', 'the endpoint does not know this method', { headers: { Allow: 'GET, POST' } })
    }
  }

  async #readQuery({ request, query }: Exchange): Promise<TokenRequest> {
    this.#checkService(query.get('service'))
    const authorization = parseAuthorization(request.headers.authorization)
    const scope = query.getAll('scope').join(' ')
    const offline = query.get('offline_token') === 'true'
    if (authorization.scheme === 'none') return { username: undefined, scope, offline: false }
    if (
      authorization.scheme !== 'basic' ||
      !(await this.#authority.passwords.check(authorization.username, authorization.password))
    ) {
      throw new Refusal('UNAUTHORIZED', 'incorrect username or password')
    }
    return { username: authorization.username, scope, offline }
  }

  async #answerForm(exchange: Exchange): Promise<void> {
    const form = await readForm(exchange)
    this.#checkService(form.get('service'))
    const username = await this.#userOfForm(form)
    if (username === undefined) exchange.sendJson(400, { error: 'invalid_grant' }, NO_STORE)
    else {
      const offline = form.get('access_type') === 'offline' || form.get('grant_type') === 'refresh_token'
      this.#sendToken(exchange, { username, scope: form.getAll('scope').join(' '), offline })
    }
  }

  async #userOfForm(form: URLSearchParams): Promise<string | undefined> {
    const { passwords, signer } = this.#authority
    if (form.get('grant_type') === 'password') {
      const username = form.get('username') ?? ''
      return (await passwords.check(username, form.get('password') ?? '')) ? username : undefined
    }
    if (form.get('grant_type') !== 'refresh_token') return undefined
    const claims = signer.verify(form.get('refresh_token') ?? '')
    const username = claims?.use === 'refresh' && typeof claims.sub === 'string' ? claims.sub : undefined
    return username !== undefined && passwords.has(username) ? username : undefined
  }

  /** What the user may not do is left out, and the token says what is left. */
  #sendToken(exchange: Exchange, { username, scope, offline }: TokenRequest): void {
    const { allow, signer } = this.#authority
    const granted = formatScopes(parseScopes(scope).filter((permission) => allow(username, permission)))
    const token = signer.sign({ sub: username, use: 'access', scope: granted }, this.#lifetime)
    const refreshToken = offline ? signer.sign({ sub: username, use: 'refresh' }, REFRESH_LIFETIME) : undefined
    const issuedAt = formatTimestamp(new Date())
    exchange.sendJson(
      200,
      {
        token,
        access_token: token,
        scope: granted,
        expires_in: this.#lifetime,
        issued_at: issuedAt,
        refresh_token: refreshToken,
      },
      NO_STORE,
    )
  }

  #checkService(service: string | null): void {
    if (service === null || service === this.#service) return
    throw new Refusal('UNSUPPORTED', 'tokens for this service are not handed out here', { status: 400 })
  }
}

const NO_STORE = { 'Cache-Control': 'no-store' }

async function readForm(exchange: Exchange): Promise<URLSearchParams> {
  if (mediaTypeOf(exchange.header('content-type') ?? '') !== 'application/x-www-form-urlencoded') {
    throw new Refusal('UNSUPPORTED', 'the body is no form', { status: 415 })
  }
  try {
    const bytes = await collectBytes(exchange.body(), MAX_FORM_SIZE, 'the form')
    return new URLSearchParams(new TextDecoder().decode(bytes))
  } catch (error) {
    if (!isGantryError(error, 'limit-exceeded')) throw error
    throw new Refusal('UNSUPPORTED', error.message, { status: 413, cause: error })
  }
}
