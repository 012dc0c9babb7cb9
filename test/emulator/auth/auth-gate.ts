import { setTimeout as wait } from 'node:timers/promises'
import { emptyAnswer, errorAnswer, jsonAnswer, type EmulatedAnswer } from '../answer.js'
import type { Call, Layer } from '../call.js'
import { findAccount, mayDo } from './accounts.js'
import type { Account, AuthSwitches } from './auth-switches.js'
import { basicChallenge, bearerChallenge, needsOf, type ChallengeContext, type Needs } from './challenge.js'
import type { IssuedToken, TokenBook } from './token-book.js'

export interface AuthGateContext {
  readonly switches: AuthSwitches
  readonly tokens: TokenBook
  /** Whether a mount needs pull on the other repository (40). */
  readonly mountNeedsPull: boolean
  /** Addresses, known when all servers run. */
  readonly challenge: () => ChallengeContext
}

/** Lets through who may do what the request is about, and asks all others who they are. */
export function createAuthGate(context: AuthGateContext): Layer {
  const gate = new AuthGate(context)
  return async (call, next) => (await gate.check(call)) ?? next(call)
}

class AuthGate {
  readonly #context: AuthGateContext
  readonly #switches: AuthSwitches
  readonly #seen = new Set<string>()

  constructor(context: AuthGateContext) {
    this.#context = context
    this.#switches = context.switches
  }

  /** The refusal, or undefined when the call may go on. */
  async check(call: Call): Promise<EmulatedAnswer | undefined> {
    const { loop, type = 'none' } = this.#switches
    const needs = needsOf(call, this.#switches, this.#context.mountNeedsPull)
    if (loop === true) return this.#ask(call, needs)
    if (type === 'none') return undefined
    const { authorization } = call
    if (authorization.scheme === 'none') return this.#checkAnonymous(call, needs)
    if (type === 'basic' || authorization.scheme === 'basic') return this.#checkBasic(call, needs)
    return authorization.scheme === 'bearer'
      ? this.#checkToken(call, needs, authorization.token)
      : this.#ask(call, needs)
  }

  #checkAnonymous(call: Call, needs: Needs): EmulatedAnswer | undefined {
    const { anonymousActions = [], anonymousTokenRequired = false } = this.#switches
    const isOpen =
      needs.length > 0 && needs.every(({ actions }) => actions.every((one) => anonymousActions.includes(one)))
    return isOpen && !anonymousTokenRequired ? undefined : this.#ask(call, needs)
  }

  async #checkBasic(call: Call, needs: Needs): Promise<EmulatedAnswer | undefined> {
    const { accounts = [], type, acceptsBasic = false } = this.#switches
    if (type !== 'basic' && !acceptsBasic) return this.#ask(call, needs)
    const account = findAccount(accounts, call.authorization)
    if (account === undefined) {
      await wait(this.#switches.failDelay ?? 0)
      return this.#ask(call, needs)
    }
    call.isWriter = mayDo(account, 'push')
    return needs.every(({ actions }) => isAllowed(account, actions)) ? undefined : denied()
  }

  #checkToken(call: Call, needs: Needs, value: string): EmulatedAnswer | undefined {
    const token = this.#context.tokens.use(value)
    if (token === 'expired' && this.#switches.expiredStatus === 400) {
      return errorAnswer(400, 'DENIED', 'Your Authorization Token is invalid.')
    }
    const { tokenWithoutRight, accounts = [], basicAfterBearer } = this.#switches
    if (typeof token === 'string') {
      if (basicAfterBearer !== undefined) return this.#refuse(call, needs, [`Basic ${basicAfterBearer}`])
      return this.#ask(call, needs, 'invalid_token')
    }
    const account = accounts.find(({ username }) => username === token.username)
    call.isWriter = account !== undefined && mayDo(account, 'push')
    if (tokenWithoutRight !== undefined && call.route?.kind === 'uploads' && !call.isWriter) {
      return tokenWithoutRight === 401 ? this.#ask(call, needs, 'insufficient_scope') : denied()
    }
    const isEnough = needs.every(({ resource, actions }) => actions.every((action) => token.allows(resource, action)))
    const more = isEnough ? this.#moreNeeds(needs, token) : undefined
    if (more !== undefined) return this.#ask(call, [...needs, more], 'insufficient_scope')
    if (isEnough) return undefined
    if (basicAfterBearer !== undefined) return this.#refuse(call, needs, [`Basic ${basicAfterBearer}`])
    return this.#ask(call, needs, 'insufficient_scope')
  }

  /** What the first token of a repository has to cover besides what the request needs. */
  #moreNeeds(needs: Needs, token: IssuedToken): Needs[number] | undefined {
    const [need] = needs
    if (this.#switches.insufficientScopeOnce !== true || need?.resource.startsWith('repository:') !== true)
      return undefined
    if (this.#seen.has(need.resource)) return undefined
    const resource = `${need.resource}/cache`
    if (!token.allows(resource, 'pull')) return { resource, actions: ['pull'] }
    this.#seen.add(need.resource)
    return undefined
  }

  #ask(call: Call, needs: Needs, error?: string): EmulatedAnswer {
    const { type, noChallengeOnRequest = false } = this.#switches
    if (noChallengeOnRequest && call.route?.kind !== 'base') return this.#refuse(call, needs, [])
    if (type === 'basic') return this.#refuse(call, needs, [basicChallenge(this.#switches)])
    return this.#refuse(call, needs, bearerChallenge(call, needs, this.#context.challenge(), error))
  }

  #refuse(call: Call, needs: Needs, challenges: readonly string[]): EmulatedAnswer {
    if (call.method === 'HEAD') return emptyAnswer(401, headersOf(challenges))
    const [need] = needs
    const [resource = '', name = ''] = (need?.resource ?? '').split(/:(.*)/)
    const detail = [{ Type: resource, Name: name, Action: need?.actions[0] ?? '' }]
    const error = {
      code: 'UNAUTHORIZED',
      message: 'authentication required',
      ...(this.#switches.errorDetail === 'array' && need !== undefined ? { detail } : {}),
    }
    return jsonAnswer(401, { errors: [error] }, headersOf(challenges))
  }
}

function headersOf(challenges: readonly string[]): Record<string, string> {
  // Node takes a list for a header that comes several times, and the type of answers does so too.
  return challenges.length === 0 ? {} : { 'www-authenticate': challenges as unknown as string }
}

function isAllowed(account: Account, actions: readonly string[]): boolean {
  return actions.every((action) => mayDo(account, action))
}

function denied(): EmulatedAnswer {
  return errorAnswer(403, 'DENIED', 'requested access to the resource is denied')
}
