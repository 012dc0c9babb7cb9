import { GantryError, isGantryError } from '../errors.js'
import { collectBytes } from '../util/bytes.js'
import { parseByteCount } from './content-range.js'
import { encodingOf } from './content-encoding.js'
import type { RegistryAnswer, RegistryRequest, RegistryTransport, Repetition } from './http/transport.js'
import { Attempts, repetitionOf } from './repetition.js'
import { responseError } from './response-error.js'

export interface Bound {
  /** Largest body that is read, in bytes. */
  readonly limit: number
  /** Names the document in errors. */
  readonly what: string
  /** How it is asked for again when its body breaks off; default: as the transport repeats requests. */
  readonly repetition?: Repetition
}

export interface BoundedAnswer {
  readonly answer: RegistryAnswer
  readonly bytes: Uint8Array
}

/**
 * Asks for a small document and reads it whole. A body that breaks off is asked for again.
 * @throws GantryError made from the response unless its status is 200; `limit-exceeded`; `invalid-content` when the
 *   body is damaged gzip
 */
export async function requestBounded(
  transport: RegistryTransport,
  request: RegistryRequest,
  bound: Bound,
): Promise<BoundedAnswer> {
  const attempts = new Attempts(bound.repetition ?? repetitionOf(transport), transport, request)
  for (;;) {
    const answer = await transport.request(request)
    if (answer.status !== 200) throw await responseError(answer)
    const announced = parseByteCount(answer.header('content-length'))
    if (announced !== undefined && announced > bound.limit) {
      answer.body.destroy()
      throw new GantryError('limit-exceeded', `${bound.what} exceeds the limit of ${bound.limit} bytes`, {
        details: { reason: 'manifest-size' },
      })
    }
    try {
      const bytes = await collectBytes(answer.body, bound.limit, bound.what, 'manifest-size')
      const encoding = encodingOf(answer)
      if (encoding === undefined) return { answer, bytes }
      const { decodeDocument } = await import('./labelled-content.js')
      return { answer, bytes: await decodeDocument(bytes, { ...bound, encoding }) }
    } catch (error) {
      if (!isGantryError(error, 'network-error', 'timeout')) throw error
      await attempts.again(error, request.signal)
    }
  }
}
