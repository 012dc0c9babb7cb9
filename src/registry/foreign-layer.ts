import { GantryError, isGantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { FetchOptions } from '../store/store.js'
import { parseByteCount } from './content-range.js'
import type { RegistryAnswer } from './http/transport.js'
import { referenceIn, type RepositoryContext } from './repository-context.js'
import { responseError } from './response-error.js'

/** Addresses of one layer that are tried. */
const MAX_ADDRESSES = 8

/**
 * Reads a layer that the registry does not have from the addresses that its descriptor names (image-spec,
 * descriptor.md, "urls"), one after the other: anonymously, and only where the registry may point. The digest is left to
 * whoever takes the bytes.
 * @throws GantryError the last failure, when no address has the layer
 */
export async function* downloadForeignLayer(
  context: RepositoryContext,
  descriptor: Descriptor,
  options: FetchOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const what = `layer ${referenceIn(context, descriptor.digest)}`
  let position = options.offset ?? 0
  let failure = new GantryError('not-found', `${what}: not found`)
  for (const url of (descriptor.urls ?? []).slice(0, MAX_ADDRESSES)) {
    try {
      let arrived = 0
      for await (const chunk of (await openAt(context, url, descriptor, { what, options })).body) {
        const from = Math.max(0, position - arrived)
        arrived += chunk.byteLength
        if (arrived > descriptor.size) throw wrongSize(what, `more than ${descriptor.size}`, descriptor.size)
        if (from >= chunk.byteLength) continue
        position = arrived
        yield from === 0 ? chunk : chunk.subarray(from)
      }
      if (position === descriptor.size) return
      failure = wrongSize(what, String(arrived), descriptor.size)
    } catch (error) {
      if (!isGantryError(error) || error.code === 'aborted') throw error
      failure = error
    }
  }
  throw failure
}

async function openAt(
  { transport }: RepositoryContext,
  url: string,
  { size }: Descriptor,
  { what, options: { signal, transient } }: { readonly what: string; readonly options: FetchOptions },
): Promise<RegistryAnswer> {
  if (transport.requestElsewhere === undefined) {
    throw new GantryError('unsupported', `${what} is kept outside of the registry, where this transport does not go`)
  }
  const answer = await transport.requestElsewhere({ url, transient, signal })
  if (answer.status !== 200) throw await responseError(answer)
  const length = parseByteCount(answer.header('content-length'))
  if (length === undefined || length === size) return answer
  answer.body.destroy()
  throw wrongSize(what, String(length), size)
}

function wrongSize(what: string, actual: string, size: number): GantryError {
  return new GantryError(
    'size-mismatch',
    `${what} has ${actual} bytes at the address that it names, and ${size} by its descriptor`,
  )
}
