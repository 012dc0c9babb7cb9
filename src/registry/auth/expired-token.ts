import { Readable } from 'node:stream'
import { isJsonObject, parseJson } from '../../util/json.js'
import { Answer } from '../http/answer.js'
import { readBodyStart } from '../http/body-start.js'

/** An answer whose body can still be read, and whether it complains about an outdated token. */
export interface CheckedAnswer {
  readonly answer: Answer
  readonly expired: boolean
}

/**
 * Whether a 400 means that the token is outdated: public ECR says so with the code DENIED instead of a 401.
 * The beginning of the body is read for that and put back.
 */
export async function checkExpiredToken(answer: Answer): Promise<CheckedAnswer> {
  const bytes = await readBodyStart(answer.body)
  const { status, method, url, content } = answer
  const body = Readable.from([Buffer.from(bytes)], { objectMode: false })
  return { answer: new Answer(status, method, url, { ...content, body }), expired: isDeniedToken(bytes) }
}

function isDeniedToken(bytes: Uint8Array): boolean {
  let body: unknown
  try {
    body = parseJson(bytes, 'error of the registry')
  } catch {
    // Whatever it is, it is not that complaint.
    return false
  }
  const errors: readonly unknown[] = isJsonObject(body) && Array.isArray(body.errors) ? body.errors : []
  return errors.filter(isJsonObject).some(({ code, message }) => {
    return code === 'DENIED' && typeof message === 'string' && message.toLowerCase().includes('authorization token')
  })
}
