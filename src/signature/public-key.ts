import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto'
import { GantryError } from '../errors.js'
import { decodePem } from './base64.js'

/** Shortest RSA key that is accepted, in bits. */
const MIN_RSA_BITS = 2048

/** The hashes that a signature by a key may have been made with, the usual one first. */
const HASHES_BY_CURVE: Readonly<Record<string, readonly string[]>> = {
  prime256v1: ['sha256'],
  // cosign verifies with SHA-256 unless it is told otherwise, whatever the curve.
  secp384r1: ['sha384', 'sha256'],
  secp521r1: ['sha512', 'sha256'],
}

/** A key that signatures are checked with. */
export interface PublicKey {
  /** What people call it: the file, the variable. */
  readonly name: string
  /** SHA-256 of the key's SPKI form, base64: what cosign writes as the hint of a key. */
  readonly hint: string
  readonly object: KeyObject
  /** In the order in which they are tried; null where the algorithm has its own. */
  readonly hashes: readonly (string | null)[]
}

/**
 * Parses a public key in PEM (`-----BEGIN PUBLIC KEY-----`): ECDSA on P-256, P-384 or P-521, RSA from 2048 bits, Ed25519.
 * @param name what the key is called in results and errors
 * @throws GantryError `invalid-content` for anything else, a certificate and a private key among it
 * @example
 * const key = parsePublicKey(await readFile('cosign.pub', 'utf8'), 'cosign.pub')
 */
export function parsePublicKey(pem: string, name: string): PublicKey {
  const block = decodePem(pem, ['PUBLIC KEY'], name)
  if (block === undefined) throw new GantryError('invalid-content', `${name} is no public key: ${whatItIs(pem)}`)
  let object: KeyObject
  try {
    object = createPublicKey({ key: block.bytes, format: 'der', type: 'spki' })
  } catch (cause) {
    throw new GantryError('invalid-content', `${name} is no public key that can be read`, { cause })
  }
  return describePublicKey(object, name)
}

/** A public key from one that is at hand, as {@link parsePublicKey} makes it. */
export function describePublicKey(object: KeyObject, name: string): PublicKey {
  const spki = object.export({ format: 'der', type: 'spki' })
  return { name, object, hashes: hashesOf(object, name), hint: createHash('sha256').update(spki).digest('base64') }
}

/** Whether a signature of these bytes was made with the private half of a key. */
export function isSignedBy({ object, hashes }: PublicKey, bytes: Uint8Array, signature: Uint8Array): boolean {
  return hashes.some((hash) => verify(hash, bytes, object, signature))
}

function hashesOf(object: KeyObject, name: string): readonly (string | null)[] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: { namedCurve = '', modulusLength = 0 } = {} } = object
  if (type === 'ed25519') return [null]
  if (type === 'rsa') {
    if (modulusLength >= MIN_RSA_BITS) return ['sha256']
    throw new GantryError('invalid-content', `${name} is an RSA key of ${modulusLength} bits: it takes ${MIN_RSA_BITS}`)
  }
  const hashes = type === 'ec' ? HASHES_BY_CURVE[namedCurve] : undefined
  if (hashes !== undefined) return hashes
  const kind = type === 'ec' ? `the curve ${namedCurve}` : (type ?? 'an unknown algorithm')
  throw new GantryError('invalid-content', `${name} is a key of ${kind}, which is not supported`, {
    hint: 'Keys of ECDSA (P-256, P-384, P-521), RSA and Ed25519 are.',
  })
}

function whatItIs(pem: string): string {
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return 'it is a certificate'
  return pem.includes('PRIVATE KEY-----') ? 'it is a private key' : 'it has no block "BEGIN PUBLIC KEY"'
}
