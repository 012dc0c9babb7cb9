import type { IncomingMessage } from 'node:http'
import type { Exchange } from './exchange.js'
import { Refusal } from './refusal.js'

/**
 * How long a request that was answered before its end is still read, in milliseconds: hanging up at once would reset
 * the connection, and the sender would never see the answer.
 */
const LINGER = 5_000

/** Answers a request that failed, in the form of the distribution-spec ("Error Codes"). */
export function answerError(exchange: Exchange, error: unknown): void {
  const { response } = exchange
  if (response.headersSent) {
    // The status is out; only a broken connection can still say that the body is not whole.
    response.destroy()
    return
  }
  const refusal = error instanceof Refusal ? error : undefined
  exchange.sendJson(refusal?.status ?? 500, refusal === undefined ? internalError() : bodyOf(refusal), refusal?.headers)
}

/** Ends the connection of a request that goes on long after its answer. Node drops what arrives meanwhile. */
export function hangUpOnRest(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return
  const timer = setTimeout(() => {
    if (!request.complete) request.destroy()
  }, LINGER).unref()
  request.on('close', () => clearTimeout(timer))
}

function bodyOf({ registryCode, message, detail }: Refusal): object {
  return { errors: [{ code: registryCode, message, detail }] }
}

/** What went wrong inside is nobody's business outside: it names files. */
function internalError(): object {
  return { errors: [{ code: 'UNKNOWN', message: 'the registry could not do this' }] }
}
