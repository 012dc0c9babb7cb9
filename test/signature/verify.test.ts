import { sign as signBytes } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { GantryError } from '../../src/errors.js'
import type { Descriptor } from '../../src/oci/descriptor.js'
import { describeManifest } from '../../src/oci/manifest.js'
import { BUNDLE_TYPE, encodeBundle } from '../../src/signature/bundle.js'
import { SIGNATURE_ANNOTATION, SIMPLE_SIGNING_TYPE } from '../../src/signature/find-signatures.js'
import { checkPredicate } from '../../src/signature/predicate-check.js'
import { attest, manifestsIn, sign } from '../../src/signature/sign.js'
import { encodePayload, encodeStatement, predicateTypeOf } from '../../src/signature/statement.js'
import { verifyAttestations, verifySignatures } from '../../src/signature/verify.js'
import { MemoryStore } from '../../src/store/memory.js'
import { pairOf, person, pushBlob, pushPacked, pushSubject, type Person } from './workshop.js'

let alice: Person
let bob: Person
let store: MemoryStore
let subject: Descriptor

beforeAll(async () => {
  alice = await person('alice')
  bob = await person('bob')
})

async function fresh(): Promise<void> {
  store = new MemoryStore()
  subject = await pushSubject(store, 'v1')
}

/** A referrer in the form that cosign wrote before bundles. */
async function referTo(signed: Descriptor, payload: Uint8Array, signature: string): Promise<void> {
  const layer = await pushBlob(store, SIMPLE_SIGNING_TYPE, payload)
  const artifactType = 'application/vnd.dev.cosign.artifact.sig.v1+json'
  const annotations = { [SIGNATURE_ANNOTATION]: signature }
  await pushPacked(store, { artifactType, layers: [{ ...layer, annotations }], subject: signed })
}

describe('signatures', () => {
  test.each(['bundle', 'tag'] as const)('are verified in the form %s', async (form) => {
    await fresh()
    await sign(store, subject, { key: alice.key, form, annotations: { stage: 'prod' } })
    const { signatures } = await verifySignatures(store, subject, { trusted: [alice.trust] })
    expect(signatures).toMatchObject([{ place: { form }, signer: { kind: 'key', name: 'alice' } }])
    expect(signatures[0]?.claim.annotations).toEqual({ stage: 'prod' })
  })

  test('are verified as referrers of simple signing', async () => {
    await fresh()
    const payload = encodePayload(subject.digest, 'example.com/app', undefined)
    await referTo(subject, payload, alice.key.sign(payload).toString('base64'))
    const { signatures } = await verifySignatures(store, subject, { trusted: [alice.trust] })
    expect(signatures).toMatchObject([{ place: { form: 'referrer' } }])
  })

  test.each(['secp384r1', 'secp521r1'])('are verified for the curve %s', async (curve) => {
    await fresh()
    const { privateKey, trust } = pairOf(curve)
    const statement = { predicateType: 'https://sigstore.dev/cosign/sign/v1', predicate: {} }
    const hash = curve === 'secp384r1' ? 'sha384' : 'sha512'
    const bundle = encodeBundle(encodeStatement(subject.digest, statement), '', (bytes) =>
      signBytes(hash, bytes, privateKey),
    )
    const layer = await pushBlob(store, BUNDLE_TYPE, bundle)
    await pushPacked(store, { artifactType: BUNDLE_TYPE, layers: [layer], subject })
    expect((await verifySignatures(store, subject, { trusted: [trust] })).signatures).toHaveLength(1)
  })

  test('that nobody made are an error of their own', async () => {
    await fresh()
    await expect(verifySignatures(store, subject, { trusted: [alice.trust] })).rejects.toMatchObject({
      code: 'unsigned',
    })
  })

  test.each(['bundle', 'tag'] as const)('of somebody else do not count (%s)', async (form) => {
    await fresh()
    await sign(store, subject, { key: bob.key, form })
    const verified = verifySignatures(store, subject, { trusted: [alice.trust] })
    await expect(verified).rejects.toMatchObject({ code: 'untrusted-signature' })
    await expect(verified).rejects.toThrow('not signed with alice')
  })

  test('of one who is trusted are enough, unless all have to sign', async () => {
    await fresh()
    await sign(store, subject, { key: alice.key })
    const trusted = [bob.trust, alice.trust]
    expect((await verifySignatures(store, subject, { trusted })).signatures).toHaveLength(1)
    const all = verifySignatures(store, subject, { trusted, requireAll: true })
    await expect(all).rejects.toThrow('no matching signatures of bob')
    await sign(store, subject, { key: bob.key, form: 'tag' })
    expect((await verifySignatures(store, subject, { trusted, requireAll: true })).signatures).toHaveLength(2)
  })

  test('need the annotations that are asked for', async () => {
    await fresh()
    await sign(store, subject, { key: alice.key, annotations: { stage: 'dev' } })
    const asked = (annotations: Record<string, string>) =>
      verifySignatures(store, subject, { trusted: [alice.trust], annotations })
    await expect(asked({ stage: 'prod' })).rejects.toThrow('"stage" is "dev", not "prod"')
    await expect(asked({ toString: 'x' })).rejects.toThrow('"toString" is missing')
    expect((await asked({ stage: 'dev' })).signatures).toHaveLength(1)
  })

  test.each(['bundle', 'tag'] as const)('of another manifest do not count (%s)', async (form) => {
    await fresh()
    const other = await pushSubject(store, 'v2')
    const statement = { predicateType: 'https://sigstore.dev/cosign/sign/v1', predicate: {} }
    const bytes =
      form === 'bundle'
        ? encodeBundle(encodeStatement(other.digest, statement), '', alice.key.sign)
        : encodePayload(other.digest, '', undefined)
    if (form === 'tag') await referTo(subject, bytes, alice.key.sign(bytes).toString('base64'))
    else {
      const layer = await pushBlob(store, BUNDLE_TYPE, bytes)
      await pushPacked(store, { artifactType: BUNDLE_TYPE, layers: [layer], subject })
    }
    const verified = verifySignatures(store, subject, { trusted: [alice.trust] })
    await expect(verified).rejects.toMatchObject({ code: 'untrusted-signature' })
    await expect(verified).rejects.toThrow('is about')
  })

  test('are not what attestations are, also when the list says so', async () => {
    await fresh()
    const statement = { predicateType: predicateTypeOf('vuln'), predicate: {} }
    const bundle = encodeBundle(encodeStatement(subject.digest, statement), '', alice.key.sign)
    const layer = await pushBlob(store, BUNDLE_TYPE, bundle)
    const annotations = { 'dev.sigstore.bundle.predicateType': 'https://sigstore.dev/cosign/sign/v1' }
    await pushPacked(store, { artifactType: BUNDLE_TYPE, layers: [layer], subject, annotations })
    await expect(verifySignatures(store, subject, { trusted: [alice.trust] })).rejects.toMatchObject({
      code: 'unsigned',
    })
  })

  test.each([
    ['a key twice', '{"critical":{"image":{"docker-manifest-digest":"D","docker-manifest-digest":"D"},"type":"T"}}'],
    ['another spelling', '{"critical":{"image":{"Docker-Manifest-Digest":"D"},"type":"T"}}'],
    ['another type', '{"critical":{"image":{"docker-manifest-digest":"D"},"type":"atomic"}}'],
    ['a part that is not known', '{"critical":{"image":{"docker-manifest-digest":"D"},"type":"T","only":"test"}}'],
    ['no digest', '{"critical":{"image":{},"type":"T"}}'],
    ['no object', '[]'],
  ])('do not count with a payload that has %s', async (_, text) => {
    await fresh()
    const payload = Buffer.from(
      text.replaceAll('"D"', `"${subject.digest}"`).replaceAll('"T"', '"cosign container image signature"'),
    )
    await referTo(subject, payload, alice.key.sign(payload).toString('base64'))
    await expect(verifySignatures(store, subject, { trusted: [alice.trust] })).rejects.toMatchObject({
      code: 'untrusted-signature',
    })
  })

  test('that are broken do not hide one that is good', async () => {
    await fresh()
    await referTo(subject, Buffer.from('{'), 'AAAA')
    await referTo(subject, Buffer.from('{}'), 'no base64')
    await sign(store, subject, { key: alice.key })
    const { signatures, refused } = await verifySignatures(store, subject, { trusted: [alice.trust] })
    expect(signatures).toHaveLength(1)
    expect(refused).toHaveLength(2)
  })

  test('that cannot be reached are no reason to say anything', async () => {
    await fresh()
    await sign(store, subject, { key: alice.key })
    store.referrers = () => Promise.reject(new GantryError('denied', 'no list for you'))
    await expect(verifySignatures(store, subject, { trusted: [alice.trust] })).rejects.toMatchObject({ code: 'denied' })
  })

  test('are bounded in their number', async () => {
    await fresh()
    const entry = { ...subject, artifactType: BUNDLE_TYPE }
    store.referrers = () => Promise.resolve(Array.from({ length: 10_000 }, () => entry))
    await expect(verifySignatures(store, subject, { trusted: [alice.trust] })).rejects.toMatchObject({
      code: 'limit-exceeded',
    })
  })

  test('are bounded in their size', async () => {
    await fresh()
    const layer = await pushBlob(store, BUNDLE_TYPE, Buffer.alloc(10 * 1024 * 1024 + 1, ' '))
    await pushPacked(store, { artifactType: BUNDLE_TYPE, layers: [layer], subject })
    await expect(verifySignatures(store, subject, { trusted: [alice.trust] })).rejects.toThrow('exceeds the limit')
  })

  test('below a tag keep those of others', async () => {
    await fresh()
    for (const { key } of [alice, bob, alice]) await sign(store, subject, { key, form: 'tag' })
    for (const { trust } of [alice, bob]) await verifySignatures(store, subject, { trusted: [trust] })
  })

  test('below a tag leave something else there alone', async () => {
    await fresh()
    const tag = `${subject.digest.replace(':', '-')}.sig`
    const index = Buffer.from(
      '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}',
    )
    const descriptor = describeManifest(index)
    await store.push(
      descriptor,
      async function* () {
        yield index
      },
      { tag },
    )
    await expect(sign(store, subject, { key: alice.key, form: 'tag' })).rejects.toMatchObject({ code: 'conflict' })
    expect((await store.resolve(tag)).digest).toBe(descriptor.digest)
  })
})

describe('attestations', () => {
  test.each(['bundle', 'tag'] as const)('are verified by their type in the form %s', async (form) => {
    await fresh()
    const predicateType = predicateTypeOf('slsaprovenance1')
    const predicate = { builder: { id: 'https://ci.example.com' }, steps: [1, 2] }
    await attest(store, subject, { key: alice.key, form, predicateType, predicate })
    const asked = (conditions: Parameters<typeof checkPredicate>[1], type = predicateType) =>
      verifyAttestations(store, subject, {
        trusted: [alice.trust],
        predicateType: type,
        check: (claim) => checkPredicate(claim, conditions),
      })
    const { signatures } = await asked([
      { path: 'builder.id', value: 'https://ci.example.com' },
      { path: '/steps/1', value: '2' },
      { path: 'steps', value: '[1, 2]' },
      { path: 'builder', value: '{"id":"https://ci.example.com"}' },
    ])
    expect(signatures[0]?.claim.document.predicate).toEqual(predicate)
    await expect(asked([{ path: 'builder.id', value: 'other' }])).rejects.toThrow('is "https://ci.example.com"')
    await expect(asked([{ path: 'builder.constructor', value: 'x' }])).rejects.toThrow('is missing')
    await expect(asked([], predicateTypeOf('vuln'))).rejects.toMatchObject({ code: 'unsigned' })
  })

  test('of a type that is no type are refused', () => {
    expect(() => predicateTypeOf('nonsense')).toThrow('no type of attestation')
    expect(() => predicateTypeOf('constructor')).toThrow('no type of attestation')
    expect(predicateTypeOf('https://example.com/x')).toBe('https://example.com/x')
  })
})

test('everything in an index is found to be signed, once', async () => {
  await fresh()
  const other = await pushSubject(store, 'v2')
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [subject, other, subject].map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    }),
  )
  const index = describeManifest(bytes)
  await store.push(index, async function* () {
    yield bytes
  })
  const found = await manifestsIn(store, index)
  expect(found.map(({ digest }) => digest)).toEqual([index.digest, subject.digest, other.digest])
})
