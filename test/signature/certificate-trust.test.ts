import { createHash, generateKeyPairSync, sign, X509Certificate, type KeyPairKeyObjectResult } from 'node:crypto'
import { initializeCA, initializeCTLog, initializeTLog } from '@sigstore/mock'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Descriptor } from '../../src/oci/descriptor.js'
import { encodePem } from '../../src/signature/base64.js'
import { BUNDLE_TYPE } from '../../src/signature/bundle.js'
import { trustCertificates } from '../../src/signature/certificate-trust.js'
import { SIGNATURE_ANNOTATION, SIMPLE_SIGNING_TYPE } from '../../src/signature/find-signatures.js'
import { sign as signManifest } from '../../src/signature/sign.js'
import { encodePayload, encodeStatement, preAuthenticationEncoding } from '../../src/signature/statement.js'
import { verifySignatures, type VerifyResult } from '../../src/signature/verify.js'
import { MemoryStore } from '../../src/store/memory.js'
import { person, pushBlob, pushPacked, pushSubject } from './workshop.js'

const IDENTITY = 'https://github.com/example/app/.github/workflows/release.yml@refs/heads/main'
const ISSUER = 'https://token.actions.githubusercontent.com'
const IN_TOTO = 'application/vnd.in-toto+json'

/** The services that a keyless signature leads to, made here. */
class Services {
  static async start(now = new Date()): Promise<Services> {
    const pairs = [1, 2, 3].map(() => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }))
    const [caPair, ctPair, logPair] = pairs as [KeyPairKeyObjectResult, KeyPairKeyObjectResult, KeyPairKeyObjectResult]
    const ctLog = await initializeCTLog(ctPair, now)
    return new Services(
      await initializeCA(caPair, ctLog, now),
      ctLog,
      await initializeTLog('https://rekor.example.com', logPair, now),
    )
  }

  private constructor(
    readonly ca: Awaited<ReturnType<typeof initializeCA>>,
    readonly ctLog: Awaited<ReturnType<typeof initializeCTLog>>,
    readonly log: Awaited<ReturnType<typeof initializeTLog>>,
  ) {}

  get trustedRoot(): Buffer {
    const validFor = { start: '2020-01-01T00:00:00Z' }
    const logOf = (publicKey: Buffer) => ({
      baseUrl: 'https://rekor.example.com',
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: publicKey.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
      logId: { keyId: createHash('sha256').update(publicKey).digest('base64') },
    })
    return Buffer.from(
      JSON.stringify({
        mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
        tlogs: [logOf(this.log.publicKey)],
        certificateAuthorities: [
          {
            subject: { organization: 'example', commonName: 'example' },
            uri: 'https://ca.example.com',
            certChain: { certificates: [{ rawBytes: this.ca.rootCertificate.toString('base64') }] },
            validFor,
          },
        ],
        ctlogs: [logOf(this.ctLog.publicKey)],
        timestampAuthorities: [],
      }),
    )
  }

  /** A key and a certificate for it, as they are made for one signature. */
  async issue(identity = IDENTITY, issuer = ISSUER) {
    const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
    const certificate = await this.ca.issueCertificate({
      publicKey: pair.publicKey.export({ format: 'der', type: 'spki' }),
      subjectAltName: identity,
      extensions: [{ oid: '1.3.6.1.4.1.57264.1.8', value: issuer }],
    })
    return { ...pair, certificate }
  }
}

/** What the log says about an entry, as far as it is needed here. */
interface LoggedEntry {
  readonly body: string
  readonly integratedTime: number
  readonly logIndex: number
  readonly logID: string
  readonly verification: {
    readonly signedEntryTimestamp: string
    readonly inclusionProof: { readonly rootHash: string; readonly checkpoint: string }
  }
}

async function enter(log: Services['log'], entry: object): Promise<LoggedEntry> {
  const [logged] = Object.values((await log.log(entry)) as Record<string, LoggedEntry>)
  if (logged === undefined) throw new Error('the log took nothing')
  return logged
}

interface Changes {
  readonly identity?: string
  readonly issuer?: string
  /** Signs something else than what is in the bundle. */
  readonly otherBytes?: boolean
  /** The entry of the log is about another signature. */
  readonly otherEntry?: boolean
  readonly withoutEntry?: boolean
}

let services: Services
let stranger: Services

beforeAll(async () => {
  services = await Services.start()
  stranger = await Services.start()
})

async function bundleOf(subject: Descriptor, by: Services, changes: Changes): Promise<Buffer> {
  const payload = Buffer.from(
    encodeStatement(subject.digest, { predicateType: 'https://sigstore.dev/cosign/sign/v1', predicate: {} }),
  )
  const { certificate, privateKey } = await by.issue(changes.identity, changes.issuer)
  const pae = preAuthenticationEncoding(IN_TOTO, payload)
  const signature = sign('sha256', changes.otherBytes === true ? Buffer.from('other') : pae, privateKey).toString(
    'base64',
  )
  const pem = encodePem('CERTIFICATE', certificate)
  const entry = {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      envelopeHash: { algorithm: 'sha256', value: createHash('sha256').update('unused').digest('hex') },
      payloadHash: { algorithm: 'sha256', value: createHash('sha256').update(payload).digest('hex') },
      signatures: [
        {
          signature: changes.otherEntry === true ? Buffer.from('other').toString('base64') : signature,
          verifier: Buffer.from(pem).toString('base64'),
        },
      ],
    },
  }
  const logged = await enter(by.log, entry)
  const proof = logged.verification.inclusionProof
  const tlogEntries = [
    {
      logIndex: String(logged.logIndex),
      logId: { keyId: Buffer.from(logged.logID, 'hex').toString('base64') },
      kindVersion: { kind: 'dsse', version: '0.0.1' },
      integratedTime: String(logged.integratedTime),
      inclusionPromise: { signedEntryTimestamp: logged.verification.signedEntryTimestamp },
      inclusionProof: {
        logIndex: '0',
        rootHash: Buffer.from(proof.rootHash, 'hex').toString('base64'),
        treeSize: '1',
        hashes: [],
        checkpoint: { envelope: proof.checkpoint },
      },
      canonicalizedBody: logged.body,
    },
  ]
  return Buffer.from(
    JSON.stringify({
      mediaType: BUNDLE_TYPE,
      verificationMaterial: {
        certificate: { rawBytes: certificate.toString('base64') },
        tlogEntries: changes.withoutEntry === true ? [] : tlogEntries,
      },
      dsseEnvelope: { payload: payload.toString('base64'), payloadType: IN_TOTO, signatures: [{ sig: signature }] },
    }),
  )
}

async function verifyBundle(
  by: Services,
  changes: Changes = {},
  wanted: { identity?: string | RegExp; issuer?: string | RegExp } = {},
): Promise<VerifyResult> {
  const store = new MemoryStore()
  const subject = await pushSubject(store, 'v1')
  const layer = await pushBlob(store, BUNDLE_TYPE, await bundleOf(subject, by, changes))
  await pushPacked(store, { artifactType: BUNDLE_TYPE, layers: [layer], subject })
  const { identity = IDENTITY, issuer = ISSUER } = wanted
  const trust = await trustCertificates({ identity, issuer, trustedRoot: services.trustedRoot })
  return verifySignatures(store, subject, { trusted: [trust] })
}

describe('a signature by certificate', () => {
  test('is verified with its identity, its issuer and its entry in the log', async () => {
    const { signatures } = await verifyBundle(services)
    expect(signatures).toMatchObject([{ signer: { kind: 'certificate', identity: IDENTITY, issuer: ISSUER } }])
  })

  test('is verified by patterns', async () => {
    const wanted = { identity: /^https:\/\/github\.com\/example\//, issuer: /githubusercontent/ }
    expect((await verifyBundle(services, {}, wanted)).signatures).toHaveLength(1)
  })

  test.each([
    ['an identity that only contains the one that is wanted', {}, { identity: IDENTITY.slice(0, 30) }, 'signed by'],
    [
      'an identity in which a dot is another character',
      { identity: IDENTITY.replace('github.com', 'githubxcom') },
      {},
      'signed by',
    ],
    ['another issuer', { issuer: 'https://evil.example.com' }, {}, 'vouched for'],
    ['a pattern that does not match', {}, { identity: /^nobody/ }, 'signed by'],
    ['a signature of something else', { otherBytes: true }, {}, 'does not hold'],
    ['an entry about another signature', { otherEntry: true }, {}, 'does not hold'],
    ['no entry in the log', { withoutEntry: true }, {}, 'is not understood|does not hold'],
  ])('is refused with %s', async (_, changes, wanted, reason) => {
    const verified = verifyBundle(services, changes, wanted)
    await expect(verified).rejects.toMatchObject({ code: 'untrusted-signature' })
    await expect(verified).rejects.toThrow(new RegExp(reason))
  })

  test('is refused from an authority that is not trusted', async () => {
    await expect(verifyBundle(stranger)).rejects.toMatchObject({ code: 'untrusted-signature' })
  })

  test('is refused when the certificate was not valid at the time of the entry', async () => {
    const early = await Services.start(new Date('2021-01-01T00:00:00Z'))
    const mixed = Object.create(services, { ca: { value: early.ca } }) as Services
    await expect(verifyBundle(mixed)).rejects.toMatchObject({ code: 'untrusted-signature' })
  })

  test('is verified below the tag, as cosign wrote it before bundles', async () => {
    const store = new MemoryStore()
    const subject = await pushSubject(store, 'v1')
    const payload = Buffer.from(encodePayload(subject.digest, 'example.com/app', undefined))
    const { certificate, privateKey } = await services.issue()
    const signature = sign('sha256', payload, privateKey).toString('base64')
    const pem = encodePem('CERTIFICATE', certificate)
    const { body, integratedTime, logIndex, logID, verification } = await enter(services.log, {
      apiVersion: '0.0.1',
      kind: 'hashedrekord',
      spec: {
        data: { hash: { algorithm: 'sha256', value: createHash('sha256').update(payload).digest('hex') } },
        signature: { content: signature, publicKey: { content: Buffer.from(pem).toString('base64') } },
      },
    })
    const annotations = {
      [SIGNATURE_ANNOTATION]: signature,
      'dev.sigstore.cosign/certificate': new X509Certificate(certificate).toString(),
      'dev.sigstore.cosign/bundle': JSON.stringify({
        SignedEntryTimestamp: verification.signedEntryTimestamp,
        Payload: { body, integratedTime, logIndex, logID },
      }),
    }
    const layer = await pushBlob(store, SIMPLE_SIGNING_TYPE, payload)
    const tag = `${subject.digest.replace(':', '-')}.sig`
    await pushPacked(store, { artifactType: 'test/signature', layers: [{ ...layer, annotations }], tag })
    const ask = async (trustedRoot: Buffer) =>
      verifySignatures(store, subject, {
        trusted: [await trustCertificates({ identity: IDENTITY, issuer: ISSUER, trustedRoot })],
      })
    expect((await ask(services.trustedRoot)).signatures).toMatchObject([{ place: { form: 'tag' } }])
    await expect(ask(stranger.trustedRoot)).rejects.toMatchObject({ code: 'untrusted-signature' })
  })

  test('is refused when it was made with a key', async () => {
    const store = new MemoryStore()
    const subject = await pushSubject(store, 'v1')
    const { key } = await person('alice')
    for (const form of ['bundle', 'tag'] as const) await signManifest(store, subject, { key, form })
    const trust = await trustCertificates({ identity: IDENTITY, issuer: ISSUER, trustedRoot: services.trustedRoot })
    await expect(verifySignatures(store, subject, { trusted: [trust] })).rejects.toThrow('signed with a key')
  })
})

test.each(['{}', '[]', '{"tlogs":1}', 'no JSON'])('a trusted root that is none is refused: %s', async (text) => {
  const trust = trustCertificates({ identity: 'a', issuer: 'b', trustedRoot: Buffer.from(text) })
  await expect(trust).rejects.toMatchObject({ code: 'invalid-content' })
})
