import { isGantryError } from '../errors.js'
import { algorithmOf, type Digest, type DigestAlgorithm } from '../oci/digest.js'
import { isRepositoryName } from '../oci/reference.js'
import type { Permission } from './auth/access.js'
import { parseChunkRange, type ByteRange } from './byte-range.js'
import type { Exchange } from './exchange.js'
import { Refusal } from './refusal.js'
import { digestOfSegment, type Route } from './route.js'
import type { RegistryStorage } from './storage/storage.js'
import type { UploadSession, UploadSessions } from './upload-sessions.js'

type UploadsRoute = Extract<Route, { kind: 'uploads' }>
type UploadRoute = Extract<Route, { kind: 'upload' }>

/** What the endpoints for uploads work with. */
export interface UploadContext {
  readonly storage: RegistryStorage
  readonly sessions: UploadSessions
  /** In bytes. */
  readonly maxBlobSize: number
}

/**
 * POST: begins an upload, takes a whole blob with `?digest=`, or mounts one with `?mount=`
 * (distribution-spec, "Pushing blobs", "Mounting a blob from another repository").
 * @throws Refusal
 */
export async function postUpload(
  exchange: Exchange,
  { repository }: UploadsRoute,
  context: UploadContext,
): Promise<void> {
  const mount = exchange.query.get('mount')
  if (mount !== null && (await mountBlob(exchange, repository, context.storage))) {
    sendCreated(exchange, repository, digestOfSegment(mount))
    return
  }
  const digest = exchange.query.get('digest')
  const whole = digest === null ? undefined : digestOfSegment(digest)
  const session = await context.sessions.create(repository, requestedAlgorithm(exchange, whole), whole !== undefined)
  if (whole === undefined) {
    sendProgress(exchange, 202, session)
    return
  }
  try {
    await finishUpload(exchange, session, whole, context)
  } catch (error) {
    // Nobody knows its address, so nobody could go on with it.
    await context.sessions.end(session)
    throw error
  }
}

/** PATCH: adds a chunk, or everything at once when there is no Content-Range. */
export async function patchUpload(exchange: Exchange, route: UploadRoute, context: UploadContext): Promise<void> {
  const session = context.sessions.get(route.repository, route.id)
  await context.sessions.use(session, () => receive(exchange, session, context))
  sendProgress(exchange, 202, session)
}

/** PUT: adds what the body holds, checks the whole against `?digest=` and publishes it. */
export async function putUpload(exchange: Exchange, route: UploadRoute, context: UploadContext): Promise<void> {
  const session = context.sessions.get(route.repository, route.id)
  const text = exchange.query.get('digest')
  if (text === null) throw new Refusal('DIGEST_INVALID', 'the digest is missing')
  await finishUpload(exchange, session, digestOfSegment(text), context)
}

/** GET: where an upload stands. */
export function sendUploadStatus(exchange: Exchange, route: UploadRoute, context: UploadContext): void {
  sendProgress(exchange, 204, context.sessions.get(route.repository, route.id))
}

/** DELETE: gives an upload up. */
export async function deleteUpload(exchange: Exchange, route: UploadRoute, context: UploadContext): Promise<void> {
  await context.sessions.end(context.sessions.get(route.repository, route.id))
  exchange.send(204)
}

async function finishUpload(
  exchange: Exchange,
  session: UploadSession,
  digest: Digest,
  context: UploadContext,
): Promise<void> {
  await context.sessions.use(session, async () => {
    if (session.writer.size === 0) await useAlgorithm(session, digest, context)
    await receive(exchange, session, context)
    try {
      await context.storage.commitBlob(session.repository, digest, session.writer)
    } catch (error) {
      await context.sessions.end(session)
      if (!isGantryError(error, 'digest-mismatch')) throw error
      throw new Refusal('DIGEST_INVALID', error.message, { cause: error })
    }
    await context.sessions.end(session)
  })
  sendCreated(exchange, session.repository, digest)
}

/** Before the first byte the algorithm can still be chosen, so that nothing has to be read twice. */
async function useAlgorithm(session: UploadSession, digest: Digest, { storage }: UploadContext): Promise<void> {
  const unused = session.writer
  session.writer = storage.createWriter(algorithmOf(digest))
  await unused.abort()
}

/** After a broken connection the upload can be resumed; after anything else that goes wrong it is over. */
async function receive(exchange: Exchange, session: UploadSession, context: UploadContext): Promise<void> {
  const range = readChunkRange(exchange, session)
  const length = Number(exchange.header('content-length') ?? 0)
  if (session.writer.size + length > context.maxBlobSize) {
    await context.sessions.end(session)
    throw tooLarge(context.maxBlobSize)
  }
  try {
    await session.writer.write(exchange.body(), context.maxBlobSize)
  } catch (error) {
    if (isGantryError(error)) await context.sessions.end(session)
    throw isGantryError(error, 'limit-exceeded') ? tooLarge(context.maxBlobSize) : error
  }
  if (range === undefined || session.writer.size === range.end + 1) return
  await context.sessions.end(session)
  throw new Refusal('SIZE_INVALID', 'the chunk is not as long as its Content-Range says')
}

/** A chunk has to begin where the upload stands. */
function readChunkRange(exchange: Exchange, session: UploadSession): ByteRange | undefined {
  const header = exchange.header('content-range')
  if (header === undefined) return undefined
  const range = parseChunkRange(header)
  if (range === undefined) throw new Refusal('BLOB_UPLOAD_INVALID', 'the Content-Range is malformed')
  if (range.start !== session.writer.size) {
    throw new Refusal('RANGE_INVALID', `the upload stands at ${session.writer.size} bytes`, {
      headers: progressHeaders(session),
    })
  }
  const length = exchange.header('content-length')
  if (length !== undefined && Number(length) !== range.end - range.start + 1) {
    throw new Refusal('SIZE_INVALID', 'Content-Range and Content-Length do not agree')
  }
  return range
}

function requestedAlgorithm(exchange: Exchange, digest: Digest | undefined): DigestAlgorithm {
  if (digest !== undefined) return algorithmOf(digest)
  const algorithm = exchange.query.get('digest-algorithm') ?? 'sha256'
  if (algorithm === 'sha256' || algorithm === 'sha512') return algorithm
  throw new Refusal('DIGEST_INVALID', 'the digest algorithm is not supported')
}

/** Without `from`, any repository that the sender may pull from will do. */
async function mountBlob(exchange: Exchange, repository: string, storage: RegistryStorage): Promise<boolean> {
  const digest = digestOfSegment(exchange.query.get('mount') ?? '')
  const from = exchange.query.get('from')
  const sources = from === null ? storage.repositoriesWithBlob(digest) : isRepositoryName(from) ? [from] : []
  if (from !== null) askForSource(exchange, repository, from)
  for (const name of sources) {
    if (!exchange.access.allows({ type: 'repository', name, action: 'pull' })) continue
    if (await storage.mountBlob(repository, digest, name)) return true
  }
  return false
}

/** A client whose token lacks the other repository gets to know what to ask for; others go on and upload. */
function askForSource({ access }: Exchange, repository: string, from: string): void {
  const source = { type: 'repository', name: from, action: 'pull' } as const
  if (!isRepositoryName(from) || access.allows(source)) return
  const target = (action: 'pull' | 'push'): Permission => ({ type: 'repository', name: repository, action })
  const refusal = access.askFor?.([target('pull'), target('push'), source])
  if (refusal !== undefined) throw refusal
}

function sendCreated(exchange: Exchange, repository: string, digest: Digest): void {
  exchange.send(201, { Location: `/v2/${repository}/blobs/${digest}`, 'Docker-Content-Digest': digest })
}

function sendProgress(exchange: Exchange, status: 202 | 204, session: UploadSession): void {
  exchange.send(status, progressHeaders(session))
}

function progressHeaders(session: UploadSession): Record<string, string> {
  return {
    Location: `/v2/${session.repository}/blobs/uploads/${session.id}`,
    // Nothing received and one byte received look the same: the form has no empty range.
    Range: `0-${Math.max(session.writer.size - 1, 0)}`,
    'Docker-Upload-UUID': session.id,
  }
}

function tooLarge(limit: number): Refusal {
  return new Refusal('SIZE_INVALID', `the blob exceeds the limit of ${limit} bytes`, { status: 413 })
}
