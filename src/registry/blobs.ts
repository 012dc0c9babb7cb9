import type { Digest } from '../oci/digest.js'
import type { CallOptions } from '../store/store.js'
import { blobPath } from './endpoints.js'
import { scopesOf, type RepositoryContext } from './repository-context.js'
import { responseError } from './response-error.js'

/**
 * Whether a blob is there (distribution-spec, end-2).
 * @throws GantryError for every answer that leaves the question open
 */
export async function hasBlob(context: RepositoryContext, digest: Digest, { signal }: CallOptions): Promise<boolean> {
  const answer = await context.transport.request({
    method: 'HEAD',
    url: blobPath(context.name, digest),
    scopes: scopesOf(context, 'pull'),
    retry: 'free',
    followRedirects: true,
    signal,
  })
  // A registry without HEAD is asked to take the blob, and says then if it has it.
  if (![200, 404, 405].includes(answer.status)) throw await responseError(answer)
  await answer.discard()
  return answer.status === 200
}
