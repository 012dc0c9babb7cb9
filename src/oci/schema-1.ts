import { GantryError } from '../errors.js'
import { isJsonObject, parseJsonObject } from '../util/json.js'
import { parseDigest, type Digest } from './digest.js'
import { SCHEMA_1_KEYS } from './document-keys.js'

/**
 * The layers of a manifest of Docker's schema 1, each once; it says nothing about their sizes.
 * @throws GantryError `invalid-content`, `invalid-digest`, `ambiguous-manifest`
 */
export function schema1Layers(bytes: Uint8Array, where: string): readonly Digest[] {
  const { fsLayers } = parseJsonObject(bytes, where, SCHEMA_1_KEYS)
  if (!Array.isArray(fsLayers)) throw new GantryError('invalid-content', `${where} has no list of layers`)
  const digests = fsLayers.map((layer: unknown, index) => {
    if (!isJsonObject(layer) || typeof layer.blobSum !== 'string') {
      throw new GantryError('invalid-content', `${where} fsLayers[${index}] has no digest`)
    }
    return parseDigest(layer.blobSum)
  })
  return [...new Set(digests)]
}

/**
 * The bytes that the digest of a signed manifest of Docker's schema 1 covers: the document without its signatures, as
 * the header that they protect describes it.
 * @throws GantryError `invalid-content` when it is not signed; `ambiguous-manifest`
 */
export function schema1Payload(bytes: Uint8Array, where: string): Uint8Array {
  const { signatures } = parseJsonObject(bytes, where, SCHEMA_1_KEYS)
  const first: unknown = Array.isArray(signatures) ? signatures[0] : undefined
  if (!isJsonObject(first) || typeof first.protected !== 'string') {
    throw new GantryError('invalid-content', `${where} has no signatures`)
  }
  const header = parseJsonObject(Buffer.from(first.protected, 'base64url'), `the signature of ${where}`)
  const { formatLength, formatTail } = header
  const isLength = typeof formatLength === 'number' && Number.isSafeInteger(formatLength)
  if (!isLength || formatLength < 0 || formatLength > bytes.byteLength || typeof formatTail !== 'string') {
    throw new GantryError('invalid-content', `the signature of ${where} does not say what it covers`)
  }
  return Buffer.concat([bytes.subarray(0, formatLength), Buffer.from(formatTail, 'base64url')])
}
