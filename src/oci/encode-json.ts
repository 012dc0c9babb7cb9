const ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}

/**
 * JSON text as Go's encoder writes it (`<`, `>`, `&` and the two line separators escaped): digests of manifests made
 * by other tools depend on it. Keys keep the order of the object.
 * @param indent spaces for each level; compact when 0, the default
 */
export function formatJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, undefined, indent).replace(/[<>&\u2028\u2029]/g, (character) => ESCAPES[character] ?? '')
}

/** {@link formatJson} as UTF-8 bytes. */
export function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(formatJson(value))
}
