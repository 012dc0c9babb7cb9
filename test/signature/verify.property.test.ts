import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { isGantryError } from '../../src/errors.js'
import type { Descriptor } from '../../src/oci/descriptor.js'
import { encodePem } from '../../src/signature/base64.js'
import { BUNDLE_TYPE, encodeBundle, readBundle } from '../../src/signature/bundle.js'
import { SIGNATURE_ANNOTATION, SIMPLE_SIGNING_TYPE } from '../../src/signature/find-signatures.js'
import { parsePublicKey } from '../../src/signature/public-key.js'
import { encodePayload, encodeStatement } from '../../src/signature/statement.js'
import { trustKey, type Trust } from '../../src/signature/trust.js'
import { verifySignatures, type VerifyResult } from '../../src/signature/verify.js'
import { MemoryStore } from '../../src/store/memory.js'
import { runs } from '../properties.js'
import { person, pushBlob, pushPacked, pushSubject, type Person } from './workshop.js'

/** One byte of something is another one. */
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  by: fc.integer({ min: 1, max: 255 }),
})

function changed(bytes: Uint8Array, { at, by }: { readonly at: number; readonly by: number }): Buffer {
  const copy = Buffer.from(bytes)
  const position = Math.floor(at * copy.byteLength)
  copy[position] = (copy[position] ?? 0) ^ by
  return copy
}

let alice: Person
let spki: Buffer

beforeAll(async () => {
  alice = await person('alice')
  spki = alice.key.publicKey.object.export({ format: 'der', type: 'spki' })
})

async function withSubject(): Promise<{ readonly store: MemoryStore; readonly subject: Descriptor }> {
  const store = new MemoryStore()
  return { store, subject: await pushSubject(store, 'v1') }
}

function statementOf({ digest }: Descriptor): Uint8Array {
  return encodeStatement(digest, { predicateType: 'https://sigstore.dev/cosign/sign/v1', predicate: {} })
}

async function verifyBundle(
  store: MemoryStore,
  subject: Descriptor,
  bundle: Uint8Array,
): Promise<VerifyResult | undefined> {
  const layer = await pushBlob(store, BUNDLE_TYPE, bundle)
  await pushPacked(store, { artifactType: BUNDLE_TYPE, layers: [layer], subject })
  return verified(store, subject, alice.trust)
}

async function verifyPayload(
  store: MemoryStore,
  subject: Descriptor,
  payload: Uint8Array,
  signature: string,
): Promise<VerifyResult | undefined> {
  const layer = await pushBlob(store, SIMPLE_SIGNING_TYPE, payload)
  const annotations = { [SIGNATURE_ANNOTATION]: signature }
  const artifactType = 'application/vnd.dev.cosign.artifact.sig.v1+json'
  await pushPacked(store, { artifactType, layers: [{ ...layer, annotations }], subject })
  return verified(store, subject, alice.trust)
}

/** Nothing when it is not verified, for a reason that is understood. */
async function verified(store: MemoryStore, subject: Descriptor, trust: Trust): Promise<VerifyResult | undefined> {
  try {
    return await verifySignatures(store, subject, { trusted: [trust] })
  } catch (error) {
    if (isGantryError(error, 'unsigned', 'untrusted-signature')) return undefined
    throw error
  }
}

describe('a byte that is changed', () => {
  test('in a signed statement is never verified', async () => {
    await fc.assert(
      fc.asyncProperty(change, async (one) => {
        const { store, subject } = await withSubject()
        const statement = statementOf(subject)
        const { signature } = readBundle(encodeBundle(statement, '', alice.key.sign))
        const bundle = encodeBundle(changed(statement, one), '', () => signature)
        expect(await verifyBundle(store, subject, bundle)).toBeUndefined()
      }),
    )
  })

  test('in the signature of a statement is never verified', async () => {
    await fc.assert(
      fc.asyncProperty(change, async (one) => {
        const { store, subject } = await withSubject()
        const bundle = encodeBundle(statementOf(subject), '', (bytes) => changed(alice.key.sign(bytes), one))
        expect(await verifyBundle(store, subject, bundle)).toBeUndefined()
      }),
    )
  })

  test('anywhere in a bundle verifies the same statement by the same signature, or nothing', async () => {
    await fc.assert(
      fc.asyncProperty(change, async (one) => {
        const { store, subject } = await withSubject()
        const bundle = encodeBundle(statementOf(subject), alice.key.publicKey.hint, alice.key.sign)
        const broken = changed(bundle, one)
        const result = await verifyBundle(store, subject, broken)
        if (result === undefined) return
        const [before, after] = [readBundle(bundle), readBundle(broken)]
        expect(after.payload).toEqual(before.payload)
        expect(after.signature).toEqual(before.signature)
      }),
    )
  })

  test('in a payload of simple signing, or in the text of its signature, is never verified', async () => {
    await fc.assert(
      fc.asyncProperty(change, fc.boolean(), async (one, isPayload) => {
        const { store, subject } = await withSubject()
        const payload = encodePayload(subject.digest, 'example.com/app', { a: 'b' })
        const signature = Buffer.from(alice.key.sign(payload).toString('base64'))
        const result = isPayload
          ? await verifyPayload(store, subject, changed(payload, one), signature.toString())
          : await verifyPayload(store, subject, payload, changed(signature, one).toString('latin1'))
        expect(result).toBeUndefined()
      }),
    )
  })

  test('in a key never makes it another key that verifies', async () => {
    const { store, subject } = await withSubject()
    await pushPacked(store, {
      artifactType: BUNDLE_TYPE,
      layers: [await pushBlob(store, BUNDLE_TYPE, encodeBundle(statementOf(subject), '', alice.key.sign))],
      subject,
    })
    expect(await verified(store, subject, alice.trust)).toBeDefined()
    await fc.assert(
      fc.asyncProperty(change, async (one) => {
        let trust: Trust
        try {
          trust = trustKey(parsePublicKey(encodePem('PUBLIC KEY', changed(spki, one)), 'changed'))
        } catch (error) {
          expect(isGantryError(error, 'invalid-content')).toBe(true)
          return
        }
        expect(await verified(store, subject, trust)).toBeUndefined()
      }),
      runs(0.5),
    )
  })
})

test('any JSON that somebody signs is understood strictly, or refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.json(), async (text) => {
      const { store, subject } = await withSubject()
      const bytes = Buffer.from(text)
      expect(await verifyPayload(store, subject, bytes, alice.key.sign(bytes).toString('base64'))).toBeUndefined()
      expect(await verifyBundle(store, subject, encodeBundle(bytes, '', alice.key.sign))).toBeUndefined()
    }),
  )
})
