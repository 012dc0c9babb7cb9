import { randomUUID } from 'node:crypto'
import type { DigestAlgorithm } from '../oci/digest.js'
import { Refusal } from './refusal.js'
import type { ContentWriter } from './storage/content-store.js'
import type { RegistryStorage } from './storage/storage.js'

/** An upload between its POST and its closing PUT. */
export interface UploadSession {
  readonly id: string
  readonly repository: string
  writer: ContentWriter
  /** One request at a time adds to an upload. */
  busy: boolean
  /** In milliseconds of the monotonic clock. */
  lastUsed: number
  /** It has no address that anybody could know: its one request brings the whole blob. */
  readonly isWhole: boolean
}

export interface UploadLimits {
  /** Uploads that may be open at once. */
  readonly maxUploads: number
  /** Milliseconds without a request after which an upload is given up. */
  readonly uploadTimeToLive: number
}

/** The open uploads of a registry. They end with the process: a client that is told so starts anew. */
export class UploadSessions {
  readonly #storage: RegistryStorage
  readonly #limits: UploadLimits
  readonly #sessions = new Map<string, UploadSession>()
  #timer: NodeJS.Timeout | undefined

  constructor(storage: RegistryStorage, limits: UploadLimits) {
    this.#storage = storage
    this.#limits = limits
  }

  /**
   * Where as many uploads as allowed are open, the empty one that was not used for the longest time gives way: opening
   * uploads costs nothing, and must not keep others from uploading.
   * @param isWhole the request that opens it brings the whole blob
   * @throws Refusal `TOOMANYREQUESTS` when as many uploads as allowed have received something
   */
  async create(repository: string, algorithm: DigestAlgorithm, isWhole: boolean): Promise<UploadSession> {
    await this.#removeExpired()
    if (this.#sessions.size >= this.#limits.maxUploads) await this.#removeEmpty()
    if (this.#sessions.size >= this.#limits.maxUploads) {
      throw new Refusal('TOOMANYREQUESTS', 'too many uploads are open', { headers: { 'Retry-After': '5' } })
    }
    const writer = this.#storage.createWriter(algorithm)
    const session = { id: randomUUID(), repository, writer, busy: false, lastUsed: performance.now(), isWhole }
    this.#sessions.set(session.id, session)
    this.#schedule()
    return session
  }

  /** @throws Refusal `BLOB_UPLOAD_UNKNOWN`, also for an upload of another repository */
  get(repository: string, id: string): UploadSession {
    const session = this.#sessions.get(id)
    if (session?.repository !== repository || this.#isExpired(session)) {
      throw new Refusal('BLOB_UPLOAD_UNKNOWN', 'there is no such upload')
    }
    session.lastUsed = performance.now()
    return session
  }

  /**
   * Does work that adds to an upload.
   * @throws Refusal 409 while another request does
   */
  async use<Result>(session: UploadSession, work: () => Promise<Result>): Promise<Result> {
    if (session.busy) {
      throw new Refusal('BLOB_UPLOAD_INVALID', 'another request is writing to this upload', { status: 409 })
    }
    session.busy = true
    try {
      return await work()
    } finally {
      session.busy = false
      session.lastUsed = performance.now()
    }
  }

  /** Forgets an upload, and removes what it has received unless that was committed. */
  async end(session: UploadSession): Promise<void> {
    this.#sessions.delete(session.id)
    await session.writer.abort()
  }

  #isExpired(session: UploadSession): boolean {
    return !session.busy && performance.now() - session.lastUsed > this.#limits.uploadTimeToLive
  }

  async #removeEmpty(): Promise<void> {
    let oldest: UploadSession | undefined
    for (const session of this.#sessions.values()) {
      const isEmpty = !session.busy && !session.isWhole && session.writer.size === 0
      if (isEmpty && session.lastUsed < (oldest?.lastUsed ?? Infinity)) oldest = session
    }
    if (oldest !== undefined) await this.end(oldest)
  }

  async #removeExpired(): Promise<void> {
    const expired = [...this.#sessions.values()].filter((session) => this.#isExpired(session))
    await Promise.all(expired.map((session) => this.end(session)))
  }

  /** Looks again after a while for as long as uploads are open, without keeping the process alive. */
  #schedule(): void {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      // A file that cannot be removed now is removed when the folder is opened the next time.
      this.#removeExpired().catch(() => undefined)
      if (this.#sessions.size > 0) this.#schedule()
    }, this.#limits.uploadTimeToLive + 1).unref()
  }
}
