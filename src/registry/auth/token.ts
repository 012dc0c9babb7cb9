import type { Answer } from '../http/answer.js'
import type { HttpRequest } from '../http/client.js'
import { isSameOrigin, type PointingRegistry } from '../http/destination.js'
import { isRedirect, MAX_REDIRECTS } from '../http/redirect.js'
import { readSmallBody } from '../http/small-body.js'
import type { BearerOffer } from './challenge.js'
import type { KnownCredential } from './credential-keeper.js'
import type { Credential } from './credential.js'
import { checkRealm } from './realm.js'
import type { ScopeSet } from './scope-set.js'
import { parseToken, MAX_TOKEN_RESPONSE_SIZE, type Token } from './token-response.js'
import { tokenServiceError } from './token-error.js'

/** Names this program to token services, which is not a secret. */
const CLIENT_ID = 'gantry'
/** Stands for the user where a refresh token takes the place of the password, as Docker's credential helpers write it. */
const TOKEN_USER = '<token>'

/** A token service, as a challenge of the registry described it. */
export interface TokenService extends BearerOffer {
  /** The address of the request that was challenged. */
  readonly base: URL
}

export interface TokenClientSettings {
  /** Sends a request with repetitions; POST requests are only repeated when the service failed. */
  readonly send: (request: HttpRequest) => Promise<Answer>
  readonly pointing: () => PointingRegistry
  readonly trustedAuthHosts: readonly string[]
  /** Headers that any host may see. */
  readonly publicHeaders: Readonly<Record<string, string>>
  /** Headers that the registry's own origin sees. */
  readonly registryHeaders: Readonly<Record<string, string>>
  /** Milliseconds for the body of an answer. */
  readonly timeLimit: number
  /** Milliseconds since 1970. */
  readonly date: () => number
}

/** Gets tokens from the token service that a registry names (distribution, token authentication and OAuth2 documentation). */
export class TokenClient {
  readonly #settings: TokenClientSettings

  constructor(settings: TokenClientSettings) {
    this.#settings = settings
  }

  /**
   * Asks for a token: with an identity token by OAuth2, with a password by Basic, without either anonymously.
   * @throws GantryError `unauthorized` when the service refuses, `untrusted-destination` before anything is sent to a
   * service that may not be asked, `invalid-content`, `limit-exceeded`, `rate-limited`, and those of any request
   */
  async request(service: TokenService, scopes: ScopeSet, found: KnownCredential): Promise<Token> {
    const { credential } = found
    const url = await checkRealm(service.realm, service.base, {
      registry: this.#settings.pointing(),
      hasCredential: credential !== undefined,
      trustedAuthHosts: this.#settings.trustedAuthHosts,
    })
    const wishes = [scopes, ...narrowerWishes(scopes)]
    let refusal: unknown
    for (const wish of wishes) {
      const answer = await this.#ask(url, { service, scopes: wish, credential })
      if (answer.status === 200) return this.#read(answer, url)
      const error = await tokenServiceError(answer, {
        registry: this.#settings.pointing().origin.host,
        anonymous: credential === undefined,
        refusal: found.refusal,
      })
      // Quay knows neither `delete` nor the catalog, and refuses the whole request because of them.
      if (answer.status !== 400) throw error
      refusal ??= error
    }
    throw refusal
  }

  async #ask(url: URL, wish: Wish): Promise<Answer> {
    const { credential } = wish
    if (credential?.type === 'identity-token') {
      const answer = await this.#sendFollowing('POST', url, refreshForm(wish, credential.token))
      if (answer.status !== 404 && answer.status !== 405) return answer
      await answer.discard()
    }
    return this.#sendFollowing('GET', withQuery(url, wish), undefined, basicOf(credential))
  }

  /** Follows redirects within the service's own origin, where the credentials may go as well. */
  async #sendFollowing(
    method: 'GET' | 'POST',
    url: URL,
    form?: URLSearchParams,
    authorization?: string,
  ): Promise<Answer> {
    let target = url
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#send(method, target, form, authorization)
      const next = isRedirect(answer) ? ownTarget(answer, target) : undefined
      if (next === undefined || redirects === MAX_REDIRECTS) return answer
      await answer.discard()
      target = next
    }
  }

  async #send(method: 'GET' | 'POST', url: URL, form?: URLSearchParams, authorization?: string): Promise<Answer> {
    const { pointing, publicHeaders, registryHeaders, send } = this.#settings
    const isOwn = isSameOrigin(url, pointing().origin)
    const headers: Record<string, string> = { ...(isOwn ? registryHeaders : publicHeaders), accept: 'application/json' }
    if (authorization !== undefined) headers.authorization = authorization
    const bytes = form === undefined ? undefined : Buffer.from(form.toString())
    return send({
      method,
      url,
      headers:
        bytes === undefined ? headers : { ...headers, 'content-type': FORM, 'content-length': String(bytes.length) },
      body: bytes === undefined ? undefined : { content: bytes, size: bytes.length, contentType: FORM },
      trust: isOwn ? 'registry' : 'other',
    })
  }

  async #read(answer: Answer, url: URL): Promise<Token> {
    const what = `token response of ${url.host}`
    const { timeLimit, date } = this.#settings
    const bytes = await readSmallBody(answer, { limit: MAX_TOKEN_RESPONSE_SIZE, timeLimit, what })
    return parseToken(bytes, what, date())
  }
}

const FORM = 'application/x-www-form-urlencoded'

/** Where a token service redirects to, when that is on its own origin. */
function ownTarget(answer: Answer, base: URL): URL | undefined {
  const location = answer.header('location') ?? ''
  if (location === '' || !URL.canParse(location, base.href)) return undefined
  const target = new URL(location, base)
  return isSameOrigin(target, base) && target.username === '' && target.password === '' ? target : undefined
}

interface Wish {
  readonly service: TokenService
  readonly scopes: ScopeSet
  readonly credential: Credential | undefined
}

function refreshForm({ service, scopes }: Wish, token: string): URLSearchParams {
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token, client_id: CLIENT_ID })
  if (service.service !== undefined) form.set('service', service.service)
  if (!scopes.isEmpty) form.set('scope', scopes.toStrings().join(' '))
  return form
}

/** The realm may have a query of its own, which stays. */
function withQuery(realm: URL, { service, scopes, credential }: Wish): URL {
  const url = new URL(realm)
  if (service.service !== undefined) url.searchParams.set('service', service.service)
  for (const scope of scopes.toStrings()) url.searchParams.append('scope', scope)
  if (credential?.type === 'basic') url.searchParams.set('account', credential.username)
  url.searchParams.set('client_id', CLIENT_ID)
  return url
}

function basicOf(credential: Credential | undefined): string | undefined {
  if (credential?.type === 'basic') return basicAuthorization(credential.username, credential.password)
  // Anonymous requests go without the header: an empty one is refused by several services.
  return credential?.type === 'identity-token' ? basicAuthorization(TOKEN_USER, credential.token) : undefined
}

/** The value of `Authorization` for a user and a password (RFC 7617). */
export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

/** What to ask for when a service does not know some of the actions: pushing instead of deleting, then everything. */
function narrowerWishes(scopes: ScopeSet): ScopeSet[] {
  const asPush = scopes.map((actions, resource) => {
    if (!resource.startsWith('repository:')) return []
    return actions.includes('delete') ? [...actions.filter((action) => action !== 'delete'), 'pull', 'push'] : actions
  })
  const asEverything = scopes.map((actions, resource) => {
    if (!resource.startsWith('repository:')) return []
    return actions.includes('delete') ? ['*'] : actions
  })
  const known = new Set([scopes.key])
  return [asPush, asEverything].filter(({ key }) => {
    const isNew = !known.has(key)
    known.add(key)
    return isNew
  })
}
