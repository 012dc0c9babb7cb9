import type { Digest } from '../oci/digest.js'
import type { Exchange } from './exchange.js'
import { Refusal } from './refusal.js'

/** Whether the sender has this content already (If-None-Match, RFC 9110, section 13.1.2). */
export function isUnchanged(exchange: Exchange, digest: Digest): boolean {
  return matches(exchange.header('if-none-match'), digest)
}

/**
 * Checks If-Match and If-None-Match of a request that would replace `current` (RFC 9110, section 13.1).
 * @throws Refusal `PRECONDITION_FAILED`
 */
export function checkPreconditions(exchange: Exchange, current: Digest | undefined): void {
  const ifMatch = exchange.header('if-match')
  const ifNoneMatch = exchange.header('if-none-match')
  const failed =
    (ifMatch !== undefined && !matches(ifMatch, current)) ||
    (ifNoneMatch !== undefined && matches(ifNoneMatch, current))
  if (!failed) return
  throw new Refusal('PRECONDITION_FAILED', 'the content is not what the request expects', {
    headers: current === undefined ? undefined : { ETag: `"${current}"` },
  })
}

function matches(header: string | undefined, digest: Digest | undefined): boolean {
  if (header === undefined || digest === undefined) return false
  return header.split(',').some((entry) => {
    const tag = entry.trim()
    return tag === '*' || tag === `"${digest}"` || tag === `W/"${digest}"`
  })
}
