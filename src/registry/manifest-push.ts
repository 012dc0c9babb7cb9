import { GantryError, isGantryError, type RegistryErrorEntry } from '../errors.js'
import { plainDescriptor, type Descriptor } from '../oci/descriptor.js'
import { algorithmOf, isDigest } from '../oci/digest.js'
import { manifestDigest, type ManifestContent } from '../oci/manifest.js'
import { isSchema1Type } from '../oci/media-types.js'
import type { CallOptions } from '../store/store.js'
import { verifyContent } from '../store/verify.js'
import { collectBytes, type Bytes, type OpenContent } from '../util/bytes.js'
import { manifestPath } from './endpoints.js'
import { isRetryableStatus } from './http/retry.js'
import type { RegistryAnswer } from './http/transport.js'
import { checkAnnouncedDigest, checkDigest, resolveManifest, type ManifestBytes } from './manifests.js'
import { isOwnAnswer, referenceIn, scopesOf, type RepositoryContext } from './repository-context.js'
import { responseError } from './response-error.js'
import { isUnclear } from './unclear-outcome.js'

export interface PutManifestOptions extends CallOptions {
  readonly onProgress?: (offset: number) => void
  /** Write only while the tag still holds what this names (RFC 9110, section 13.1.1). */
  readonly ifMatch?: string
  /** Called when the first byte is about to be sent, in every attempt; what it throws ends the request. */
  readonly beforeSending?: () => void
  /** Send it behind others for which this is set, which the registry gets to one after the other. */
  readonly inOrder?: boolean
  /** A tag to set in the same request where the reference is a digest (distribution-spec, end-7b). */
  readonly tag?: string
}

/** What a registry says about a manifest that it has stored. */
export interface StoredManifest {
  /** The subject that it has indexed. */
  readonly subject: string | undefined
  /** The tags that it has set beside the reference itself. */
  readonly tags: readonly string[]
}

/** Answers that can also mean "it is there already": a tag that must not move, or a repeated request. */
const ALREADY_THERE: ReadonlySet<number> = new Set([400, 409, 412])

/**
 * Reads the bytes of a manifest that is to be pushed.
 * @throws GantryError `limit-exceeded`, `size-mismatch`, `digest-mismatch`
 */
export async function collectManifest(
  context: RepositoryContext,
  descriptor: Descriptor,
  open: OpenContent,
): Promise<ManifestContent> {
  const what = `manifest ${descriptor.digest}`
  if (descriptor.size > context.maxManifestSize) {
    throw new GantryError('limit-exceeded', `${what} exceeds the limit of ${context.maxManifestSize} bytes`, {
      details: { reason: 'manifest-size' },
    })
  }
  const isHashed = !isSchema1Type(descriptor.mediaType)
  const content = isHashed ? verifyContent(descriptor, open()) : open()
  const bytes = await collectBytes(content, context.maxManifestSize, what, 'manifest-size')
  if (!isHashed) checkDigest(descriptor.digest, { mediaType: descriptor.mediaType, bytes }, what)
  return { descriptor: plainDescriptor(descriptor), bytes }
}

/**
 * Stores a manifest under a tag or under its digest (distribution-spec, end-7). Repeated freely; when it fails although
 * the registry may have stored it, what the registry has decides.
 * @throws GantryError `digest-mismatch` when the registry stored something else; `conflict` when a tag must not move
 */
export async function putManifest(
  context: RepositoryContext,
  { descriptor, bytes }: ManifestContent,
  reference: string,
  options: PutManifestOptions = {},
): Promise<StoredManifest> {
  const { signal, ifMatch, onProgress, tag, inOrder = false } = options
  let failure: GantryError
  let mayBeThere = true
  let stored: StoredManifest = { subject: undefined, tags: [] }
  try {
    const answer = await context.transport.request({
      method: 'PUT',
      url: manifestPath(context.name, reference, isDigest(reference) ? tag : undefined),
      headers: ifMatch === undefined ? {} : { 'if-match': ifMatch },
      body: {
        content: options.beforeSending === undefined ? bytes : () => sendBytes(bytes, options.beforeSending),
        size: bytes.byteLength,
        contentType: descriptor.mediaType,
        onProgress,
      },
      scopes: scopesOf(context, 'pull', 'push'),
      retry: 'free',
      slowAnswer: true,
      inOrder,
      signal,
    })
    const { status } = answer
    if (isStored(answer) || status === 204) {
      checkAnnouncedDigest(answer, { mediaType: descriptor.mediaType, bytes }, referenceIn(context, reference))
      stored = { subject: answer.header('oci-subject'), tags: listOf(answer.headerList('oci-tag')) }
    }
    if (isStored(answer) && isOwnAnswer(context, answer)) {
      context.state.accessible.add(context.name)
      await answer.discard()
      return stored
    }
    failure = explainDockerTypes(await responseError(answer), descriptor.mediaType)
    // No registry answers 204, and a host that was redirected to may not be the registry's: what it has decides.
    mayBeThere =
      isStored(answer) ||
      status === 204 ||
      isRetryableStatus(status) ||
      (ifMatch === undefined && ALREADY_THERE.has(status))
  } catch (error) {
    if (!isGantryError(error) || !isUnclear(error)) throw error
    failure = error
  }
  if (mayBeThere && (await isThere(context, { mediaType: descriptor.mediaType, bytes }, reference, options)))
    return stored
  throw failure
}

/** Registries that take OCI media types alone say so in their own ways; the status 415 means nothing else. */
function explainDockerTypes(failure: GantryError, mediaType: string): GantryError {
  const { status, errors = [] } = failure.response ?? {}
  const isAboutTypes = status === 415 || (status === 400 && errors.some(mentionsMediaType))
  if (!mediaType.startsWith('application/vnd.docker.') || !isAboutTypes) return failure
  return new GantryError(
    'unsupported',
    `the registry does not take the Docker media type ${mediaType}: ${failure.message}`,
    {
      ...failure.options,
      hint: 'the image needs OCI media types there, unless the registry is configured to take those of Docker',
      details: { ...failure.details, reason: 'docker-media-types' },
    },
  )
}

function mentionsMediaType({ message = '', detail }: RegistryErrorEntry): boolean {
  return /media ?type/i.test(`${message} ${JSON.stringify(detail ?? '')}`)
}

async function* sendBytes(bytes: Uint8Array, beforeSending?: () => void): Bytes {
  beforeSending?.()
  yield bytes
}

function listOf(header = ''): readonly string[] {
  return header.split(',').map((entry) => entry.trim())
}

function isStored({ status }: RegistryAnswer): boolean {
  return status === 201 || status === 200 || status === 202
}

async function isThere(
  context: RepositoryContext,
  { mediaType, bytes }: ManifestBytes,
  reference: string,
  { signal }: CallOptions,
): Promise<boolean> {
  try {
    const { digest } = await resolveManifest(context, reference, { signal })
    return digest === manifestDigest(mediaType, bytes, algorithmOf(digest))
  } catch (error) {
    if (isGantryError(error, 'aborted')) throw error
    // The first failure says more than that of the question about it.
    return false
  }
}
