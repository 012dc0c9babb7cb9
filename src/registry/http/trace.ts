import { isSecretName, REDACTED, redactSecrets, redactUrl } from '../../util/redact.js'
import { visibleLine } from '../../util/visible-text.js'

/** Headers whose values are addresses. */
const ADDRESSES = new Set(['location', 'content-location', 'referer'])
/** A challenge says where tokens are to be had, and holds none. */
const SHOWN = new Set(['www-authenticate', 'proxy-authenticate'])

/**
 * Headers as they may be shown: without the value of anything that authenticates, of the user's own headers, and of
 * query parameters in addresses.
 * @param secretNames further names in lower case whose values are hidden
 * @param mask removes secrets that were sent; first of all, as other rules may remove a part of one and leave the rest
 */
export function shownHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  secretNames: ReadonlySet<string> = new Set(),
  mask: (text: string) => string = String,
): Record<string, string> {
  const shown: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue
    const key = name.toLowerCase()
    const text = mask(Array.isArray(value) ? value.join(', ') : value)
    shown[name] = secretNames.has(key) ? REDACTED : visibleLine(shownValue(key, text))
  }
  return shown
}

function shownValue(name: string, value: string): string {
  if (SHOWN.has(name)) return redactSecrets(value)
  if (ADDRESSES.has(name)) return redactUrl(value)
  if (name === 'link') return value.replace(/<([^<>]*)>/g, (_, url: string) => `<${redactUrl(url)}>`)
  return isSecretName(name) ? REDACTED : redactSecrets(value)
}
