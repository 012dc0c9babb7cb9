import type { Script, ScriptedExchange } from '../http/scripted-server.js'

/** What the scripted registry asks for, and which tokens it takes. */
export interface TokenRegistry {
  /** Answers token requests; put it on the same or another server. */
  readonly tokens: Script
  /** Answers registry requests. */
  readonly registry: Script
  /** Query (or form) of every token request. */
  readonly asked: URLSearchParams[]
  /** Stops taking every token that was handed out so far. */
  revoke(): void
}

export interface TokenRegistryOptions {
  readonly realm: () => string
  /** Members of the token's answer besides `token`. */
  readonly answer?: Record<string, unknown>
  /** Value of the challenge for a request; by default with service and scope as Distribution writes it. */
  readonly challenge?: (exchange: ScriptedExchange, realm: string) => Record<string, string | string[] | undefined>
  /** Whether a token that was got for these scopes allows the request. */
  readonly allows?: (scopes: readonly string[], exchange: ScriptedExchange) => boolean
  readonly user?: { readonly name: string; readonly password: string }
}

/** A registry with a token service, as Distribution behaves. */
export function createTokenRegistry(options: TokenRegistryOptions): TokenRegistry {
  const asked: URLSearchParams[] = []
  let tokens = new Map<string, string[]>()
  let count = 0
  const scopeOf = ({ request }: ScriptedExchange): string => {
    const name = /^\/v2\/(.+)\/(?:manifests|blobs|tags)\//.exec(request.url ?? '')?.[1]
    const actions = request.method === 'GET' || request.method === 'HEAD' ? 'pull' : 'pull,push'
    return name === undefined ? '' : `,scope="repository:${name}:${actions}"`
  }
  const challenge =
    options.challenge ??
    ((exchange, realm) => ({ 'www-authenticate': `Bearer realm="${realm}",service="test"${scopeOf(exchange)}` }))
  return {
    asked,
    revoke: () => (tokens = new Map()),
    tokens: ({ entry, answer }) => {
      const query =
        entry.method === 'POST' ? new URLSearchParams(entry.bodyText) : new URL(entry.url, 'http://h').searchParams
      asked.push(query)
      const { user } = options
      const wanted =
        user === undefined ? undefined : `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`
      if (wanted !== undefined && entry.method === 'GET' && entry.headers.authorization !== wanted) {
        answer(401, {}, { errors: [{ code: 'UNAUTHORIZED', message: 'who are you' }] })
        return
      }
      const token = `token-${++count}`
      tokens.set(
        `Bearer ${token}`,
        query.getAll('scope').flatMap((scope) => scope.split(' ')),
      )
      answer(200, {}, { token, ...options.answer })
    },
    registry: (exchange) => {
      const scopes = tokens.get(exchange.entry.headers.authorization ?? '')
      if (scopes === undefined || options.allows?.(scopes, exchange) === false) {
        exchange.answer(401, challenge(exchange, options.realm()), {
          errors: [{ code: 'UNAUTHORIZED', message: 'token wanted' }],
        })
        return
      }
      exchange.answer(200, {}, 'content')
    },
  }
}
