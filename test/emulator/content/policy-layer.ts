import type { RegistryStorage } from '../../../src/server/storage/storage.js'
import { emptyAnswer, errorAnswer, type EmulatedAnswer } from '../answer.js'
import { HangUp, type Call, type Layer } from '../call.js'
import type { NameSwitches, PolicySwitches } from './content-switches.js'

/** Tags that stay, and manifests that are withheld. */
export function createPolicyLayer({ immutable, pullDenied }: PolicySwitches, storage: RegistryStorage): Layer {
  return async (call, next) => {
    const { route } = call
    if (route?.kind !== 'manifest') return next(call)
    if (pullDenied !== undefined && call.isRead && pullDenied.test(route.repository)) {
      return errorAnswer(412, 'PROJECTPOLICYVIOLATION', 'current image with vulnerabilities cannot be pulled')
    }
    const tag = call.method === 'PUT' && route.reference.type === 'tag' ? route.reference.tag : undefined
    const isTaken = tag !== undefined && storage.digestOfTag(route.repository, tag) !== undefined
    if (immutable === undefined || !isTaken || !immutable.tags.test(tag)) return next(call)
    return errorAnswer(immutable.status, immutable.code ?? 'TAG_IMMUTABLE', `tag ${tag} is immutable`)
  }
}

/** What repositories may be called, and which there are. */
export function createNameLayer(switches: NameSwitches, storage: RegistryStorage): Layer {
  const { depth, missingRepo = 404, made, unknownPush = 404 } = switches
  const exists = (name: string): boolean => storage.tags(name) !== undefined || made?.test(name) === true
  return async (call, next) => {
    const { route } = call
    const name = route !== undefined && 'repository' in route ? route.repository : undefined
    if (name === undefined) return next(call)
    if (depth !== undefined && name.split('/').length !== depth) {
      return errorAnswer(400, 'NAME_INVALID', `a repository name has ${depth} parts`)
    }
    if (exists(name)) return next(call)
    if (made !== undefined && !call.isRead) {
      if (unknownPush === 'drop') throw new HangUp()
      return errorAnswer(404, 'NAME_UNKNOWN', `The repository with name '${name}' does not exist in the registry`)
    }
    return call.isRead && missingRepo !== 404 && !call.isWriter ? hidden(call, missingRepo) : next(call)
  }
}

function hidden(call: Call, status: 401 | 403): EmulatedAnswer {
  const [code, message] =
    status === 401
      ? ['UNAUTHORIZED', 'authentication required']
      : ['DENIED', 'requested access to the resource is denied']
  return call.method === 'HEAD' ? emptyAnswer(status) : errorAnswer(status, code, message)
}
