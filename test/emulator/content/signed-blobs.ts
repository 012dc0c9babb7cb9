import { randomBytes } from 'node:crypto'
import { emptyAnswer, errorAnswer, textAnswer, withHeaders, type EmulatedAnswer } from '../answer.js'
import type { Call, Next } from '../call.js'
import type { VirtualTime } from '../virtual-time.js'
import type { BlobSwitches } from './content-switches.js'

interface SignedBlob {
  /** Path of the blob in the registry behind. */
  readonly path: string
  readonly signedAt: number
  /** Redirects that are still ahead. */
  readonly hops: number
}

export interface SignedBlobsContext {
  readonly switches: BlobSwitches
  readonly time: VirtualTime
  /** `https://name` of the other origin. */
  readonly origin: () => string
  /** Reads from the registry behind. */
  readonly read: Next
}

/** Headers that hold secrets; signed addresses and secrets do not go together. */
const SECRET_HEADERS = ['authorization', 'cookie', 'proxy-authorization', 'x-jfrog-art-api', 'x-meta-source-client']

/** The second origin: blobs at addresses that are signed, for everybody who has one and shows nothing else. */
export class SignedBlobs {
  readonly #context: SignedBlobsContext
  readonly #signed = new Map<string, SignedBlob>()

  constructor(context: SignedBlobsContext) {
    this.#context = context
  }

  /** The redirect to a blob. */
  redirect(call: Call, status: number): EmulatedAnswer {
    const { redirectChain = 0 } = this.#context.switches
    if (redirectChain === 'http')
      return emptyAnswer(status, { location: `http://${new URL(this.#context.origin()).host}/plain` })
    if (redirectChain === 'private') return emptyAnswer(status, { location: 'http://10.0.0.1/blob' })
    const hops = redirectChain === 'loop' ? Number.POSITIVE_INFINITY : redirectChain
    return emptyAnswer(status, { location: this.#sign({ path: call.path, signedAt: this.#context.time.now(), hops }) })
  }

  /** Answers a request to the other origin. */
  async answer(call: Call): Promise<EmulatedAnswer> {
    const signed = this.#signed.get(call.query.get('X-Signature') ?? '')
    if (SECRET_HEADERS.some((name) => call.headers[name] !== undefined)) {
      return textAnswer(400, '<Error><Message>Only one auth mechanism allowed</Message></Error>', XML)
    }
    const { redirectExpiry, redirect = 307 } = this.#context.switches
    const age = this.#context.time.now() - (signed?.signedAt ?? 0)
    if (signed === undefined || (redirectExpiry !== undefined && age >= redirectExpiry * 1000)) {
      return textAnswer(403, '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>', XML)
    }
    if (!call.isRead) return errorAnswer(405, 'UNSUPPORTED', 'read only')
    if (signed.hops > 0) return emptyAnswer(redirect, { location: this.#sign({ ...signed, hops: signed.hops - 1 }) })
    const inner = call.derive(call.method, signed.path)
    const { range } = call.headers
    inner.headers = { ...(range === undefined ? {} : { range }) }
    const answer = await this.#context.read(inner)
    return withHeaders(answer, { 'docker-content-digest': undefined, 'docker-distribution-api-version': undefined })
  }

  #sign(blob: SignedBlob): string {
    const key = randomBytes(16).toString('hex')
    this.#signed.set(key, blob)
    return `${this.#context.origin()}/data/${blob.path.split('/').at(-1) ?? ''}?X-Signature=${key}`
  }
}

const XML = { 'content-type': 'application/xml' }
