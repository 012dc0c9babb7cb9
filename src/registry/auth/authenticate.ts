import { GantryError, isGantryError } from '../../errors.js'
import type { Answer } from '../http/answer.js'
import { shownText } from '../http/sent-secrets.js'
import type { Method } from '../http/transport.js'
import { offerOf, parseChallenges, type AuthOffer } from './challenge.js'
import { CredentialKeeper, type KnownCredential } from './credential-keeper.js'
import type { CredentialLookup } from './credential.js'
import type { CredentialRefusal } from './refused-credentials.js'
import type { Scope } from './scope.js'
import { ScopeSet } from './scope-set.js'
import { basicAuthorization, type TokenService } from './token.js'
import { TokenCache, type CachedToken } from './token-cache.js'
import type { Token } from './token-response.js'

/** A request that may have to be authorised. */
export interface Need {
  readonly method: Method
  readonly url: URL
  readonly scopes: readonly Scope[]
}

/** What goes into the `Authorization` header, and where it comes from; nothing with the type `none`. */
export interface Authorization {
  readonly value: string
  readonly type: 'basic' | 'bearer' | 'registry-token' | 'none'
  /** Present for `bearer`. */
  readonly token?: CachedToken
  /** The token was got for this very request, so that a new one would be refused as well. */
  readonly fresh: boolean
  /** Made from a credential that was not stored for registries, so that the request may go without it. */
  readonly isGuess: boolean
}

/** Says that a request goes without the header. */
const ANONYMOUS: Authorization = { value: '', type: 'none', fresh: true, isGuess: false }

export interface AuthenticatorSettings {
  readonly registry: string
  readonly credentials: CredentialLookup | undefined
  readonly requestToken: (service: TokenService, scopes: ScopeSet, found: KnownCredential) => Promise<Token>
  /** Asks `GET /v2/` without authorization; whatever it answers. The body is discarded. */
  readonly probe: () => Promise<Answer>
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** What is known of how the registry wants to be asked. */
interface Known {
  readonly bearer?: TokenService
  readonly basic: boolean
}

/** Works out the authorization of each request from what the registry has asked for so far. */
export class Authenticator {
  readonly #settings: AuthenticatorSettings
  readonly #credentials: CredentialKeeper
  readonly #tokens: TokenCache
  /** What registries asked for beyond what was thought to be needed, by the latter's key. */
  readonly #learned = new Map<string, ScopeSet>()
  #known: Known | 'open' | undefined
  #probing: Promise<void> | undefined

  constructor(settings: AuthenticatorSettings) {
    this.#settings = settings
    this.#credentials = new CredentialKeeper(settings.registry, settings.credentials)
    this.#tokens = new TokenCache(settings.now)
  }

  /** What was asked for so far: nothing, a password, or a token. */
  get scheme(): 'none' | 'basic' | 'bearer' {
    if (this.#known === undefined || this.#known === 'open') return 'none'
    return this.#known.bearer === undefined ? 'basic' : 'bearer'
  }

  /**
   * The authorization to send with a request, as far as the registry is known to want one.
   * @param hasBody a body is not sent only to learn that a token is wanted: the registry is asked before
   */
  async prepare(need: Need, hasBody: boolean): Promise<Authorization | undefined> {
    if (this.#known === undefined && hasBody) await this.#probe()
    const known = this.#known
    if (known === undefined || known === 'open') return undefined
    return this.#authorize(known, this.#wantedScopes(need), await this.#credentials.find(need.scopes))
  }

  /** Takes note that the registry answered a request without asking who is there. */
  noteOpen(): void {
    this.#known ??= 'open'
  }

  /**
   * What to send after a refusal, or undefined when there is nothing left to try: never the same twice.
   * @param refused the 401, or the odd answer of a registry to an outdated token
   * @param sent what the request carried
   */
  async respond(need: Need, refused: Answer, sent: Authorization | undefined): Promise<Authorization | undefined> {
    const offer = refused.status === 401 ? await this.#learn(need, refused) : this.#asOffer()
    if (sent?.token !== undefined) this.#tokens.drop(sent.token)
    const known = this.#known
    if (known === undefined || known === 'open' || offer === undefined) return undefined
    const found = await this.#credentials.find(need.scopes)
    if (found.credential?.type === 'registry-token') {
      return sent?.type === 'registry-token' ? undefined : this.#authorize(known, ScopeSet.of([]), found)
    }
    const next = await this.#nextOf({ known, offer, need, found }, sent)
    return next === undefined && sent?.isGuess === true ? this.withoutGuess(need) : next
  }

  /** What to send instead of a credential that was only guessed and has been refused. */
  async withoutGuess(need: Need): Promise<Authorization | undefined> {
    const known = this.#known
    if (known === undefined || known === 'open') return undefined
    const anonymous = this.#credentials.giveUp(await this.#credentials.find(need.scopes))
    const authorization = await this.#authorize(known, this.#wantedScopes(need), anonymous)
    return authorization === undefined ? ANONYMOUS : { ...authorization, fresh: true }
  }

  /** Why a request was not authorised, as far as a credential was looked for. */
  async refusalOf(need: Need): Promise<CredentialRefusal | undefined> {
    const known = await this.#credentials.known(need.scopes)
    return known?.refusal
  }

  async #nextOf(situation: Situation, sent: Authorization | undefined): Promise<Authorization | undefined> {
    const { known, offer, need, found } = situation
    const asked = sent?.token?.scopes
    const scopes = this.#wantedScopes(need)
    // A password after a token that was refused: some registries want it for what tokens do not cover. Once.
    const isTokenUsedUp =
      sent?.type === 'bearer' && sent.fresh && (offer.bearer === undefined || asked?.key === scopes.key)
    if (isTokenUsedUp || known.bearer === undefined) {
      if (sent?.type === 'basic' || !offer.basic) return undefined
      return basicOf(found)
    }
    if (sent?.type === 'basic' && offer.bearer === undefined) return undefined
    const authorization = await this.#authorize(known, scopes, found)
    if (authorization?.value === sent?.value) return undefined
    return sent === undefined || authorization === undefined ? authorization : { ...authorization, fresh: true }
  }

  async #authorize(known: Known, scopes: ScopeSet, found: KnownCredential): Promise<Authorization | undefined> {
    const { credential, holder, isGuess } = found
    if (credential?.type === 'registry-token') {
      return { value: `Bearer ${credential.token}`, type: 'registry-token', fresh: true, isGuess }
    }
    const { bearer } = known
    if (bearer === undefined) return basicOf(found)
    // A clock cannot tell: a token may be got and refused within one tick of it.
    let isAsked = false as boolean
    const request = async (): Promise<Token> => {
      isAsked = true
      return this.#settings.requestToken(bearer, scopes, found)
    }
    try {
      const token = await this.#tokens.get(holder, scopes, request)
      return { value: `Bearer ${token.value}`, type: 'bearer', token, fresh: isAsked, isGuess }
    } catch (error) {
      if (!isGuess || !isGantryError(error, 'unauthorized')) throw error
      return this.#authorize(known, scopes, this.#credentials.giveUp(found))
    }
  }

  #wantedScopes(need: Need): ScopeSet {
    const needed = ScopeSet.of(need.scopes)
    return this.#learned.get(needed.key) ?? needed
  }

  /** Reads the challenges of a 401; a 401 without any is explained by the one that `GET /v2/` gives. */
  async #learn(need: Need, refused: Answer): Promise<AuthOffer | undefined> {
    const offer = offerOf(parseChallenges(refused.headerValues('www-authenticate')))
    if (offer === undefined) {
      if (this.#known === undefined || this.#known === 'open') await this.#probe()
      return this.#asOffer()
    }
    this.#note(offer, refused)
    if (offer.bearer !== undefined && !isPing(need.url)) this.#learnScopes(need, offer.bearer.scope)
    return offer
  }

  #learnScopes(need: Need, scope: string): void {
    const needed = ScopeSet.of(need.scopes)
    const allowed = allowedActions(need)
    const asked = ScopeSet.parse(scope).map((actions) => actions.filter((action) => allowed.has(action)))
    this.#learned.set(needed.key, this.#wantedScopes(need).union(asked))
  }

  #note(offer: AuthOffer, answer: Answer): void {
    const base = new URL(answer.url)
    const before = this.#known === undefined || this.#known === 'open' ? undefined : this.#known
    const bearer = offer.bearer === undefined ? before?.bearer : { ...offer.bearer, base }
    if (bearer === undefined && !offer.basic) throw unusable(offer, answer)
    this.#known = { basic: offer.basic || (before?.basic ?? false), bearer }
  }

  #asOffer(): AuthOffer | undefined {
    return this.#known === 'open' ? undefined : this.#known
  }

  /** Asks the registry what it wants; all who want to know share one request. */
  async #probe(): Promise<void> {
    this.#probing ??= this.#askRegistry()
    try {
      await this.#probing
    } finally {
      this.#probing = undefined
    }
  }

  async #askRegistry(): Promise<void> {
    const answer = await this.#settings.probe()
    if (answer.status !== 401) {
      this.noteOpen()
      return
    }
    const offer = offerOf(parseChallenges(answer.headerValues('www-authenticate')))
    if (offer !== undefined) this.#note(offer, answer)
  }
}

interface Situation {
  readonly known: Known
  readonly offer: AuthOffer
  readonly need: Need
  readonly found: KnownCredential
}

function basicOf({ credential, isGuess }: KnownCredential): Authorization | undefined {
  if (credential?.type !== 'basic') return undefined
  return { value: basicAuthorization(credential.username, credential.password), type: 'basic', fresh: true, isGuess }
}

/** The scope of a challenge to `/v2/` is a placeholder that grants nothing. */
function isPing(url: URL): boolean {
  return url.pathname === '/v2/' || url.pathname === '/v2'
}

/** What a registry may ask for beyond what we know to be needed: nothing that the method has no use for. */
function allowedActions({ method, scopes }: Need): ReadonlySet<string> {
  const own = scopes.flatMap(({ actions }) => actions)
  const reading = ['pull', ...(scopes.some(({ type }) => type === 'registry') ? ['*'] : [])]
  if (method === 'GET' || method === 'HEAD') return new Set([...own, ...reading])
  return new Set([...own, 'pull', 'push', ...(method === 'DELETE' ? ['delete', '*'] : [])])
}

function unusable(offer: AuthOffer, answer: Answer): GantryError {
  const realm = shownText(answer, offer.unusableRealm ?? '').slice(0, 200)
  const { host } = new URL(answer.url)
  return new GantryError('untrusted-destination', `token service "${realm}" of ${host} is not an http address`)
}
