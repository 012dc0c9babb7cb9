import { errorAnswer } from '../answer.js'
import type { Layer } from '../call.js'
import type { CatalogSwitch } from './list-switches.js'

/** Lets repositories be listed, or not. */
export function createCatalogLayer(catalog: CatalogSwitch, maxN = Number.POSITIVE_INFINITY): Layer {
  return async (call, next) => {
    if (call.route?.kind !== 'catalog') return next(call)
    if (Number(call.query.get('n')) > maxN) {
      return errorAnswer(400, 'PAGINATION_NUMBER_INVALID', 'invalid number of results requested')
    }
    if (catalog === 'ok') return next(call)
    if (catalog === 404) return errorAnswer(404, 'NOT_FOUND', 'page not found')
    const challenge = { 'www-authenticate': 'Basic realm="registry"' }
    const { authorization } = call
    const isAdmin = authorization.scheme === 'basic' && authorization.username === 'admin'
    return catalog === 'adminOnly' && isAdmin
      ? next(call)
      : errorAnswer(401, 'UNAUTHORIZED', 'authentication required', challenge)
  }
}
