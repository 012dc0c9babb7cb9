import { createPrivateKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { decodeBase64, decodePem, encodePem } from '../../src/signature/base64.js'
import { generateKeys, openPrivateKey } from '../../src/signature/private-key.js'
import { isSignedBy, parsePublicKey } from '../../src/signature/public-key.js'

const bytes = Buffer.from('what is signed')

function pemOf(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'spki' }).toString()
}

const pairs = {
  'P-256': { pair: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }), hashes: ['sha256'] },
  'P-384': { pair: generateKeyPairSync('ec', { namedCurve: 'secp384r1' }), hashes: ['sha384', 'sha256'] },
  'P-521': { pair: generateKeyPairSync('ec', { namedCurve: 'secp521r1' }), hashes: ['sha512', 'sha256'] },
  RSA: { pair: generateKeyPairSync('rsa', { modulusLength: 2048 }), hashes: ['sha256'] },
  Ed25519: { pair: generateKeyPairSync('ed25519'), hashes: [null] },
}

describe('a public key', () => {
  test.each(Object.entries(pairs))('of %s verifies what its other half has signed', (_, { pair, hashes }) => {
    const key = parsePublicKey(pemOf(pair.publicKey), 'k.pub')
    for (const hash of hashes) {
      const signature = sign(hash, bytes, pair.privateKey)
      expect(isSignedBy(key, bytes, signature)).toBe(true)
      expect(isSignedBy(key, Buffer.from('something else'), signature)).toBe(false)
    }
  })

  test('does not verify with a hash that nobody uses with it', () => {
    const { pair } = pairs['P-256']
    const key = parsePublicKey(pemOf(pair.publicKey), 'k.pub')
    expect(isSignedBy(key, bytes, sign('sha512', bytes, pair.privateKey))).toBe(false)
  })

  test.each([
    ['an RSA key that is too short', pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey), '1024 bits'],
    [
      'a curve that is not supported',
      pemOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey),
      'secp256k1',
    ],
    ['RSA-PSS', pemOf(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey), 'rsa-pss'],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', 'it is a certificate'],
    [
      'a private key',
      pairs['P-256'].pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      'private key',
    ],
    ['nothing', '', 'no block'],
    ['two keys', pemOf(pairs.RSA.pair.publicKey) + pemOf(pairs.Ed25519.pair.publicKey), 'more than one'],
    [
      'a block of nothing',
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
      'cannot be read|can be read',
    ],
  ])('is refused when it is %s', (_, pem, reason) => {
    expect(() => parsePublicKey(pem, 'k.pub')).toThrow(new RegExp(`k\\.pub.*(?:${reason})`))
  })
})

describe('a private key', () => {
  test.each(['secret', '', 'pässwörd'])('is opened with the password that it was made with: "%s"', async (password) => {
    const { privateKey, publicKey } = await generateKeys(password)
    const key = await openPrivateKey(privateKey, 'k.key', password)
    expect(isSignedBy(parsePublicKey(publicKey, 'k.pub'), bytes, key.sign(bytes))).toBe(true)
  })

  test('is not opened with another password, and not when it was changed', async () => {
    const { privateKey } = await generateKeys('secret')
    await expect(openPrivateKey(privateKey, 'k.key', 'other')).rejects.toMatchObject({ code: 'unauthorized' })
    await expect(openPrivateKey(privateKey, 'k.key', '')).rejects.toMatchObject({ code: 'unauthorized' })
    const { bytes: json } = decodePem(privateKey, ['ENCRYPTED SIGSTORE PRIVATE KEY'], 'k') ?? { bytes: Buffer.alloc(0) }
    const document = JSON.parse(json.toString()) as { ciphertext: string }
    const sealed = Buffer.from(document.ciphertext, 'base64')
    sealed.writeUInt8(sealed.readUInt8(40) ^ 1, 40)
    const changed = encodePem(
      'ENCRYPTED SIGSTORE PRIVATE KEY',
      Buffer.from(JSON.stringify({ ...document, ciphertext: sealed.toString('base64') })),
    )
    await expect(openPrivateKey(changed, 'k.key', 'secret')).rejects.toMatchObject({ code: 'unauthorized' })
  })

  test.each([
    ['a work factor that takes minutes', { N: 2 ** 24, r: 8, p: 1 }],
    ['a weak work factor', { N: 2, r: 8, p: 1 }],
    ['other parameters', { N: 65_536, r: 64, p: 1 }],
  ])('is refused with %s', async (_, params) => {
    const text = JSON.stringify({
      kdf: { name: 'scrypt', params, salt: 'AAAA' },
      cipher: { name: 'nacl/secretbox', nonce: Buffer.alloc(24).toString('base64') },
      ciphertext: 'AAAA',
    })
    const pem = encodePem('ENCRYPTED COSIGN PRIVATE KEY', Buffer.from(text))
    await expect(openPrivateKey(pem, 'k.key', '')).rejects.toThrow('encrypted in a way that is not supported')
  })

  test('is refused when it is a plain one', async () => {
    const pem = createPrivateKey(pairs['P-256'].pair.privateKey.export({ format: 'pem', type: 'pkcs8' }))
      .export({ format: 'pem', type: 'pkcs8' })
      .toString()
    await expect(openPrivateKey(pem, 'k.key', '')).rejects.toMatchObject({ code: 'invalid-content' })
  })
})

describe('base64', () => {
  test.each(['AA=', 'AAA', 'AB==', 'AAAA\n', ' AAAA', 'AA-_', 'AA==AA==', 1, undefined])('refuses %j', (text) => {
    expect(() => decodeBase64(text, 'it')).toThrow('it is not valid base64')
  })

  test('has one spelling', () => {
    expect(decodeBase64('AA==', 'it')).toEqual(Buffer.from([0]))
    expect(decodeBase64('', 'it')).toEqual(Buffer.alloc(0))
  })
})
