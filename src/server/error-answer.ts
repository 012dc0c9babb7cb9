import type { IncomingMessage } from 'node:http'
import type { Exchange } from './exchange.js'
import { Refusal } from './refusal.js'

/** What is still read of a request that was refused before its end, so that the sender gets to see the answer. */
const LINGER_BYTES = 16 * 1024 * 1024
const LINGER_MILLISECONDS = 5_000

/** Answers a request that failed, in the form of the distribution-spec ("Error Codes"). */
export function answerError(exchange: Exchange, error: unknown): void {
  const { request, response } = exchange
  if (response.headersSent) {
    // The status is out; only a broken connection can still say that the body is not whole.
    response.destroy()
    return
  }
  const refusal = error instanceof Refusal ? error : undefined
  const isWhole = request.complete
  const body = refusal === undefined ? internalError() : bodyOf(refusal)
  exchange.sendJson(refusal?.status ?? 500, body, {
    ...refusal?.headers,
    ...(isWhole ? {} : { Connection: 'close' }),
  })
  if (!isWhole) linger(request)
}

function bodyOf({ registryCode, message, detail }: Refusal): object {
  return { errors: [{ code: registryCode, message, ...(detail === undefined ? {} : { detail }) }] }
}

/** What went wrong inside is nobody's business outside: it names files. */
function internalError(): object {
  return { errors: [{ code: 'UNKNOWN', message: 'the registry could not do this' }] }
}

/** Reads on for a while and then hangs up: closing at once would reset the connection under the answer. */
function linger(request: IncomingMessage): void {
  let size = 0
  const hangUp = (): void => {
    request.destroy()
  }
  const timer = setTimeout(hangUp, LINGER_MILLISECONDS).unref()
  request.on('data', (chunk: Uint8Array) => {
    size += chunk.byteLength
    if (size > LINGER_BYTES) hangUp()
  })
  request.on('close', () => clearTimeout(timer))
  request.on('error', hangUp)
}
