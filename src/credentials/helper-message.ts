import { maskSecrets, REDACTED, redactSecrets } from '../util/redact.js'
import { visibleLine } from '../util/visible-text.js'

const MAX_SHOWN_LENGTH = 300
const SECRET_AFTER = /\b(password|passwd|secret|token|auth|authorization|credentials?)\b(["']?\s*[:=]\s*)\S+/gi

const PLAIN_WORD = /^(?:[A-Z]?[a-z]*(?:[A-Z][a-z]{2,})*|[A-Z]+)$/

/**
 * What a failed helper said, made fit for an error message. The text comes from a program that handles secrets and may
 * repeat them, so it is dropped when it looks like data, and every word that could be a secret is masked.
 * @param secrets what was handed to the helper, masked wherever it stands
 */
export function helperMessage(output: string, secrets: readonly string[] = []): string {
  let text = output.trim()
  for (const secret of secrets) if (secret !== '') text = text.replaceAll(secret, REDACTED)
  text = maskSecrets(text, secrets)
  const line = (text.split('\n', 1)[0] ?? '').trim()
  if (line === '') return ''
  if (/^[{["]|"(secret|password|username|serverurl)"/i.test(line))
    return '(its output is not shown, as it may hold a secret)'
  const masked = redactSecrets(line.slice(0, 4 * MAX_SHOWN_LENGTH))
    .replace(SECRET_AFTER, `$1$2${REDACTED}`)
    .split(/(\s+)/)
    .map((word) => (mayBeSecret(word) ? REDACTED : word))
    .join('')
  return visibleLine(masked.length > MAX_SHOWN_LENGTH ? `${masked.slice(0, MAX_SHOWN_LENGTH)}…` : masked)
}

/** Whether a word is anything but plain language: letters in the usual case, a small number, a path or a dotted name. */
function mayBeSecret(word: string): boolean {
  const core = word.replaceAll(REDACTED, '').replace(/^["'`([<$]+|[\])>"'`.,:;!?=]+$/g, '')
  if (/^\s*$|^\d{1,6}$/.test(core)) return false
  return !core.split(/[/.:_'-]/).every((part) => PLAIN_WORD.test(part) && part.length <= 24)
}
