import { errorAnswer, textAnswer, withHeaders, type EmulatedAnswer } from '../answer.js'
import type { Layer } from '../call.js'
import type { VirtualTime } from '../virtual-time.js'
import type { RateLimitSwitches } from './limit-switches.js'

/** Refuses manifests after some requests, as registries do that count pulls. */
export function createRateLimitLayer(switches: RateLimitSwitches, time: VirtualTime): Layer {
  let count = 0
  return async (call, next) => {
    if (call.route?.kind !== 'manifest' || call.method !== 'GET') return next(call)
    count++
    const { allowed, refused = Number.POSITIVE_INFINITY } = switches
    const isRefused = count > allowed && count <= allowed + refused
    const answer = isRefused ? refusalOf(switches, time) : await next(call)
    if (switches.headers !== true) return answer
    return withHeaders(answer, {
      'ratelimit-limit': `${allowed};w=21600`,
      'ratelimit-remaining': `${Math.max(allowed - count, 0)};w=21600`,
      'docker-ratelimit-source': '203.0.113.7',
    })
  }
}

function refusalOf(
  { body = 'json', code = 'TOOMANYREQUESTS', retryAfter }: RateLimitSwitches,
  time: VirtualTime,
): EmulatedAnswer {
  const message = 'You have reached your pull rate limit'
  const answers = {
    json: () => errorAnswer(429, code, message),
    html: () => textAnswer(429, '<html><body>429 Too Many Requests</body></html>', { 'content-type': 'text/html' }),
    text: () => textAnswer(429, `${message}\n`),
  }
  const answer = answers[body]()
  if (retryAfter === undefined) return answer
  const text =
    typeof retryAfter === 'number' ? String(retryAfter) : new Date(time.now() + retryAfter.dateIn * 1000).toUTCString()
  return withHeaders(answer, { 'retry-after': text })
}
