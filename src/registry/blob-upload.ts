import { isGantryError, type GantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { PushOptions } from '../store/store.js'
import { throwIfAborted } from '../util/abort.js'
import { both } from '../util/both.js'
import type { Bytes, OpenContent } from '../util/bytes.js'
import { hasBlob } from './blobs.js'
import { uploadsPath } from './endpoints.js'
import { ONE_PIECE } from './http/request-body.js'
import { isRetryableStatus } from './http/retry.js'
import type { RegistryAnswer, RegistryRequest } from './http/transport.js'
import { Attempts } from './repetition.js'
import { isOwnAnswer, scopesOf, type RepositoryContext } from './repository-context.js'
import { hasRegistryCode, responseError } from './response-error.js'
import { afterPause, ChunkSizes, withSizeHint } from './upload-chunks.js'
import { isUnclear } from './unclear-outcome.js'
import { cancelSession, checkStoredDigest, continueSession, openSession, readSessionStatus } from './upload-session.js'
import type { UploadSession } from './upload-session.js'
import { VerifiedSource } from './verified-source.js'

/** Below this many bytes sent, an upload is begun anew rather than continued. */
const WORTH_RESUMING = 1024 * 1024

/** What is uploaded. */
export interface BlobContent {
  readonly descriptor: Descriptor
  readonly open: OpenContent
}

export interface UploadOptions extends PushOptions {
  /** Send the blob in chunks of this many bytes, for registries and proxies that bound the body of a request. */
  readonly chunkSize?: number
  /** An upload that is open already, after a mount that was refused. */
  readonly session?: UploadSession
}

/**
 * Uploads a blob by one PUT (distribution-spec, "Pushing a blob monolithically", POST then PUT), which every registry
 * takes. After a failure the registry is asked whether it has the blob all the same, and else where it stands: the
 * upload goes on there in chunks, or anew where the answer cannot be believed.
 * @throws GantryError `digest-mismatch` or `size-mismatch` when the source is not what the descriptor says; the
 *   registry has not received all of it then
 */
export async function uploadBlob(
  context: RepositoryContext,
  content: BlobContent,
  options: UploadOptions,
): Promise<void> {
  await new BlobUpload(context, content, options).run()
}

/** What a failure says about an upload. */
type Failure =
  /** The registry may have everything, or a part, or nothing. */
  | 'unclear'
  /** The registry does not know the upload any more. */
  | 'lost'
  /** The registry stands elsewhere (status 416). */
  | 'wrong place'
  /** The body of the request was too large for the registry, or for a proxy before it. */
  | 'too large'
  /** The registry wants the blob in one piece. */
  | 'pieces refused'
  | 'final'

class BlobUpload {
  readonly #context: RepositoryContext
  readonly #descriptor: Descriptor
  readonly #options: UploadOptions
  readonly #source: VerifiedSource
  /** A small blob, which is read while the upload is opened. */
  #whole: Uint8Array | undefined
  #session: UploadSession | undefined
  /** Bytes that the registry has for certain. */
  #offset = 0
  /** Bytes handed to the connection in this session. */
  #sent = 0
  /** Bytes in the body of the last request. */
  #bodySize = 0
  /** Whether the last request continued an upload: one with the whole blob cannot be at the wrong place. */
  #namesPlace = false
  /** Set where the registry named the place, which may be wrong. */
  #isResumed = false
  readonly #chunks: ChunkSizes
  /** Set when a connection broke before all was sent: a server that refuses large bodies may have closed it. */
  #isBroken = false
  /** Cleared once the registry has refused to go on in the middle. */
  #canContinue = true
  readonly #attempts: Attempts
  /** The error made from the last answer that was one. */
  #refusal: GantryError | undefined

  constructor(context: RepositoryContext, { descriptor, open }: BlobContent, options: UploadOptions) {
    this.#context = context
    this.#descriptor = descriptor
    this.#options = options
    this.#source = new VerifiedSource(descriptor, open)
    this.#session = options.session
    this.#chunks = new ChunkSizes(context, options.chunkSize)
    const url = `${uploadsPath(context.name)}?digest=${descriptor.digest}`
    this.#attempts = new Attempts(context.repetition, context.transport, { method: 'PUT', url })
  }

  async run(): Promise<void> {
    try {
      // What should be empty and is not has nothing that could be held back.
      if (this.#descriptor.size === 0) await this.#readSmall()
      for (let isThere = false; !isThere;) isThere = await this.#attempt()
    } catch (error) {
      await this.#abandon()
      throw error
    } finally {
      await this.#source.close()
    }
  }

  /** @returns whether the registry has the blob; false when it is worth another attempt */
  async #attempt(): Promise<boolean> {
    const [session] = await both(this.#open(), this.#readSmall())
    try {
      await this.#send(session)
      return true
    } catch (error) {
      // What the source threw is the reason, whatever the connection made of it.
      if (this.#source.failure !== undefined) throw this.#source.failure.error
      throwIfAborted(this.#options.signal)
      return await this.#recover(error)
    }
  }

  async #open(): Promise<UploadSession> {
    return (this.#session ??= await openSession(this.#context, this.#options))
  }

  async #readSmall(): Promise<void> {
    if (this.#descriptor.size <= ONE_PIECE) this.#whole ??= await this.#source.readWhole()
  }

  async #send(session: UploadSession): Promise<void> {
    const { size } = this.#descriptor
    if (this.#offset === 0 && !this.#isChunked()) return this.#commit(session, size)
    const pieceSize = this.#chunks.sizeFor(session)
    let current = session
    while (this.#offset < size) {
      const end = Math.min(size, this.#offset + pieceSize)
      const answer = await this.#context.transport.request(this.#patch(current, end))
      if (![202, 201, 204].includes(answer.status)) throw await this.#refuse(answer)
      this.#session = current = await continueSession(this.#context, current, answer)
      this.#advance(end)
      // Some registries finish an upload with its last byte, and refuse the request that should finish it.
      if (answer.status === 201 && (await this.#isThere())) return
    }
    await this.#commit(current, 0)
  }

  /** The request that finishes the upload, with the whole blob or with nothing left to send. */
  async #commit(session: UploadSession, bodySize: number): Promise<void> {
    const separator = session.location.includes('?') ? '&' : '?'
    const answer = await this.#context.transport.request({
      ...this.#request('PUT', 0, bodySize),
      url: `${session.location}${separator}digest=${encodeURIComponent(this.#descriptor.digest)}`,
    })
    if ([201, 204].includes(answer.status) && isOwnAnswer(this.#context, answer)) await answer.discard()
    else {
      const refusal = await this.#refuse(answer)
      // Some proxies change a 201 into another status, and a host that was redirected to may not be the registry's.
      if (![200, 201, 202, 204].includes(answer.status) || !(await this.#isThere())) throw refusal
    }
    this.#session = undefined
    if (this.#isChunked()) this.#chunks.confirm()
    checkStoredDigest(this.#context, this.#descriptor.digest, answer)
    this.#options.onProgress?.(this.#descriptor.size)
  }

  #patch(session: UploadSession, end: number): RegistryRequest {
    const start = this.#offset
    return {
      ...this.#request('PATCH', start, end),
      url: session.location,
      headers: { 'content-range': `${start}-${end - 1}` },
    }
  }

  #request(method: 'PUT' | 'PATCH', start: number, end: number): Omit<RegistryRequest, 'url'> {
    const read = (offset = 0): Bytes => this.#source.read(start + offset, end)
    const open = this.#isBroken ? () => afterPause(read(), this.#options.signal) : read
    this.#bodySize = end - start
    this.#namesPlace = method === 'PATCH' || end === 0
    const body = {
      content: this.#whole?.subarray(start, end) ?? open,
      size: end - start,
      part: { start, size: this.#descriptor.size },
      contentType: 'application/octet-stream',
      onProgress: (offset: number) => {
        this.#sent = Math.max(this.#sent, start + offset)
        this.#options.onProgress?.(start + offset)
      },
    }
    return {
      method,
      body: end > start ? body : undefined,
      scopes: scopesOf(this.#context, 'pull', 'push'),
      retry: 'never',
      slowAnswer: true,
      signal: this.#options.signal,
    }
  }

  /** @returns whether the blob is there after all; @throws the error when nothing can be done about it */
  async #recover(error: unknown): Promise<boolean> {
    if (!isGantryError(error)) throw error
    const failure = this.#natureOf(error)
    if (failure === 'final') throw error
    if (failure === 'unclear' && (await this.#isThere())) return true
    if (failure === 'too large') {
      // Bounded by the size of the chunks, so it counts for no retry.
      if (!this.#chunks.shrink(error.response?.status, this.#bodySize)) throw withSizeHint(error)
      await this.#restart(true)
      return false
    }
    // To send the whole to a registry that refuses chunks is no retry.
    if (failure !== 'pieces refused') await this.#attempts.again(error, this.#options.signal)
    this.#isBroken = failure === 'unclear' && error.response === undefined && this.#sent < this.#descriptor.size
    const before = this.#offset
    if (failure === 'unclear' || (failure === 'wrong place' && this.#canContinue)) await this.#findPlace()
    else await this.#restart(failure === 'lost')
    // Refused where the registry itself says that it stands: it does not take chunks like this one.
    if (failure === 'wrong place' && this.#offset === before) {
      await this.#restart(
        this.#isResumed ? this.#isChunked() : this.#chunks.shrink(error.response?.status, this.#bodySize),
      )
    }
    return false
  }

  #natureOf(error: GantryError): Failure {
    const status = error === this.#refusal ? error.response?.status : undefined
    if (status === undefined ? isUnclear(error) : isRetryableStatus(status)) return 'unclear'
    if (status === 404 || hasRegistryCode(error, 'BLOB_UPLOAD_UNKNOWN')) return 'lost'
    if (status === 413 || status === 416) {
      // With this code the registry itself means the blob, and not the request.
      if (!this.#canContinue || hasRegistryCode(error, 'SIZE_INVALID')) return 'final'
      return status === 413 || !this.#namesPlace ? 'too large' : 'wrong place'
    }
    const isFinal = status === undefined || status === 401 || status === 403 || status >= 500
    return !isFinal && (this.#offset > 0 || this.#isChunked()) ? 'pieces refused' : 'final'
  }

  /** Goes on where the registry says that it stands, unless that cannot be. */
  async #findPlace(): Promise<void> {
    const session = this.#session
    if (session === undefined || !this.#canContinue || this.#sent < WORTH_RESUMING) return this.#restart(true)
    const status = await readSessionStatus(this.#context, session, this.#options)
    this.#session = status.session
    if (status.offset === undefined || status.offset > Math.min(this.#sent, this.#descriptor.size)) {
      return this.#restart(true)
    }
    if (status.offset >= this.#offset + WORTH_RESUMING) this.#attempts.forget()
    this.#offset = status.offset
    this.#isResumed = true
  }

  /** Begins anew; without chunks unless the registry merely lost the upload. */
  async #restart(mayContinue: boolean): Promise<void> {
    await this.#abandon()
    this.#offset = 0
    this.#sent = 0
    this.#isResumed = false
    this.#canContinue &&= mayContinue
  }

  async #abandon(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    if (session !== undefined) await cancelSession(this.#context, session)
  }

  #advance(offset: number): void {
    if (offset - this.#offset >= WORTH_RESUMING) this.#attempts.forget()
    this.#offset = offset
    this.#isBroken = false
  }

  #isChunked(): boolean {
    return this.#canContinue && this.#descriptor.size > this.#chunks.limit
  }

  async #isThere(): Promise<boolean> {
    const isThere = await hasBlob(this.#context, this.#descriptor, this.#options)
    if (isThere) this.#session = undefined
    return isThere
  }

  /** Answers are told apart from what the transport throws, which has been repeated as often as it may. */
  async #refuse(answer: RegistryAnswer): Promise<GantryError> {
    this.#refusal = await responseError(answer)
    return this.#refusal
  }
}
