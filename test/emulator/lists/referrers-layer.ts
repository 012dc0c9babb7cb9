import { isDigest } from '../../../src/oci/digest.js'
import { MediaType } from '../../../src/oci/media-types.js'
import type { Route } from '../../../src/server/route.js'
import type { RegistryStorage } from '../../../src/server/storage/storage.js'
import { emptyAnswer, errorAnswer, jsonAnswer, textAnswer, withHeaders, type EmulatedAnswer } from '../answer.js'
import type { Call, Layer } from '../call.js'
import type { ReferrersSwitches } from './list-switches.js'

/** Lists referrers in the vendor's way, or not at all. */
export function createReferrersLayer(switches: ReferrersSwitches, storage: RegistryStorage): Layer {
  const { filters, page, missingSubject } = switches
  const isPlain = filters === undefined && page === undefined && missingSubject === undefined
  return async (call, next) => {
    const { route } = call
    if (route?.kind === 'referrers' && call.isRead) {
      const missing = missingApi(call, switches)
      if (missing !== undefined) return missing
      return isPlain ? next(call) : list(call, route, switches, storage)
    }
    if (route?.kind !== 'manifest') return next(call)
    if (call.isRead && switches.tagResolvesToSubject === true) resolveToSubject(call)
    const answer = await next(call)
    return call.method === 'PUT' && answer.status < 300 ? editSubject(answer, switches) : answer
  }
}

function missingApi(call: Call, { api = 'ok' }: ReferrersSwitches): EmulatedAnswer | undefined {
  switch (api) {
    case 'ok':
      return undefined
    case '404text':
      return textAnswer(404, '404 page not found\n')
    case '200html':
      return textAnswer(200, '<html><body>Welcome</body></html>', { 'content-type': 'text/html' })
    case 404:
      return errorAnswer(404, 'NOT_FOUND', 'page not found')
    default:
      return call.method === 'HEAD'
        ? emptyAnswer(api)
        : errorAnswer(api, 'UNSUPPORTED', 'The operation is unsupported.')
  }
}

function list(
  call: Call,
  { repository, digest }: Extract<Route, { kind: 'referrers' }>,
  { missingSubject = 'empty', filters = 'applied', page }: ReferrersSwitches,
  storage: RegistryStorage,
): EmulatedAnswer {
  if (missingSubject === 400 && storage.manifest(repository, digest) === undefined) {
    return errorAnswer(400, 'MANIFEST_INVALID', 'manifest invalid')
  }
  const type = call.query.get('artifactType')
  const all = storage.referrers(repository, digest)
  const wanted = type === null || filters !== 'applied' ? all : all.filter(({ artifactType }) => artifactType === type)
  const start = Number(call.query.get('start') ?? 0)
  const limit = page ?? wanted.length
  const more = new URLSearchParams({ ...(type === null ? {} : { artifactType: type }), start: String(start + limit) })
  return jsonAnswer(
    200,
    { schemaVersion: 2, mediaType: MediaType.imageIndex, manifests: wanted.slice(start, start + limit) },
    {
      'content-type': MediaType.imageIndex,
      ...(type === null || filters === 'notApplied' ? {} : { 'oci-filters-applied': 'artifactType' }),
      ...(start + limit < wanted.length ? { link: `<${call.path}?${more.toString()}>; rel="next"` } : {}),
    },
  )
}

function editSubject(answer: EmulatedAnswer, { ociSubject = 'honest', api = 'ok' }: ReferrersSwitches): EmulatedAnswer {
  const mayTell = ociSubject === 'lying' || (ociSubject === 'honest' && api === 'ok')
  return mayTell ? answer : withHeaders(answer, { 'oci-subject': undefined })
}

/** `sha256-<hex>` is taken for the digest that it is made of. */
function resolveToSubject(call: Call): void {
  const tag = call.path.split('/').at(-1) ?? ''
  const digest = tag.replace('-', ':')
  if (isDigest(digest)) call.path = call.path.replace(tag, digest)
}
