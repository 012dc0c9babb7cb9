import { GantryError } from '../../errors.js'
import { collectBytes } from '../../util/bytes.js'
import { encodingOf } from '../content-encoding.js'
import type { Answer } from './answer.js'

export interface SmallBodyOptions {
  /** In bytes, also when it is decoded. */
  readonly limit: number
  /** Milliseconds that the whole body may take; 0 for ever. */
  readonly timeLimit: number
  /** Names the body in errors. */
  readonly what: string
}

/**
 * Reads a body that is known to be small, and decodes it where it is gzip by its label and its bytes.
 * @throws GantryError `limit-exceeded`, `timeout`, `network-error`
 */
export async function readSmallBody(answer: Answer, { limit, timeLimit, what }: SmallBodyOptions): Promise<Uint8Array> {
  const onTimeout = (): void => {
    answer.body.destroy(new GantryError('timeout', `${what} did not arrive within ${timeLimit / 1000} s`))
  }
  const timer = timeLimit > 0 ? setTimeout(onTimeout, timeLimit) : undefined
  try {
    const bytes = await collectBytes(answer.body, limit, what)
    const encoding = encodingOf(answer)
    if (encoding === undefined) return bytes
    const { decodeDocument } = await import('../labelled-content.js')
    return await decodeDocument(bytes, { encoding, limit, what })
  } finally {
    clearTimeout(timer)
  }
}
