import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  randomBytes,
  scrypt,
  sign,
  type KeyObject,
} from 'node:crypto'
import { promisify } from 'node:util'
import { GantryError } from '../errors.js'
import { isJsonObject, parseJsonObject } from '../util/json.js'
import { decodeBase64, decodePem, encodePem } from './base64.js'
import { describePublicKey, type PublicKey } from './public-key.js'

/** cosign writes the first; it reads both, and so do we. */
const LABELS = ['ENCRYPTED SIGSTORE PRIVATE KEY', 'ENCRYPTED COSIGN PRIVATE KEY'] as const

/** Work factors that are accepted: a file must not make us spend minutes. */
const WORK_FACTORS: readonly unknown[] = [32_768, 65_536, 131_072]
const SCRYPT = { N: 65_536, r: 8, p: 1 }
const SCRYPT_MEMORY = 256 * 1024 * 1024
const KEY_LENGTH = 32
const SALT_LENGTH = 32
const NONCE_LENGTH = 24

/** A key that signs. */
export interface PrivateKey {
  readonly publicKey: PublicKey
  /** Signs bytes with the hash that belongs to the key. */
  readonly sign: (bytes: Uint8Array) => Buffer
}

/** A new pair of keys, as text. */
export interface KeyPairText {
  /** PEM, encrypted with the password. */
  readonly privateKey: string
  /** PEM. */
  readonly publicKey: string
}

/**
 * Makes a pair of keys on P-256, in the form of `cosign generate-key-pair`.
 * @param password may be empty
 * @example
 * const { privateKey, publicKey } = await generateKeys('secret')
 */
export async function generateKeys(password: string): Promise<KeyPairText> {
  const pair = await promisify(generateKeyPair)('ec', { namedCurve: 'prime256v1' })
  const der = pair.privateKey.export({ format: 'der', type: 'pkcs8' })
  return {
    privateKey: encodePem(LABELS[0], Buffer.from(JSON.stringify(await encrypt(der, password)))),
    publicKey: encodePem('PUBLIC KEY', pair.publicKey.export({ format: 'der', type: 'spki' })),
  }
}

/**
 * Opens a private key that cosign or {@link generateKeys} has written.
 * @param name what the key is called in errors
 * @throws GantryError `invalid-content` for a file that is none; `unauthorized` for a wrong password
 */
export async function openPrivateKey(pem: string, name: string, password: string): Promise<PrivateKey> {
  const block = decodePem(pem, LABELS, name)
  if (block === undefined) {
    throw new GantryError('invalid-content', `${name} is no private key of cosign's`, {
      hint: 'It has to hold a block "BEGIN ENCRYPTED SIGSTORE PRIVATE KEY", as "generate-key-pair" writes it.',
    })
  }
  const der = await decrypt(block.bytes, name, password)
  let object: KeyObject
  try {
    object = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })
  } catch (cause) {
    throw new GantryError('invalid-content', `${name} holds no private key that can be read`, { cause })
  }
  const publicKey = describePublicKey(createPublicKey(object), name)
  return { publicKey, sign: (bytes) => sign(publicKey.hashes[0], bytes, object) }
}

async function encrypt(plain: Uint8Array, password: string): Promise<object> {
  const salt = randomBytes(SALT_LENGTH)
  const nonce = randomBytes(NONCE_LENGTH)
  const { xsalsa20poly1305 } = await import('@noble/ciphers/salsa')
  const ciphertext = xsalsa20poly1305(await deriveKey(password, salt, SCRYPT.N), nonce).encrypt(plain)
  return {
    kdf: { name: 'scrypt', params: SCRYPT, salt: salt.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: Buffer.from(ciphertext).toString('base64'),
  }
}

async function decrypt(json: Uint8Array, name: string, password: string): Promise<Uint8Array> {
  const { kdf, cipher, ciphertext } = parseJsonObject(json, name)
  if (!isJsonObject(kdf) || !isJsonObject(cipher) || !isJsonObject(kdf.params)) throw unknownForm(name)
  const { N, r, p } = kdf.params
  const isKnown = kdf.name === 'scrypt' && cipher.name === 'nacl/secretbox' && r === SCRYPT.r && p === SCRYPT.p
  if (!isKnown || !WORK_FACTORS.includes(N)) throw unknownForm(name)
  const nonce = decodeBase64(cipher.nonce, `the nonce of ${name}`)
  if (nonce.byteLength !== NONCE_LENGTH) throw unknownForm(name)
  const key = await deriveKey(password, decodeBase64(kdf.salt, `the salt of ${name}`), Number(N))
  const sealed = decodeBase64(ciphertext, `the content of ${name}`)
  const { xsalsa20poly1305 } = await import('@noble/ciphers/salsa')
  try {
    return xsalsa20poly1305(key, nonce).decrypt(sealed)
  } catch (cause) {
    throw new GantryError('unauthorized', `${name}: the password is wrong, or the file was changed`, { cause })
  }
}

function deriveKey(password: string, salt: Uint8Array, N: number): Promise<Buffer> {
  const { r, p } = SCRYPT
  return new Promise((resolve, reject) => {
    scrypt(password, salt, KEY_LENGTH, { N, r, p, maxmem: SCRYPT_MEMORY }, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}

function unknownForm(name: string): GantryError {
  return new GantryError('invalid-content', `${name} is encrypted in a way that is not supported`, {
    hint: 'Keys are encrypted with scrypt and nacl/secretbox, as cosign does.',
  })
}
