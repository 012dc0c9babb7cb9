import { isRepositoryName, isTag } from '../../../src/oci/reference.js'
import { emptyAnswer, textAnswer } from '../answer.js'
import type { Layer } from '../call.js'

const ENDPOINT =
  /^\/v2\/(?<name>.+)\/(?:tags\/list|manifests\/(?<reference>[^/]+)|blobs\/(?:uploads(?:\/[^/]*)?|(?<digest>[^/]+)))$/
/** The form that routers look for; which algorithms there are is decided behind them. */
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]+$/
const LONGEST_NAME = 255

/** Knows no endpoints but those whose names, tags and digests have the right form, and says so in plain text. */
export function createRouterLayer(): Layer {
  return async (call, next) => {
    const { name = '', reference, digest } = ENDPOINT.exec(safeDecode(call.path))?.groups ?? {}
    if (name === '') return next(call)
    const isNamed = isRepositoryName(name) || name.length > LONGEST_NAME
    const isReferred = reference === undefined || isTag(reference) || DIGEST.test(reference)
    const isIdentified = digest === undefined || DIGEST.test(digest)
    if (isNamed && isReferred && isIdentified) return next(call)
    return call.method === 'HEAD' ? emptyAnswer(404) : textAnswer(404, '404 page not found\n')
  }
}

function safeDecode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    // Broken escapes are no name either.
    return path
  }
}
