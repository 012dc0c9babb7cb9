import { GantryError, isGantryError } from '../errors.js'
import type { CallOptions } from '../store/store.js'
import { algorithmOf, isDigest, type Digest } from '../oci/digest.js'
import { repositoryScope } from './auth/scope.js'
import { parseByteCount, parseUploadOffset } from './content-range.js'
import { uploadsPath, type MountQuery } from './endpoints.js'
import type { RegistryAnswer } from './http/transport.js'
import { resolveRegistryAddress } from './registry-address.js'
import { referenceIn, scopesOf, type RepositoryContext } from './repository-context.js'
import { responseError } from './response-error.js'

/** Largest minimum for chunks that a registry may ask for, in bytes. */
const MAX_MINIMUM_CHUNK = 256 * 1024 * 1024
/** How long the attempt to tidy up an abandoned upload may take, in milliseconds. */
const CANCEL_TIMEOUT = 2000

/** An upload that a registry has opened. */
export interface UploadSession {
  /** Where the next request goes. Opaque, and new after every answer (distribution-spec, "Pushing blobs"). */
  readonly location: string
  /** Bounds of a chunk other than the last one, in bytes. */
  readonly minimumChunk: number
  readonly maximumChunk: number
}

/**
 * Opens an upload (distribution-spec, end-4a).
 * @throws GantryError made from the answer; `untrusted-destination` when the upload is to go to another host
 */
export async function openSession(context: RepositoryContext, { signal }: CallOptions): Promise<UploadSession> {
  const url = uploadsPath(context.name)
  const scopes = scopesOf(context, 'pull', 'push')
  let answer: RegistryAnswer
  try {
    answer = await context.transport.request({ method: 'POST', url, scopes, retry: 'free', signal })
  } catch (error) {
    // Some registries hang up on uploads to repositories that they do not have, and on nothing else.
    throw isGantryError(error, 'network-error') && error.hint === undefined ? withCreationHint(error) : error
  }
  if (answer.status === 202) return sessionOf(context, answer)
  const error = await responseError(answer)
  throw error.code === 'not-found' ? withCreationHint(error) : error
}

function withCreationHint({ code, message, response, cause }: GantryError): GantryError {
  const hint = 'the registry may want the repository to be created first'
  return new GantryError(code, message, { hint, response, cause })
}

/**
 * Asks for a blob of a neighbouring repository (distribution-spec, end-11).
 * @returns `mounted`; or the upload that was opened instead; or undefined when the registry refused
 */
export async function openMount(
  context: RepositoryContext,
  mount: MountQuery,
  { signal }: CallOptions,
): Promise<'mounted' | UploadSession | undefined> {
  const url = uploadsPath(context.name, mount)
  const scopes = [...scopesOf(context, 'pull', 'push'), repositoryScope(mount.from, 'pull')]
  const answer = await context.transport.request({ method: 'POST', url, scopes, retry: 'free', signal })
  if (answer.status === 202) return sessionOf(context, answer)
  await answer.discard()
  return answer.status === 201 ? 'mounted' : undefined
}

/** The session as it stands after an answer that may name a new location. */
export async function continueSession(
  context: RepositoryContext,
  session: UploadSession,
  answer: RegistryAnswer,
): Promise<UploadSession> {
  await answer.discard()
  const location = answer.header('location')
  if (location === undefined || location === '') return session
  return { ...session, location: resolveLocation(context, location, answer.url) }
}

/**
 * Asks how much of an upload has arrived (distribution-spec, end-13).
 * @returns the session with its newest location, and the bytes received where the registry says so believably
 */
export async function readSessionStatus(
  context: RepositoryContext,
  session: UploadSession,
  { signal }: CallOptions,
): Promise<{ session: UploadSession; offset: number | undefined }> {
  const scopes = scopesOf(context, 'pull', 'push')
  const answer = await context.transport.request({
    method: 'GET',
    url: session.location,
    scopes,
    retry: 'free',
    followRedirects: true,
    signal,
  })
  const isOpen = answer.status === 204 || answer.status === 200
  const offset = isOpen ? parseUploadOffset(answer.header('range')) : undefined
  return {
    session: isOpen ? await continueSession(context, session, answer) : await discarded(answer, session),
    offset,
  }
}

/** Tells the registry that an upload will not be finished; nobody depends on its being heard. */
export async function cancelSession(context: RepositoryContext, session: UploadSession): Promise<void> {
  try {
    const answer = await context.transport.request({
      method: 'DELETE',
      url: session.location,
      scopes: scopesOf(context, 'pull', 'push'),
      retry: 'never',
      signal: AbortSignal.timeout(CANCEL_TIMEOUT),
    })
    await answer.discard()
  } catch {
    // Registries purge what is left open, and the reason for giving up is what the caller has to hear.
  }
}

async function sessionOf(context: RepositoryContext, answer: RegistryAnswer): Promise<UploadSession> {
  await answer.discard()
  const location = answer.header('location')
  if (location === undefined || location === '') {
    throw new GantryError('registry-error', `${context.transport.registry} opened an upload and did not say where`)
  }
  const minimumChunk = parseByteCount(answer.header('oci-chunk-min-length')) ?? 0
  // A sibling of the header above that some registries send.
  const maximumChunk = parseByteCount(answer.header('oci-chunk-max-length')) ?? Number.MAX_SAFE_INTEGER
  return {
    location: resolveLocation(context, location, answer.url),
    minimumChunk: Math.min(minimumChunk, MAX_MINIMUM_CHUNK),
    maximumChunk: Math.max(1, maximumChunk),
  }
}

/** @param base the address that answered, after redirects */
function resolveLocation({ transport }: RepositoryContext, location: string, base: string): string {
  const absolute = new URL(base, transport.origin).href
  const context = { origin: transport.origin, base: absolute, what: 'upload location', mask: transport.shown }
  return resolveRegistryAddress(location, context)
}

async function discarded(answer: RegistryAnswer, session: UploadSession): Promise<UploadSession> {
  await answer.discard()
  return session
}

/**
 * Checks what a registry says that it has stored.
 * @throws GantryError `digest-mismatch` when it is something else
 */
export function checkStoredDigest(context: RepositoryContext, digest: Digest, answer: RegistryAnswer): void {
  const stored = answer.header('docker-content-digest')?.trim()
  // A registry may name the blob by another algorithm, which says nothing either way.
  if (stored === undefined || !isDigest(stored) || algorithmOf(stored) !== algorithmOf(digest)) return
  if (stored === digest) return
  const where = referenceIn(context, digest)
  throw new GantryError('digest-mismatch', `${where}: digest mismatch: sent ${digest}, the registry stored ${stored}`)
}
