// C0 but tab and line feed, DEL, C1, bidirectional controls, line and paragraph separators, lone surrogates.
const INVISIBLE =
  // eslint-disable-next-line no-control-regex -- finding control characters is the job
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/**
 * Makes text from outside safe to show: every control, bidirectional and unpaired surrogate character becomes a
 * visible `\u{..}`, so that no registry, file or helper can drive the terminal. Tab and line feed stay.
 */
export function visibleText(text: string): string {
  return text.replace(INVISIBLE, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`)
}

/** Like {@link visibleText} for text that has to stay on one line: tab and line feed are made visible too. */
export function visibleLine(text: string): string {
  return visibleText(text).replace(/[\t\n]/g, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`)
}

/** JSON text with the same characters as `\uXXXX` escapes: it parses back to the same value and is safe to show. */
export function visibleJson(json: string): string {
  return json.replace(INVISIBLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
