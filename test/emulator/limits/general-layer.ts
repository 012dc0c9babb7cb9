import {
  dropBody,
  emptyAnswer,
  errorAnswer,
  headerOf,
  jsonAnswer,
  readBody,
  textAnswer,
  withHeaders,
  type EmulatedAnswer,
} from '../answer.js'
import type { Layer } from '../call.js'
import type { GeneralSwitches } from './limit-switches.js'

/** What holds for every answer of a registry. */
export function createGeneralLayer({ ping, warning, requiredHeaders = [], extraHeaders = {} }: GeneralSwitches): Layer {
  return async (call, next) => {
    if (ping === 'everything')
      return textAnswer(200, '<html><body>Welcome</body></html>', { 'content-type': 'text/html' })
    const missing = requiredHeaders.find((name) => call.headers[name.toLowerCase()] === undefined)
    if (missing !== undefined) return errorAnswer(403, 'DENIED', `the header ${missing} is missing`)
    if (call.route?.kind === 'base' && ping === 404) return textAnswer(404, '404 page not found\n')
    if (call.route?.kind === 'base' && ping === 401) return errorAnswer(401, 'UNAUTHORIZED', 'authentication required')
    const answer = await next(call)
    return withHeaders(answer, {
      'docker-distribution-api-version': 'registry/2.0',
      ...(warning === undefined ? {} : { warning: `299 - "${warning}"` }),
      ...extraHeaders,
    })
  }
}

/** Puts scheme and host in front of the address of what was created. */
export function createLocationLayer(origin: () => string): Layer {
  return async (call, next) => {
    const answer = await next(call)
    const location = headerOf(answer, 'location')
    if (answer.status !== 201 || location?.startsWith('/') !== true) return answer
    return withHeaders(answer, { location: `${origin()}${location}` })
  }
}

/** Gives errors another shape than that of the distribution-spec. */
export function createErrorShapeLayer(shape: NonNullable<GeneralSwitches['errorShape']>): Layer {
  return async (call, next) => {
    const answer = await next(call)
    if (answer.status < 400 || call.method === 'HEAD' || shape === 'standard') return answer
    const shaped = await reshape(answer, shape)
    const { 'content-length': length, 'content-type': type } = shaped.headers
    return {
      ...answer,
      status: shaped.status,
      body: shaped.body,
      headers: { ...answer.headers, 'content-length': length ?? '0', 'content-type': type ?? 'text/plain' },
    }
  }
}

interface ErrorBody {
  readonly errors?: readonly { readonly code: string; readonly message: string }[]
}

async function reshape(
  answer: EmulatedAnswer,
  shape: NonNullable<GeneralSwitches['errorShape']>,
): Promise<EmulatedAnswer> {
  const text = (await readBody(answer)).toString()
  dropBody(answer)
  const first = (JSON.parse(text.startsWith('{') ? text : '{}') as ErrorBody).errors?.[0] ?? {
    code: 'UNKNOWN',
    message: text,
  }
  const { status } = answer
  switch (shape) {
    case 'standard':
      return textAnswer(status, text)
    case 'single':
      return jsonAnswer(status, first)
    case 'details':
      return jsonAnswer(status, { details: first.message })
    case 'text':
      return textAnswer(status, `${first.message}\n`)
    case 'html':
      return textAnswer(status, `<html><body><h1>${status}</h1></body></html>`, { 'content-type': 'text/html' })
    case 'escaped':
      return textAnswer(status, text.replaceAll('"', '&quot;'), { 'content-type': 'application/json' })
    case 'empty':
      return emptyAnswer(status)
    case 'huge':
      return jsonAnswer(status, { errors: [first], padding: 'x'.repeat(200_000) })
    case 'wrongStatus':
      return jsonAnswer(status === 401 ? 401 : 400, { errors: [first] })
  }
}
