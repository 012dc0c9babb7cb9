import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { emptyAnswer, errorAnswer, jsonAnswer, textAnswer, type EmulatedAnswer } from '../answer.js'
import type { Call } from '../call.js'
import type { VirtualTime } from '../virtual-time.js'
import { findAccount, mayDo } from './accounts.js'
import type { Account, AuthSwitches, TokenSwitches } from './auth-switches.js'
import { parseScope, type TokenBook } from './token-book.js'

export interface TokenServerContext {
  readonly auth: AuthSwitches
  readonly switches: TokenSwitches
  readonly tokens: TokenBook
  readonly time: VirtualTime
}

/** Where an access token of the vendor's directory becomes a refresh token (13). */
const EXCHANGE_PATH = '/oauth2/exchange'

/** Hands out tokens, on the registry's own origin or on another one. */
export class TokenServer {
  readonly #context: TokenServerContext
  readonly #refreshTokens = new Map<string, Account>()

  constructor(context: TokenServerContext) {
    this.#context = context
    for (const account of context.auth.accounts ?? []) {
      if (account.refreshToken !== undefined) this.#refreshTokens.set(account.refreshToken, account)
      if (context.switches.passwordIsToken !== true) continue
      context.tokens.issue(account.username, (_, action) => mayDo(account, action), account.password)
    }
  }

  /** Undefined when the path is not the token server's. */
  async answer(call: Call): Promise<EmulatedAnswer | undefined> {
    const { auth, switches } = this.#context
    if (call.path === EXCHANGE_PATH && switches.refreshOnly === true) return this.#exchange(call)
    if (call.path !== (auth.realmPath ?? '/token')) return undefined
    if (call.method === 'POST') {
      const { post = 'ok' } = switches
      return post === 'ok' ? this.#answerForm(call) : errorAnswer(post, 'UNSUPPORTED', 'use GET')
    }
    return call.method === 'GET' ? this.#answerQuery(call) : emptyAnswer(405)
  }

  async #answerQuery(call: Call): Promise<EmulatedAnswer> {
    const { accounts = [], anonymousActions = [] } = this.#context.auth
    const scopes = call.query.getAll('scope').flatMap((text) => text.split(' '))
    if (call.authorization.scheme === 'none') {
      const nobody: Account = { username: '', password: '', actions: anonymousActions }
      return this.#grant(undefined, nobody, scopes)
    }
    const account = findAccount(accounts, call.authorization)
    if (account === undefined) return this.#refuse()
    return this.#grant(account, account, scopes)
  }

  async #answerForm(call: Call): Promise<EmulatedAnswer> {
    const form = new URLSearchParams((await call.readBody()).toString())
    const account = this.#accountOf(form)
    if (account === undefined) {
      return jsonAnswer(this.#context.switches.refreshOnly === true ? 401 : 400, {
        errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }],
      })
    }
    return this.#grant(
      account,
      account,
      form.getAll('scope').flatMap((text) => text.split(' ')),
    )
  }

  #accountOf(form: URLSearchParams): Account | undefined {
    if (form.get('grant_type') === 'refresh_token') return this.#refreshTokens.get(form.get('refresh_token') ?? '')
    if (form.get('grant_type') !== 'password' || this.#context.switches.refreshOnly === true) return undefined
    const { accounts = [] } = this.#context.auth
    const [username, password] = [form.get('username') ?? '', form.get('password') ?? '']
    return findAccount(accounts, { scheme: 'basic', username, password })
  }

  async #exchange(call: Call): Promise<EmulatedAnswer> {
    const form = new URLSearchParams((await call.readBody()).toString())
    const account = this.#context.auth.accounts?.find(({ password }) => password === form.get('access_token'))
    if (form.get('grant_type') !== 'access_token' || account === undefined) return this.#refuse()
    const token = randomBytes(40).toString('base64url')
    this.#refreshTokens.set(token, account)
    return jsonAnswer(200, { refresh_token: token })
  }

  /** What the user may not do is left out without a word. */
  #grant(user: Account | undefined, rights: Account, texts: readonly string[]): EmulatedAnswer {
    const { auth, switches, tokens } = this.#context
    const wanted = texts.flatMap((text) => parseScope(text) ?? [])
    const asked = auth.firstScopeOnly === true ? wanted.slice(0, 1) : wanted
    const rejected = switches.rejectActions ?? []
    if (
      asked.some(({ resource, actions }) =>
        rejected.some((one) => actions.includes(one) || resource.endsWith(`:${one}`)),
      )
    ) {
      return errorAnswer(400, 'INVALID_REQUEST', 'Unable to decode repository and actions')
    }
    const grants = new Map<string, Set<string>>()
    for (const { resource, actions } of asked) {
      const isPromised = (action: string): boolean => auth.tokenWithoutRight !== undefined && action === 'push'
      const granted = actions.filter((action) => mayDo(rights, action) || isPromised(action))
      grants.set(resource, new Set([...(grants.get(resource) ?? []), ...granted]))
    }
    if (switches.passwordIsToken === true) return jsonAnswer(200, this.#tokenBody(user?.password ?? 'anonymous'))
    const allows = (resource: string, action: string): boolean => {
      const granted = grants.get(resource)
      return granted?.has(action) === true || granted?.has('*') === true
    }
    return jsonAnswer(200, this.#tokenBody(tokens.issue(user?.username, allows).value))
  }

  #tokenBody(token: string): object {
    const { field = 'both', omitExpiresIn, issuedAt = 'now' } = this.#context.switches
    const now = this.#context.time.now()
    const dates = { now: new Date(now), zero: new Date('0001-01-01T00:00:00Z'), future: new Date(now + 86_400_000) }
    return {
      ...(field === 'access_token' ? {} : { token }),
      ...(field === 'token' ? {} : { access_token: field === 'emptyAccessToken' ? '' : token }),
      ...(omitExpiresIn === true ? {} : { expires_in: this.#context.tokens.lifetime }),
      ...(issuedAt === 'missing' ? {} : { issued_at: dates[issuedAt].toISOString() }),
    }
  }

  async #refuse(): Promise<EmulatedAnswer> {
    await wait(this.#context.auth.failDelay ?? 0)
    switch (this.#context.switches.errorBody ?? 'standard') {
      case 'details':
        return jsonAnswer(401, { details: 'incorrect username or password' })
      case 'text':
        return textAnswer(401, 'incorrect username or password\n')
      case 'empty':
        return emptyAnswer(401)
      case 'html':
        return textAnswer(401, '<html><body><h1>401 Unauthorized</h1></body></html>', { 'content-type': 'text/html' })
      case 'standard':
        return errorAnswer(401, 'UNAUTHORIZED', 'incorrect username or password')
    }
  }
}
