import { GantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { FetchOptions } from '../store/store.js'
import type { Bytes } from '../util/bytes.js'
import { encodingOf } from './content-encoding.js'
import { parseByteCount, parseContentRange } from './content-range.js'
import { blobPath } from './endpoints.js'
import type { RegistryAnswer } from './http/transport.js'
import { referenceIn, scopesOf, type RepositoryContext } from './repository-context.js'
import { responseError, type ResponseErrorOptions } from './response-error.js'

/** The bytes that are asked for; `end` is the byte after the last one. */
export interface ByteRange {
  readonly start: number
  readonly end?: number
}

/** A response that holds the blob from `start` on. */
export interface BlobAnswer {
  readonly answer: RegistryAnswer
  /** The bytes of the blob: the body of the response, decoded where that is needed. */
  readonly body: Bytes
  readonly start: number
  /** The byte after the last one that the answer announces. */
  readonly end: number
}

/**
 * Asks for a blob, whole or a range of it (distribution-spec, end-2; RFC 9110, section 14). An answer is only accepted
 * where it says exactly which bytes it holds.
 * @returns undefined when the registry's answer to a range cannot be used: ask for the whole blob then
 * @throws GantryError `not-found`; `size-mismatch` before any byte is read when the registry has another length
 */
export async function requestBlob(
  context: RepositoryContext,
  descriptor: Descriptor,
  range: ByteRange | undefined,
  { signal, noCache, transient = false }: FetchOptions,
): Promise<BlobAnswer | undefined> {
  const answer = await context.transport.request({
    method: 'GET',
    url: blobPath(context.name, descriptor.digest),
    headers: {
      range: range === undefined ? undefined : `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}`,
      'cache-control': noCache === true ? 'no-cache' : undefined,
    },
    scopes: scopesOf(context, 'pull'),
    retry: 'free',
    followRedirects: true,
    transient,
    signal,
  })
  const what = `blob ${referenceIn(context, descriptor.digest)}`
  if (answer.status === 200) {
    const encoding = encodingOf(answer)
    if (encoding === undefined) {
      requireLength(answer, descriptor.size, what)
      return { answer, body: answer.body, start: 0, end: descriptor.size }
    }
    const { decodeBlob } = await import('./labelled-content.js')
    const body = decodeBlob(answer, descriptor, { encoding, what })
    return { answer, body, start: 0, end: descriptor.size }
  }
  if (range !== undefined && (answer.status === 206 || answer.status === 416)) {
    const part = answer.status === 206 ? partOf(answer, range, descriptor) : undefined
    if (part === undefined) answer.body.destroy()
    return part
  }
  if (answer.status === 404) throw await notFound(context, descriptor, answer)
  throw await responseError(answer, elsewhere(context, answer))
}

/** Whether this answer to a range is about this blob, and starts where it was asked to. */
function partOf(answer: RegistryAnswer, wanted: ByteRange, { size }: Descriptor): BlobAnswer | undefined {
  const range = parseContentRange(answer.header('content-range'))
  if (range?.start !== wanted.start || range.total !== size) return undefined
  if (wanted.end !== undefined && range.end >= wanted.end) return undefined
  const length = parseByteCount(answer.header('content-length'))
  if (length !== undefined && length !== range.end + 1 - range.start) return undefined
  return { answer, body: answer.body, start: range.start, end: range.end + 1 }
}

function requireLength(answer: RegistryAnswer, size: number, what: string): void {
  const length = parseByteCount(answer.header('content-length'))
  if (length === undefined || length === size) return
  answer.body.destroy()
  throw new GantryError('size-mismatch', `${what} has ${length} bytes in the registry, and ${size} by its descriptor`)
}

/** Says of a host that the registry has redirected to that it is not the registry. */
function elsewhere({ transport }: RepositoryContext, { url }: RegistryAnswer): ResponseErrorOptions {
  const { origin, host } = new URL(url)
  if (origin === transport.origin) return {}
  return { hint: `${host} is not the registry itself: ${transport.registry} keeps content there and redirects to it` }
}

async function notFound(
  context: RepositoryContext,
  descriptor: Descriptor,
  answer: RegistryAnswer,
): Promise<GantryError> {
  const hint =
    descriptor.urls === undefined || descriptor.urls.length === 0
      ? undefined
      : 'the descriptor names addresses outside the registry, which are not used'
  return responseError(answer, { message: `${referenceIn(context, descriptor.digest)}: not found`, hint })
}
