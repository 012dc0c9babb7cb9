import { createHash } from 'node:crypto'
import type { Bundle } from '@sigstore/bundle'
import { GantryError } from '../errors.js'
import { isJsonObject, parseJsonObject, type JsonObject } from '../util/json.js'
import { decodeBase64, decodePem } from './base64.js'
import { BUNDLE_TYPE_PREFIX } from './bundle.js'
import type { Signature } from './find-signatures.js'
import type { Signer, Trust } from './trust.js'

const CERTIFICATE_ANNOTATION = 'dev.sigstore.cosign/certificate'
const LOG_ENTRY_ANNOTATION = 'dev.sigstore.cosign/bundle'

/** A name as it has to be, or what it has to match anywhere, as cosign reads patterns. */
export type Matcher = string | RegExp

export interface CertificateTrustOptions {
  /** The subject alternative name of the certificate: an address of a person or of a build. */
  readonly identity: Matcher
  /** Who has vouched for the identity. */
  readonly issuer: Matcher
  /** The content of a `trusted_root.json`: certificate authorities, logs and time stamping services. */
  readonly trustedRoot: Uint8Array
}

/**
 * Trust in what an identity has signed with a short-lived certificate ("keyless"): the certificate leads to a trusted
 * authority and is in its log, the signature is in a transparency log, and its time lies in that of the certificate.
 * Nothing is asked over the network.
 * @throws GantryError `invalid-content` for a trusted root that is none
 * @example
 * const trust = await trustCertificates({ identity: 'release@example.com', issuer: 'https://accounts.example.com', trustedRoot })
 */
export async function trustCertificates(options: CertificateTrustOptions): Promise<Trust> {
  const { identity, issuer, trustedRoot } = options
  const [{ bundleFromJSON }, { TrustedRoot }, { toSignedEntity, toTrustMaterial, Verifier }] = await Promise.all([
    import('@sigstore/bundle'),
    import('@sigstore/protobuf-specs'),
    import('@sigstore/verify'),
  ])
  const root = parseJsonObject(trustedRoot, 'the trusted root')
  const verifier = understood('the trusted root is not understood', () => {
    const material = toTrustMaterial(TrustedRoot.fromJSON(root))
    if (material.certificateAuthorities.length === 0) throw new Error('it names no certificate authority')
    return new Verifier(material, { ctlogThreshold: 1, tlogThreshold: 1 })
  })
  return {
    name: `${textOf(identity)} (${textOf(issuer)})`,
    verify(signature) {
      const { document, artifact } = bundleOf(signature)
      const bundle: Bundle = understood('the bundle is not understood', () => bundleFromJSON(document))
      if (bundle.verificationMaterial.content.$case === 'publicKey') {
        throw new GantryError('invalid-content', 'signed with a key, not with a certificate')
      }
      const found = understood('the certificate or the log entry does not hold', () => {
        return verifier.verify(toSignedEntity(bundle, artifact)).identity
      })
      return requireIdentity(found?.subjectAlternativeName, found?.extensions?.issuer, { identity, issuer })
    },
  }
}

/** The library matches patterns anywhere, so that names are compared here. */
function requireIdentity(
  found: string | undefined,
  foundIssuer: string | undefined,
  { identity, issuer }: Pick<CertificateTrustOptions, 'identity' | 'issuer'>,
): Signer {
  if (found === undefined || foundIssuer === undefined) {
    throw new GantryError('invalid-content', 'the certificate names no identity, or no issuer')
  }
  if (!matches(found, identity)) {
    throw new GantryError('invalid-content', `signed by "${found}", not by ${textOf(identity)}`)
  }
  if (!matches(foundIssuer, issuer)) {
    throw new GantryError('invalid-content', `"${found}" is vouched for by "${foundIssuer}", not by ${textOf(issuer)}`)
  }
  return { kind: 'certificate', identity: found, issuer: foundIssuer }
}

function matches(found: string, wanted: Matcher): boolean {
  return typeof wanted === 'string' ? found === wanted : wanted.test(found)
}

function textOf(matcher: Matcher): string {
  return typeof matcher === 'string' ? matcher : `/${matcher.source}/`
}

/** What the library throws says what is wrong in words of its own. */
function understood<Result>(what: string, act: () => Result): Result {
  try {
    return act()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new GantryError('invalid-content', `${what}: ${reason}`, { cause })
  }
}

/** A signature in the form of a bundle, and what it is of where the bundle does not hold that. */
function bundleOf(signature: Signature): { readonly document: JsonObject; readonly artifact: Buffer | undefined } {
  const { document, annotations, signedBytes } = signature
  if (document?.dsseEnvelope !== undefined) return { document, artifact: undefined }
  const content =
    document === undefined ? { messageSignature: messageSignatureOf(signature) } : { dsseEnvelope: document }
  return {
    document: {
      mediaType: `${BUNDLE_TYPE_PREFIX}+json;version=0.1`,
      verificationMaterial: materialOf(annotations),
      ...content,
    },
    artifact: document === undefined ? Buffer.from(signedBytes) : undefined,
  }
}

function messageSignatureOf({ signedBytes, signature }: Signature): JsonObject {
  const digest = createHash('sha256').update(signedBytes).digest('base64')
  return {
    messageDigest: { algorithm: 'SHA2_256', digest },
    signature: Buffer.from(signature).toString('base64'),
  }
}

/** The certificate and the log entry of a layer's annotations, in the form of a bundle. */
function materialOf(annotations: Readonly<Record<string, string>>): JsonObject {
  const pem = annotations[CERTIFICATE_ANNOTATION]
  const entry = annotations[LOG_ENTRY_ANNOTATION]
  if (pem === undefined) throw new GantryError('invalid-content', 'signed with a key, not with a certificate')
  if (entry === undefined) throw new GantryError('invalid-content', 'the certificate comes without an entry of a log')
  const certificate = decodePem(pem, ['CERTIFICATE'], 'the certificate')
  const { SignedEntryTimestamp: signedEntryTimestamp, Payload } = parseJsonObject(Buffer.from(entry), 'the log entry')
  if (certificate === undefined || !isJsonObject(Payload) || typeof Payload.logID !== 'string') {
    throw new GantryError('invalid-content', 'the certificate or the log entry is not understood')
  }
  const { body, integratedTime, logIndex, logID } = Payload
  const { kind, apiVersion } = parseJsonObject(decodeBase64(body, 'the log entry'), 'the log entry')
  return {
    x509CertificateChain: { certificates: [{ rawBytes: certificate.bytes.toString('base64') }] },
    tlogEntries: [
      {
        logIndex: String(logIndex),
        logId: { keyId: Buffer.from(logID, 'hex').toString('base64') },
        kindVersion: { kind, version: apiVersion },
        integratedTime: String(integratedTime),
        inclusionPromise: { signedEntryTimestamp },
        canonicalizedBody: body,
      },
    ],
  }
}
