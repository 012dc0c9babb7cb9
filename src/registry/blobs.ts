import { GantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { Digest } from '../oci/digest.js'
import { MediaType } from '../oci/media-types.js'
import type { CallOptions } from '../store/store.js'
import { parseByteCount } from './content-range.js'
import { blobPath } from './endpoints.js'
import type { RegistryAnswer } from './http/transport.js'
import { referenceIn, scopesOf, type RepositoryContext } from './repository-context.js'
import { responseError } from './response-error.js'

/**
 * Whether a blob is there, with the size that the descriptor names (distribution-spec, end-2).
 * @throws GantryError for every answer that leaves the question open
 */
export async function hasBlob(
  context: RepositoryContext,
  { digest, size }: Descriptor,
  options: CallOptions,
): Promise<boolean> {
  const answer = await headBlob(context, digest, options)
  // A registry without HEAD is asked to take the blob, and says then if it has it.
  if (![200, 404, 405].includes(answer.status)) throw await responseError(answer)
  await answer.discard()
  return answer.status === 200 && hasSize(answer, size)
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
  if (answer.status === 404) throw await responseError(answer, { message: `${what}: not found` })
  if (answer.status !== 200) throw await responseError(answer)
  const size = parseByteCount(answer.header('content-length'))
  await answer.discard()
  if (size === undefined || isEncoded(answer)) {
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

/** Servers that do not know the length, or encode what they send, say nothing about the blob's. */
function hasSize(answer: RegistryAnswer, size: number): boolean {
  const length = parseByteCount(answer.header('content-length'))
  return length === undefined || length === 0 || length === size || isEncoded(answer)
}

function isEncoded(answer: RegistryAnswer): boolean {
  return (answer.headerList('content-encoding') ?? 'identity') !== 'identity'
}
