import { GantryError, isGantryError, type ErrorCode, type RegistryErrorEntry } from '../../errors.js'
import { isJsonObject, parseJson } from '../../util/json.js'
import { redactSecrets, redactUrl } from '../../util/redact.js'
import type { Answer } from '../http/answer.js'
import { readBodyStart } from '../http/body-start.js'
import { refusalDetails, refusalHint, type CredentialRefusal } from './refused-credentials.js'
import { shownText } from '../http/sent-secrets.js'

const MAX_SHOWN = 1024

export interface TokenErrorContext {
  /** Host of the registry that the token was for. */
  readonly registry: string
  readonly anonymous: boolean
  /** Where the credentials come from, or where they were looked for. */
  readonly refusal?: CredentialRefusal | undefined
}

/** The error for a token service that gave no token, with what it says itself. Reads or drops the body. */
export async function tokenServiceError(answer: Answer, context: TokenErrorContext): Promise<GantryError> {
  const host = shownText(answer, new URL(answer.url).host)
  const { status, method } = answer
  if (status >= 300 && status < 400) {
    await answer.discard()
    return new GantryError(
      'untrusted-destination',
      `token service ${host} redirects to another place, which is not followed`,
    )
  }
  const { text, errors } = withoutSecrets(await readReason(answer), answer)
  const code = codeOf(status)
  const reason = context.anonymous ? 'no-credentials' : 'refused-credentials'
  const { refusal = { reason, host: context.registry, origins: [] } } = context
  const what =
    code === 'unauthorized'
      ? `token service ${host} refused ${context.anonymous ? 'anonymous access' : 'the credentials'} for ${context.registry}`
      : `token service ${host} gave no token for ${context.registry}`
  return new GantryError(code, `${what}: status ${status}${text === '' ? '' : `: ${text}`}`, {
    hint: code === 'unauthorized' ? refusalHint(refusal) : undefined,
    details: code === 'unauthorized' ? refusalDetails(refusal) : undefined,
    response: { status, method, url: redactUrl(shownText(answer, answer.url)), errors },
  })
}

function codeOf(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'unauthorized'
  return status === 429 ? 'rate-limited' : 'registry-error'
}

interface Reason {
  readonly text: string
  readonly errors: readonly RegistryErrorEntry[]
}

function withoutSecrets({ text, errors }: Reason, answer: Answer): Reason {
  const clean = (value: string): string => redactSecrets(shownText(answer, value)).slice(0, MAX_SHOWN)
  return {
    text: clean(text),
    errors: errors.map(({ code, message }) => ({
      code: clean(code),
      message: message === undefined ? undefined : clean(message),
    })),
  }
}

/** What stands in the body: the errors of the distribution-spec, OAuth2's, OpenShift's `details`, or plain text. */
async function readReason(answer: Answer): Promise<Reason> {
  const bytes = await readBodyStart(answer.body)
  const text = Buffer.from(bytes).toString('utf8').trim()
  if (!text.startsWith('{')) return { text: isMarkup(text) ? '' : firstLine(text), errors: [] }
  let body: unknown
  try {
    body = parseJson(bytes, 'error of the token service')
  } catch (error) {
    if (!isGantryError(error)) throw error
    return { text: '', errors: [] }
  }
  return isJsonObject(body) ? reasonOf(body) : { text: '', errors: [] }
}

function reasonOf(body: Readonly<Record<string, unknown>>): Reason {
  const entries = Array.isArray(body.errors) ? body.errors : [body]
  const errors = entries.filter(isJsonObject).flatMap(({ code, message }): RegistryErrorEntry[] => {
    return typeof code === 'string' ? [{ code, message: typeof message === 'string' ? message : undefined }] : []
  })
  const [first] = errors
  const texts = [first?.message, first?.code, body.error_description, body.message, body.details, body.error]
  const text = texts.find((candidate) => typeof candidate === 'string' && candidate !== '')
  return { text: typeof text === 'string' ? firstLine(text) : '', errors }
}

function isMarkup(text: string): boolean {
  return text.startsWith('<')
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
