import type { RegistryStorage } from '../../../src/server/storage/storage.js'
import { emptyAnswer, errorAnswer, type EmulatedAnswer } from '../answer.js'
import type { Layer } from '../call.js'
import type { ManifestReference } from '../../../src/server/route.js'
import type { DeleteSwitches } from './list-switches.js'

/** Deletes what the vendor lets be deleted. */
export function createDeleteLayer(switches: DeleteSwitches, storage: RegistryStorage): Layer {
  return async (call, next) => {
    const { route } = call
    if (call.method !== 'DELETE') return next(call)
    if (route?.kind === 'blob' && switches.blob === 405)
      return errorAnswer(405, 'UNSUPPORTED', 'The operation is unsupported.')
    if (route?.kind !== 'manifest') return next(call)
    return refusalOf(route.repository, route.reference, switches, storage) ?? next(call)
  }
}

function refusalOf(
  repository: string,
  reference: ManifestReference,
  { manifest = {}, danglingTag }: DeleteSwitches,
  storage: RegistryStorage,
): EmulatedAnswer | undefined {
  const { tag = 202, digest = 202 } = manifest
  if (reference.type === 'tag') {
    if (tag === 202) return undefined
    if (tag === 'digest-invalid')
      return errorAnswer(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content')
    return errorAnswer(tag, 'UNSUPPORTED', 'The operation is unsupported.')
  }
  if (reference.type !== 'digest') return undefined
  if (digest === 405) return errorAnswer(405, 'UNSUPPORTED', 'The operation is unsupported.')
  const tags = storage.tags(repository) ?? []
  const count = tags.filter((one) => storage.digestOfTag(repository, one) === reference.digest).length
  if (digest === 404 && count === 0) return errorAnswer(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
  if (danglingTag === undefined || count === 0 || (danglingTag === 409 && count === 1)) return undefined
  return danglingTag === 400
    ? errorAnswer(400, 'GOOGLE_MANIFEST_DANGLING_TAG', 'Manifest is still referenced by tag')
    : emptyAnswer(409)
}
