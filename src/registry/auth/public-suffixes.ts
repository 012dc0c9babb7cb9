// The list is large: the build makes a file of its own from this one, which is loaded when it is needed.
import { parse } from 'tldts'

/** A host name by the public suffix list with its private domains. */
export function parseHostName(name: string): ReturnType<typeof parse> {
  return parse(name, { allowPrivateDomains: true })
}
