import { parseReference, type Reference } from '../../oci/reference.js'

/** Where images without a registry in their name live. */
const DEFAULT_REGISTRY = 'docker.io'

/**
 * Parses the name of an image as `docker` and `crane` read it: without a registry it is one of Docker Hub, there a name
 * of one part belongs to `library`, and without a tag or digest it is `latest`.
 * @throws GantryError `invalid-reference`
 */
export function parseImageReference(text: string): Reference {
  const reference = parseReference(withRegistry(text))
  const isOfficial = reference.registry === DEFAULT_REGISTRY && !reference.repository.includes('/')
  return {
    ...reference,
    repository: isOfficial ? `library/${reference.repository}` : reference.repository,
    tag: reference.tag ?? (reference.digest === undefined ? 'latest' : undefined),
  }
}

/** The first part of a name is a registry when nothing else could look like it. */
function withRegistry(text: string): string {
  const [first = '', ...rest] = text.split('/')
  const isRegistry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')
  return isRegistry ? text : `${DEFAULT_REGISTRY}/${text}`
}
