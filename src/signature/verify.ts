import { GantryError, isGantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { CallOptions, Source } from '../store/store.js'
import { findSignatures, type RefusedSignature, type Signature, type SignaturePlace } from './find-signatures.js'
import type { Claim } from './statement.js'
import type { Signer, Trust } from './trust.js'

/** How many refused signatures an error tells of. */
const TOLD = 5

export interface VerifyOptions extends CallOptions {
  /** Whose signatures count. */
  readonly trusted: readonly Trust[]
  /** Everyone who is trusted has to have signed. Default: one is enough. */
  readonly requireAll?: boolean
  /** What a signer has to have added. */
  readonly annotations?: Readonly<Record<string, string>>
}

export interface VerifyAttestationOptions extends VerifyOptions {
  /** The type of statement that is wanted, as an address. */
  readonly predicateType: string
  /** Refuses a statement whose content is not as wanted, with a GantryError `invalid-content` that says why. */
  readonly check?: (claim: Claim) => void
}

/** A signature of somebody who is trusted. */
export interface VerifiedSignature {
  readonly place: SignaturePlace
  readonly signer: Signer
  readonly claim: Claim
  /** The document as it was signed. */
  readonly payload: Uint8Array
}

export interface VerifyResult {
  /** What was verified. */
  readonly descriptor: Descriptor
  readonly signatures: readonly VerifiedSignature[]
  /** What was found beside them and does not count. */
  readonly refused: readonly RefusedSignature[]
}

/**
 * Verifies that somebody who is trusted has signed a manifest, in any form that cosign writes. An attestation is no
 * signature: a signed report about an image does not say that the image is approved.
 * @throws GantryError `unsigned` when there is no signature; `untrusted-signature` when none counts; as the source
 * @example
 * const { signatures } = await verifySignatures(store, descriptor, { trusted: [trustKey(key)] })
 */
export async function verifySignatures(
  source: Source,
  descriptor: Descriptor,
  options: VerifyOptions,
): Promise<VerifyResult> {
  return verify(source, descriptor, { ...options, predicateType: undefined, what: 'signatures' })
}

/**
 * Verifies that somebody who is trusted has made a statement of one type about a manifest.
 * @throws GantryError `unsigned` when there is none; `untrusted-signature` when none counts; as the source
 */
export async function verifyAttestations(
  source: Source,
  descriptor: Descriptor,
  options: VerifyAttestationOptions,
): Promise<VerifyResult> {
  return verify(source, descriptor, { ...options, what: `attestations of the type ${options.predicateType}` })
}

interface Question extends Omit<VerifyAttestationOptions, 'predicateType'> {
  readonly predicateType: string | undefined
  readonly what: string
}

async function verify(source: Source, descriptor: Descriptor, question: Question): Promise<VerifyResult> {
  const { trusted, requireAll = false, predicateType, what, signal } = question
  if (trusted.length === 0) throw new GantryError('invalid-argument', 'nobody is named whose signatures count')
  const { digest } = descriptor
  const refused: RefusedSignature[] = []
  const judged = await findSignatures(source, descriptor, {
    predicateType,
    signal,
    onRefused: (one) => refused.push(one),
    examine: async (signature) => {
      const { place, claim, payload } = signature
      return {
        place,
        claim,
        payload,
        verdicts: await Promise.all(trusted.map((who) => judge(signature, who, question))),
      }
    },
  })
  const signatures: VerifiedSignature[] = []
  const missing = new Set(trusted)
  for (const { verdicts, ...signature } of judged) {
    const good = verdicts.flatMap((verdict) => ('signer' in verdict ? [verdict] : []))
    for (const { trust } of good) missing.delete(trust)
    const [first] = good
    if (first !== undefined) signatures.push({ ...signature, signer: first.signer })
    else refused.push({ place: signature.place, reason: verdicts.flatMap(reasonIn).join(', ') })
  }
  if (signatures.length === 0 && refused.length === 0) {
    throw new GantryError('unsigned', `no ${what} found for ${digest}`)
  }
  if (signatures.length === 0 || (requireAll && missing.size > 0)) {
    const names = requireAll ? [...missing].map(({ name }) => name).join(' and ') : 'anybody who is trusted'
    const reasons = refused.length === 0 ? '' : `: ${reasonsOf(refused)}`
    throw new GantryError('untrusted-signature', `no matching ${what} of ${names} for ${digest}${reasons}`)
  }
  return { descriptor, signatures, refused }
}

type Verdict = { readonly trust: Trust; readonly signer: Signer } | { readonly reason: string }

async function judge(signature: Signature, trust: Trust, { annotations = {}, check }: Question): Promise<Verdict> {
  try {
    const signer = await trust.verify(signature)
    for (const [key, wanted] of Object.entries(annotations)) {
      const value = signature.claim.annotations[key]
      if (value === wanted) continue
      const actual = value === undefined ? 'is missing' : `is ${JSON.stringify(value)}`
      return { reason: `the annotation "${key}" ${actual}, not ${JSON.stringify(wanted)}` }
    }
    check?.(signature.claim)
    return { trust, signer }
  } catch (error) {
    if (!isGantryError(error, 'invalid-content')) throw error
    return { reason: error.message }
  }
}

function reasonIn(verdict: Verdict): readonly string[] {
  return 'reason' in verdict ? [verdict.reason] : []
}

function reasonsOf(refused: readonly RefusedSignature[]): string {
  const told = refused.slice(0, TOLD).map(({ place: { form, manifest }, reason }) => `${form} ${manifest}: ${reason}`)
  const rest = refused.length - told.length
  return [...told, ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ')
}
