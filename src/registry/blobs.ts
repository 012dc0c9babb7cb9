import { GantryError, type GantryErrorOptions } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { Digest } from '../oci/digest.js'
import { MediaType } from '../oci/media-types.js'
import type { CallOptions } from '../store/store.js'
import { blobPath } from './endpoints.js'
import { referenceIn, scopesOf, type RepositoryContext } from './repository-context.js'
import type { RegistryAnswer } from './http/transport.js'
import { responseError } from './response-error.js'

/**
 * Whether a blob is there (distribution-spec, end-2).
 * @throws GantryError for every answer that leaves the question open
 */
export async function hasBlob(context: RepositoryContext, digest: Digest, options: CallOptions): Promise<boolean> {
  const answer = await headBlob(context, digest, options)
  // A registry without HEAD is asked to take the blob, and says then if it has it.
  if (![200, 404, 405].includes(answer.status)) throw await responseError(answer)
  await answer.discard()
  return answer.status === 200
}

/**
 * Finds a blob by its digest alone. What it is, only a manifest could tell: the media type is `application/octet-stream`.
 * @throws GantryError `not-found`; `unsupported` when the registry does not say how large it is
 */
export async function resolveBlob(
  context: RepositoryContext,
  digest: Digest,
  options: CallOptions,
): Promise<Descriptor> {
  const answer = await headBlob(context, digest, options)
  const what = referenceIn(context, digest)
  if (answer.status === 404) throw new GantryError('not-found', `${what}: not found`, await responseOf(answer))
  if (answer.status !== 200) throw await responseError(answer)
  const size = Number(answer.header('content-length') ?? NaN)
  await answer.discard()
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new GantryError('unsupported', `${what}: the registry does not say how large the blob is`)
  }
  return { mediaType: MediaType.octetStream, digest, size }
}

function headBlob(context: RepositoryContext, digest: Digest, { signal }: CallOptions): Promise<RegistryAnswer> {
  return context.transport.request({
    method: 'HEAD',
    url: blobPath(context.name, digest),
    scopes: scopesOf(context, 'pull'),
    retry: 'free',
    followRedirects: true,
    signal,
  })
}

async function responseOf(answer: RegistryAnswer): Promise<Pick<GantryErrorOptions, 'response'>> {
  const { response } = await responseError(answer)
  return response === undefined ? {} : { response }
}
