import { GantryError, isGantryError } from '../errors.js'
import { visibleLine } from '../util/visible-text.js'
import { shownText } from './http/sent-secrets.js'
import type { RegistryAnswer } from './http/transport.js'

const MAX_SHOWN = 60

/**
 * The codings that a response claims its body to have (RFC 9110, section 8.4); undefined when it claims none. Object
 * stores and proxies label bytes that are as they were stored, so a label alone says nothing.
 */
export function encodingOf(answer: RegistryAnswer): string | undefined {
  const codings = (answer.headerList('content-encoding') ?? '').split(',').map((coding) => coding.trim().toLowerCase())
  const real = codings.filter((coding) => coding !== '' && coding !== 'identity')
  return real.length === 0 ? undefined : visibleLine(shownText(answer, real.join(', ')).slice(0, MAX_SHOWN))
}

/** A copy of an error about wrong content that mentions the label of the response; the error itself without a label. */
export function mentionEncoding(error: unknown, encoding: string | undefined): unknown {
  const isAboutContent = isGantryError(error, 'size-mismatch', 'digest-mismatch', 'invalid-content')
  if (encoding === undefined || !isAboutContent) return error
  return new GantryError(error.code, error.message, {
    ...error.options,
    hint: `the response is labelled "Content-Encoding: ${encoding}": a proxy before the registry may be changing responses`,
  })
}
