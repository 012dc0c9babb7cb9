import { errorAnswer } from '../answer.js'
import type { Call, Layer } from '../call.js'
import type { MountSwitches } from './upload-switches.js'

/** Takes mounts, refuses them, or opens an upload in their place. */
export function createMountLayer({ status = 201, withoutFrom = 201 }: MountSwitches): Layer {
  return async (call, next) => {
    const isMount = call.route?.kind === 'uploads' && call.method === 'POST' && call.query.has('mount')
    if (!isMount) return next(call)
    const outcome = call.query.has('from') ? status : withoutFrom
    if (outcome === 201) return next(call)
    if (outcome === 202) return next(asPlainUpload(call))
    if (outcome === 'error') return errorAnswer(405, 'UNSUPPORTED', 'a mount needs a source')
    const code = { 401: 'UNAUTHORIZED', 403: 'DENIED', 404: 'NAME_UNKNOWN', 405: 'UNSUPPORTED' }[outcome]
    return errorAnswer(outcome, code, 'the blob is not mounted')
  }
}

function asPlainUpload(call: Call): Call {
  call.query.delete('mount')
  call.query.delete('from')
  return call
}
