import { GantryError } from '../errors.js'

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * Decodes base64 that has one spelling only: no blanks, no other alphabet, no bits left over. Whatever is changed in the
 * text is a change of the bytes then.
 * @param what names the text in errors
 * @throws GantryError `invalid-content`
 */
export function decodeBase64(text: unknown, what: string): Buffer {
  if (typeof text === 'string' && BASE64.test(text)) {
    const bytes = Buffer.from(text, 'base64')
    if (bytes.toString('base64') === text) return bytes
  }
  throw new GantryError('invalid-content', `${what} is not valid base64`)
}

/**
 * Reads the base64 between the lines of a PEM block.
 * @param labels what the block may be called
 * @returns the label of the block and its bytes; undefined when the text holds no such block
 * @throws GantryError `invalid-content` for a block that is not base64, or is not the only one
 */
export function decodePem(
  text: string,
  labels: readonly string[],
  what: string,
): { readonly label: string; readonly bytes: Buffer } | undefined {
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----\r?\n([^-]*)-----END \1-----/g)]
  const [block, ...others] = blocks.filter(([, label = '']) => labels.includes(label))
  if (block === undefined) return undefined
  if (others.length > 0) throw new GantryError('invalid-content', `${what} holds more than one key`)
  const [, label = '', body = ''] = block
  return { label, bytes: decodeBase64(body.replaceAll(/[\r\n]/g, ''), what) }
}

/** Writes a PEM block, with 64 characters on a line. */
export function encodePem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
