import { GantryError, isGantryError } from '../errors.js'
import { asManifest, type Descriptor } from '../oci/descriptor.js'
import { algorithmOf, isDigest, parseDigest, type Digest } from '../oci/digest.js'
import { declaredMediaType, detectMediaType, manifestDigest, type ManifestContent } from '../oci/manifest.js'
import { isSchema1Type, MediaType, mediaTypeOf } from '../oci/media-types.js'
import type { CallOptions, LookUpOptions, ResolveOptions } from '../store/store.js'
import { requestBounded } from './bounded-request.js'
import { encodingOf, mentionEncoding } from './content-encoding.js'
import { parseByteCount } from './content-range.js'
import { deniesWhatIsAbsent } from './denied-lookup.js'
import { manifestPath } from './endpoints.js'
import { isRetryableStatus } from './http/retry.js'
import { shownText } from './http/sent-secrets.js'
import type { RegistryAnswer, RegistryRequest } from './http/transport.js'
import { referenceIn, scopesOf, type RepositoryContext } from './repository-context.js'
import { responseError } from './response-error.js'

export interface ReadManifestOptions extends LookUpOptions {
  /** Ask past every cache between here and the registry. */
  readonly noCache?: boolean
}

/** A manifest, and what a later write has to name to be sure that nobody else wrote in between. */
export interface TaggedManifest extends ManifestContent {
  readonly etag: string | undefined
}

/** Types that say nothing about the document; its own word counts then. */
const GENERIC_TYPES: ReadonlySet<string> = new Set(['text/plain', 'application/json', MediaType.octetStream])

/** The bytes of a manifest, and the type that decides which of them its digest covers. */
export interface ManifestBytes {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/**
 * Finds what a tag or digest names by one HEAD; asks for the manifest itself where a registry leaves out or garbles what
 * is needed, and before it says that nothing is there: caches in front of registries may answer a HEAD with 404 for what
 * they have not fetched yet. The result is the registry's claim until the bytes are read.
 * @throws GantryError `not-found`, `digest-mismatch` when a digest is answered with another one
 */
export async function resolveManifest(
  context: RepositoryContext,
  reference: string,
  { trustMissing = false, signal }: ResolveOptions = {},
): Promise<Descriptor> {
  const answer = await context.transport.request(manifestRequest(context, reference, { method: 'HEAD', signal }))
  await answer.discard()
  if (answer.status === 404 && trustMissing) throw await notFound(context, reference, answer)
  // Neither a lack of rights nor a rate limit is cured by asking once more.
  if (answer.status === 401 || answer.status === 429) throw await responseError(answer)
  if (answer.status === 200) context.state.accessible.add(context.name)
  const descriptor = answer.status === 200 ? descriptorFromHead(context, reference, answer) : undefined
  return descriptor ?? (await readManifest(context, reference, { signal })).descriptor
}

/**
 * Reads a manifest by tag or digest in one request. The digest in the reference and the one that the registry announces
 * must both be those of the bytes; after a mismatch it is asked for once more, past all caches.
 * @throws GantryError `not-found`, `digest-mismatch`, `limit-exceeded`, `ambiguous-manifest`
 */
export async function readManifest(
  context: RepositoryContext,
  reference: string,
  options: ReadManifestOptions = {},
): Promise<TaggedManifest> {
  try {
    return await readManifestOnce(context, reference, options)
  } catch (error) {
    if (options.optional === true && isGantryError(error) && deniesWhatIsAbsent(context, error)) {
      throw missing(context, reference, error)
    }
    if (options.noCache === true || !isGantryError(error, 'digest-mismatch')) throw error
    return readManifestOnce(context, reference, { ...options, noCache: true })
  }
}

/**
 * Whether a manifest is there. 403 counts as absence: some registries know no better word for it.
 * @throws GantryError `unauthorized` and everything that leaves the question open
 */
export async function hasManifest(
  context: RepositoryContext,
  reference: string,
  { signal }: CallOptions = {},
): Promise<boolean> {
  const answer = await context.transport.request(manifestRequest(context, reference, { method: 'HEAD', signal }))
  if (answer.status === 200) {
    await answer.discard()
    return true
  }
  if (answer.status === 404 || answer.status === 403) {
    await answer.discard()
    return false
  }
  const isFault = isRetryableStatus(answer.status) && answer.status !== 500
  if (answer.status === 401 || isFault) throw await responseError(answer)
  await answer.discard()
  // An answer to HEAD cannot say what is wrong, and some registries do not know HEAD at all.
  try {
    await readManifest(context, reference, { signal })
    return true
  } catch (error) {
    if (isGantryError(error, 'not-found')) return false
    throw error
  }
}

/** @throws GantryError `digest-mismatch` unless the digest that a registry announces, if any, is that of the bytes */
export function checkAnnouncedDigest(
  answer: RegistryAnswer,
  manifest: ManifestBytes,
  where: string,
): Digest | undefined {
  const header = answer.header('docker-content-digest')?.trim()
  if (header === undefined || header === '') return undefined
  const announced = parseDigest(isDigest(header) ? header : shownText(answer, header))
  checkDigest(announced, manifest, where)
  return announced
}

async function readManifestOnce(
  context: RepositoryContext,
  reference: string,
  { signal, noCache }: ReadManifestOptions,
): Promise<TaggedManifest> {
  const where = referenceIn(context, reference)
  const request = manifestRequest(context, reference, { method: 'GET', signal, noCache })
  const bound = { limit: context.maxManifestSize, what: `manifest ${where}`, repetition: context.repetition }
  const { answer, bytes } = await requestBounded(context.transport, request, bound).catch((error: unknown) => {
    throw isGantryError(error) && error.response?.status === 404 ? missing(context, reference, error) : error
  })
  context.state.accessible.add(context.name)
  const mediaType = decideMediaType(answer, bytes, where)
  const manifest = { mediaType, bytes }
  let announced: Digest | undefined
  try {
    if (isDigest(reference)) checkDigest(reference, manifest, where)
    announced = checkAnnouncedDigest(answer, manifest, where)
  } catch (error) {
    throw mentionEncoding(error, encodingOf(answer))
  }
  const digest = isDigest(reference) ? reference : (announced ?? manifestDigest(mediaType, bytes))
  return { descriptor: asManifest({ mediaType, digest, size: bytes.byteLength }), bytes, etag: answer.header('etag') }
}

function manifestRequest(
  context: RepositoryContext,
  reference: string,
  { method, signal, noCache }: ReadManifestOptions & { readonly method: 'GET' | 'HEAD' },
): RegistryRequest {
  return {
    method,
    url: manifestPath(context.name, reference),
    headers: { accept: context.manifestTypes.join(', '), 'cache-control': noCache === true ? 'no-cache' : undefined },
    scopes: scopesOf(context, 'pull'),
    retry: 'free',
    followRedirects: true,
    signal,
  }
}

/** Undefined when something is missing or cannot be relied on, such as the length of an encoded body. */
function descriptorFromHead(
  context: RepositoryContext,
  reference: string,
  answer: RegistryAnswer,
): Descriptor | undefined {
  const header = answer.header('docker-content-digest')?.trim()
  const mediaType = mediaTypeOf(answer.header('content-type') ?? '')
  const size = parseByteCount(answer.header('content-length'))
  if (mediaType === '' || GENERIC_TYPES.has(mediaType) || size === undefined || size === 0) return undefined
  if (encodingOf(answer) !== undefined || isSchema1Type(mediaType)) return undefined
  if (!isDigest(reference)) {
    return header === undefined || !isDigest(header) ? undefined : asManifest({ mediaType, digest: header, size })
  }
  if (header !== undefined && header !== reference) {
    // Two algorithms cannot be compared without the bytes.
    if (!isDigest(header) || algorithmOf(header) !== algorithmOf(reference)) return undefined
    throw mismatch(reference, header, referenceIn(context, reference))
  }
  return asManifest({ mediaType, digest: reference, size })
}

/** The announced type, or the document's own where a generic one is announced; both must agree (CVE-2021-41190). */
function decideMediaType(answer: RegistryAnswer, bytes: Uint8Array, where: string): string {
  const announced = mediaTypeOf(answer.header('content-type') ?? '')
  if (announced === '' || GENERIC_TYPES.has(announced)) {
    return detectMediaType(bytes) ?? (announced || MediaType.octetStream)
  }
  const declared = declaredMediaType(bytes)
  if (declared !== undefined && declared.toLowerCase() !== announced) {
    const shown = mediaTypeOf(shownText(answer, answer.header('content-type') ?? ''))
    const own = shownText(answer, declared)
    throw new GantryError(
      'ambiguous-manifest',
      `ambiguous manifest ${where}: the registry announced "${shown}" and it calls itself "${own}"`,
    )
  }
  return declared ?? announced
}

/** @throws GantryError `digest-mismatch` unless the digest is that of the manifest */
export function checkDigest(wanted: Digest, { mediaType, bytes }: ManifestBytes, where: string): void {
  const actual = manifestDigest(mediaType, bytes, algorithmOf(wanted))
  if (actual !== wanted) throw mismatch(wanted, actual, where)
}

function mismatch(wanted: Digest, actual: Digest, where: string): GantryError {
  return new GantryError('digest-mismatch', `${where}: digest mismatch: wanted ${wanted}, got ${actual}`)
}

async function notFound(context: RepositoryContext, reference: string, answer: RegistryAnswer): Promise<GantryError> {
  return missing(context, reference, await responseError(answer))
}

function missing(context: RepositoryContext, reference: string, cause: GantryError): GantryError {
  return new GantryError('not-found', `${referenceIn(context, reference)}: not found`, {
    response: cause.response,
    cause,
  })
}
