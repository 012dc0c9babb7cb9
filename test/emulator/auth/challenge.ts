import { permissionsFor } from '../../../src/server/auth/permissions.js'
import type { Call } from '../call.js'
import type { AuthSwitches } from './auth-switches.js'

/** What a request needs: actions by resource. */
export type Needs = readonly { readonly resource: string; readonly actions: readonly string[] }[]

/** Works out what a call needs to be allowed. */
export function needsOf(call: Call, switches: AuthSwitches, mountNeedsPull: boolean): Needs {
  const { route, query } = call
  if (route === undefined || (route.kind === 'catalog' && switches.catalogScope === false)) return []
  const method = call.method === 'HEAD' ? 'GET' : call.method
  const needs = new Map<string, string[]>()
  for (const { type, name, action } of permissionsFor(route, method)) {
    const resource = `${type}:${name}`
    const wanted = action === 'delete' ? (switches.deleteScope ?? 'delete') : action
    needs.set(resource, [...(needs.get(resource) ?? []), wanted])
  }
  const from = query.get('from')
  if (route.kind === 'uploads' && query.has('mount') && from !== null && mountNeedsPull) {
    const resource = `repository:${from}`
    if (!needs.has(resource)) needs.set(resource, ['pull'])
  }
  return [...needs].map(([resource, actions]) => ({ resource, actions }))
}

export interface ChallengeContext {
  readonly switches: AuthSwitches
  readonly realm: string
  readonly service: string
  /** Draws the order of scopes. */
  readonly random: () => number
}

/** The `WWW-Authenticate` headers that ask for a token. */
export function bearerChallenge(call: Call, needs: Needs, context: ChallengeContext, error?: string): string[] {
  const { switches, realm } = context
  const scope = scopeText(call, needs, context)
  const parameters = [
    quote(switches, 'realm', realm),
    ...(switches.omitService === true ? [] : [quote(switches, 'service', context.service)]),
    ...(scope === undefined ? [] : [quote(switches, 'scope', scope)]),
    ...(error === undefined ? [] : [quote(switches, 'error', error)]),
  ]
  const bearer = `${schemeName(switches, 'Bearer')} ${parameters.join(',')}`
  if (switches.multiChallenge === undefined) return [bearer]
  const basic = `Basic realm="${context.realm}",service="${context.service}",scope="*"`
  return switches.multiChallenge === 'headers' ? [bearer, basic] : [`${bearer},${basic}`]
}

/** The `WWW-Authenticate` header that asks for a password. */
export function basicChallenge(switches: AuthSwitches): string {
  const realm = quote(switches, 'realm', switches.basicRealm ?? 'registry')
  const service = switches.basicService === undefined ? [] : [quote(switches, 'service', switches.basicService)]
  return `${schemeName(switches, 'Basic')} ${[realm, ...service].join(',')}`
}

function schemeName({ challengeStyle }: AuthSwitches, name: string): string {
  if (challengeStyle === 'lower-unquoted') return name.toLowerCase()
  return challengeStyle === 'upper' ? name.toUpperCase() : name
}

function quote({ challengeStyle }: AuthSwitches, name: string, value: string): string {
  return challengeStyle === 'lower-unquoted' && value !== '' ? `${name}=${value}` : `${name}="${value}"`
}

/** Undefined when the challenge has none. */
function scopeText(call: Call, needs: Needs, { switches, random }: ChallengeContext): string | undefined {
  const isPing = call.route?.kind === 'base'
  if (switches.scopeValue === 'placeholder' && isPing) return 'repository:user/image:pull'
  if (switches.scopeValue === '*') return '*'
  if (switches.scopeValue === '' && needs.length === 0) return ''
  const isBare = switches.omitScope === 'on-head-and-ping' && (call.method === 'HEAD' || isPing)
  if (switches.omitScope === true || isBare || needs.length === 0) return undefined
  const order = <Item>(items: readonly Item[]): Item[] => {
    const isTurned = switches.scopeOrder === 'random' && random() < 0.5
    return isTurned ? items.toReversed() : [...items]
  }
  return order(needs)
    .map(({ resource, actions }) => `${resource}:${order(actions).join(',')}`)
    .join(' ')
}
