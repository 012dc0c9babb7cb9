/** What people paste in front of a registry or a reference from a browser or from Docker's configuration. */
const SCHEME = /^https?:\/\//i

/**
 * Reads a registry or a reference as people paste it: a scheme in front is taken off, and so are slashes and the path of
 * an API behind a registry.
 * @param notice is told what was taken off
 */
export function withoutScheme(text: string, notice: (text: string) => void = () => undefined): string {
  const scheme = SCHEME.exec(text)?.[0]
  const rest = text.slice(scheme?.length ?? 0).replace(/^([^/]*)\/(?:v[12]\/?)?$/, '$1')
  if (rest === text) return text
  const hint = scheme?.toLowerCase() === 'http://' ? ' (--plain-http talks without TLS)' : ''
  notice(`Note: using "${rest}" for "${text}"; registries are named without a scheme and without a path${hint}.`)
  return rest
}
