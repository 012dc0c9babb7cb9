import { GantryError, isGantryError } from '../../errors.js'
import type { Answer } from './answer.js'
import type { HttpRequest } from './client.js'
import { checkDestination, isSameOrigin, type PointingRegistry } from './destination.js'
import { shownText } from './sent-secrets.js'

/** Redirects that are followed for one request. */
export const MAX_REDIRECTS = 5

/** Statuses after which the same request, with its body, belongs to another address (RFC 9110, section 15.4). */
const SAME_METHOD = new Set([307, 308])
/** Statuses that are clear for GET and HEAD only: for other methods they may mean a GET. */
const READING_ONLY = new Set([301, 302, 303])

/** Whether an answer means that the same request is to be sent to another address. */
export function isRedirect({ status, method }: Pick<Answer, 'status' | 'method'>): boolean {
  return SAME_METHOD.has(status) || (READING_ONLY.has(status) && (method === 'GET' || method === 'HEAD'))
}

export interface RedirectSettings {
  readonly send: (request: HttpRequest) => Promise<Answer>
  readonly pointing: () => PointingRegistry
  /** The headers of the request that any host may see. */
  readonly publicHeaders: Readonly<Record<string, string>>
  /** What another host is, in errors; default: a redirect target. */
  readonly place?: 'redirect target' | 'layer address'
}

/**
 * Sends a request to the registry and follows where it is redirected to, with its body from the start. Each hop is a
 * request of its own; once a hop has left the registry's origin nothing secret is sent any more, even if a later one
 * leads back.
 * @throws GantryError `untrusted-destination` for a place that the registry may not point at, `limit-exceeded` after
 * five redirects, `unauthorized` when another host wants to know who is there
 */
export async function sendFollowing(first: HttpRequest, settings: RedirectSettings): Promise<Answer> {
  let request = first
  for (let redirects = 0; ; redirects++) {
    const answer = await (request.trust === 'other' ? sendElsewhere(request, settings) : settings.send(request))
    if (!isRedirect(answer)) return request.trust === 'other' ? checkAnonymous(answer, settings) : answer
    const location = answer.header('location')
    await answer.discard()
    if (location === undefined) {
      throw new GantryError('registry-error', `${request.url.host} redirects without saying where to`)
    }
    if (redirects === MAX_REDIRECTS) {
      throw new GantryError('limit-exceeded', `${first.url.host} redirects more than ${MAX_REDIRECTS} times`)
    }
    const registry = settings.pointing()
    const url = checkDestination(location, request.url, registry, 'redirect')
    const isTrusted = request.trust === 'registry' && isSameOrigin(url, registry.origin)
    request = isTrusted ? { ...request, url } : { ...request, url, headers: settings.publicHeaders, trust: 'other' }
  }
}

/** People know the registry, and not the host that it keeps content on: an error has to say which of them it is about. */
async function sendElsewhere(request: HttpRequest, settings: RedirectSettings): Promise<Answer> {
  const { send, pointing, place = 'redirect target' } = settings
  try {
    return await send(request)
  } catch (error) {
    if (!isGantryError(error, 'network-error', 'timeout', 'tls-error')) throw error
    const { host } = request.url
    const { mask = String } = pointing()
    throw new GantryError(error.code, `${place} ${error.message.replaceAll(host, mask(host))}`, {
      details: {
        ...error.details,
        host: mask(host),
        role: place === 'redirect target' ? 'redirect-target' : undefined,
      },
      hint:
        place === 'redirect target'
          ? `this host is not the registry itself: ${pointing().origin.host} keeps content there and redirects to it`
          : `this host is not the registry itself: a manifest in ${pointing().origin.host} says that a layer is there`,
      cause: error.cause ?? error,
    })
  }
}

async function checkAnonymous(answer: Answer, { place = 'redirect target' }: RedirectSettings): Promise<Answer> {
  if (answer.status !== 401) return answer
  await answer.discard()
  const { host } = new URL(answer.url)
  throw new GantryError(
    'unauthorized',
    `${place} ${shownText(answer, host)} asked for credentials, which are not sent there`,
  )
}
