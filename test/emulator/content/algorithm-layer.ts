import { digestOf, isDigest } from '../../../src/oci/digest.js'
import { headerOf, readBody, withHeaders, type EmulatedAnswer } from '../answer.js'
import type { Call, Layer, Next } from '../call.js'

/** Knows blobs by sha256 alone, whatever digest they were pushed under. */
export function createAlgorithmLayer(): Layer {
  return async (call, next) => {
    const answer = await next(call)
    const wanted = wantedDigest(call)
    if (wanted?.startsWith('sha512:') !== true || answer.status >= 300) return answer
    const own = await ownDigestOf(call, wanted, next)
    const location = headerOf(answer, 'location')
    return withHeaders(answer, {
      'docker-content-digest': own,
      ...(location === undefined ? {} : { location: location.replace(wanted, own) }),
    })
  }
}

function wantedDigest({ route, method, isRead, query }: Call): string | undefined {
  if (route?.kind === 'blob' && isRead) return route.digest
  return route?.kind === 'upload' && method === 'PUT' ? (query.get('digest') ?? undefined) : undefined
}

async function ownDigestOf(call: Call, wanted: string, next: Next): Promise<string> {
  const { route } = call
  if (!isDigest(wanted) || route === undefined || !('repository' in route)) throw new Error('no digest')
  const whole: EmulatedAnswer = await next(call.derive('GET', `/v2/${route.repository}/blobs/${wanted}`))
  return digestOf(await readBody(whole))
}
