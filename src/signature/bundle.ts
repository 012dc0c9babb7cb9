import { GantryError } from '../errors.js'
import { encodeJson } from '../oci/encode-json.js'
import { isJsonObject, parseJsonObject, type JsonObject } from '../util/json.js'
import { knownKeys } from '../util/json-structure.js'
import { decodeBase64 } from './base64.js'
import { IN_TOTO_TYPE, preAuthenticationEncoding } from './statement.js'

/** The media type of the bundles that are written. */
export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json'

/** What the media types of all bundles begin with. */
export const BUNDLE_TYPE_PREFIX = 'application/vnd.dev.sigstore.bundle'

/** The media types of bundles that are read. */
export const BUNDLE_TYPES: readonly string[] = [
  BUNDLE_TYPE,
  ...['0.1', '0.2', '0.3'].map((version) => `${BUNDLE_TYPE_PREFIX}+json;version=${version}`),
]

const ENVELOPE_KEYS = knownKeys({
  payload: null,
  payloadType: null,
  signatures: knownKeys({ sig: null, keyid: null }),
})

const BUNDLE_KEYS = knownKeys({
  mediaType: null,
  verificationMaterial: null,
  messageSignature: null,
  dsseEnvelope: ENVELOPE_KEYS,
})

/** A signed document: an envelope taken apart (DSSE, "Envelope"). */
export interface Envelope {
  /** The document that was signed. */
  readonly payload: Uint8Array
  readonly signature: Uint8Array
  /** What the signature is of. */
  readonly signedBytes: Uint8Array
}

/**
 * Reads a sigstore bundle around an in-toto statement.
 * @returns the envelope, and the whole document for checks that need more of it
 * @throws GantryError `invalid-content`, `ambiguous-manifest`
 */
export function readBundle(bytes: Uint8Array): Envelope & { readonly document: JsonObject } {
  const document = parseJsonObject(bytes, 'the bundle', BUNDLE_KEYS)
  if (!BUNDLE_TYPES.some((type) => type === document.mediaType)) {
    throw new GantryError(
      'invalid-content',
      `the bundle is of the type ${JSON.stringify(document.mediaType)}, which is unknown`,
    )
  }
  if (!isJsonObject(document.dsseEnvelope) || document.messageSignature !== undefined) {
    throw new GantryError('invalid-content', 'the bundle holds no signed statement')
  }
  return { ...openEnvelope(document.dsseEnvelope), document }
}

/** Reads an envelope that stands by itself, as the tag `.att` holds them. */
export function readEnvelope(bytes: Uint8Array): Envelope & { readonly document: JsonObject } {
  const document = parseJsonObject(bytes, 'the envelope', ENVELOPE_KEYS)
  return { ...openEnvelope(document), document }
}

/**
 * A bundle of a statement that was signed with a key.
 * @param hint of the public key
 * @param sign signs bytes
 */
export function encodeBundle(payload: Uint8Array, hint: string, sign: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  return encodeJson({
    mediaType: BUNDLE_TYPE,
    verificationMaterial: { publicKey: { hint } },
    dsseEnvelope: envelopeOf(payload, sign),
  })
}

/** An envelope of a statement. */
export function encodeEnvelope(payload: Uint8Array, sign: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  return encodeJson(envelopeOf(payload, sign))
}

function envelopeOf(payload: Uint8Array, sign: (bytes: Uint8Array) => Uint8Array): object {
  const signature = sign(preAuthenticationEncoding(IN_TOTO_TYPE, payload))
  return {
    payload: Buffer.from(payload).toString('base64'),
    payloadType: IN_TOTO_TYPE,
    signatures: [{ sig: Buffer.from(signature).toString('base64') }],
  }
}

function openEnvelope({ payload: text, payloadType, signatures }: JsonObject): Envelope {
  if (payloadType !== IN_TOTO_TYPE) {
    throw new GantryError('invalid-content', `the envelope holds ${JSON.stringify(payloadType)}, not a statement`)
  }
  const [signature, ...others] = Array.isArray(signatures) ? (signatures as readonly unknown[]) : []
  if (!isJsonObject(signature) || others.length > 0) {
    throw new GantryError('invalid-content', 'the envelope does not have exactly one signature')
  }
  const payload = decodeBase64(text, 'the payload of the envelope')
  return {
    payload,
    signature: decodeBase64(signature.sig, 'the signature of the envelope'),
    signedBytes: preAuthenticationEncoding(payloadType, payload),
  }
}
