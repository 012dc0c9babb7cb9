import { GantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import { algorithmOf, Digester, type Digest } from '../oci/digest.js'
import { MediaType } from '../oci/media-types.js'
import type { CallOptions } from '../store/store.js'
import { encodingOf, mentionEncoding } from './content-encoding.js'
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
  const answer = await askForBlob(context, 'HEAD', digest, options)
  // A registry without HEAD, or that denies what it does not have, is asked to take the blob: it says then what is wrong.
  if (![200, 403, 404, 405, 500].includes(answer.status)) throw await responseError(answer)
  await answer.discard()
  return answer.status === 200 && hasSize(answer, size)
}

/**
 * Finds a blob by its digest alone. What it is, only a manifest could tell: the media type is `application/octet-stream`.
 * Where the response to a HEAD is not enough the blob itself is asked for, and read where that does not say either how
 * large it is.
 * @throws GantryError `not-found`; `limit-exceeded`, `digest-mismatch` for a blob that had to be read
 */
export async function resolveBlob(
  context: RepositoryContext,
  digest: Digest,
  options: CallOptions,
): Promise<Descriptor> {
  const head = await askForBlob(context, 'HEAD', digest, options)
  if (head.status === 401 || head.status === 429) throw await responseError(head)
  const size = head.status === 200 ? sizeOf(head) : undefined
  await head.discard()
  return { mediaType: MediaType.octetStream, digest, size: size ?? (await measureBlob(context, digest, options)) }
}

/** The size by a GET. */
async function measureBlob(context: RepositoryContext, digest: Digest, options: CallOptions): Promise<number> {
  const what = referenceIn(context, digest)
  const answer = await askForBlob(context, 'GET', digest, options)
  if (answer.status === 404) throw await responseError(answer, { message: `${what}: not found` })
  if (answer.status !== 200) throw await responseError(answer)
  const announced = sizeOf(answer)
  if (announced !== undefined) {
    answer.body.destroy()
    return announced
  }
  const digester = new Digester(algorithmOf(digest))
  let size = 0
  for await (const chunk of answer.body) {
    digester.update(chunk)
    size += chunk.byteLength
  }
  const actual = digester.digest()
  if (actual === digest) return size
  const error = new GantryError('digest-mismatch', `blob ${what}: digest mismatch: wanted ${digest}, got ${actual}`)
  throw mentionEncoding(error, encodingOf(answer))
}

/** Undefined when the registry does not say; a length of 0 is what servers send that do not know it. */
function sizeOf(answer: RegistryAnswer): number | undefined {
  const size = parseByteCount(answer.header('content-length'))
  return encodingOf(answer) === undefined && (size !== 0 || answer.method === 'GET') ? size : undefined
}

function askForBlob(
  context: RepositoryContext,
  method: 'HEAD' | 'GET',
  digest: Digest,
  { signal }: CallOptions,
): Promise<RegistryAnswer> {
  return context.transport.request({
    method,
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
  return length === undefined || length === 0 || length === size || encodingOf(answer) !== undefined
}
