import type { VerifiedSignature, VerifyResult } from '../../signature/verify.js'
import type { Printer } from './printer.js'
import { contentResultOf } from './content-result.js'

/** A verification as results show it. */
export function verificationOf(path: string, { descriptor, signatures, refused }: VerifyResult): object {
  return {
    ...contentResultOf(path, descriptor),
    signatures: signatures.map(signatureResultOf),
    refused: refused.map(({ place, reason }) => ({ ...place, reason })),
  }
}

/** A signature as results show it. */
export function signatureResultOf({ place, signer, claim }: VerifiedSignature): object {
  const { predicateType, annotations, document } = claim
  return { ...place, signer, predicateType, annotations, document }
}

/** Tells of each signature that counts, and who made it. */
export function describeSignatures(signatures: readonly VerifiedSignature[], print: Pick<Printer, 'status'>): void {
  for (const { place, signer } of signatures) {
    const who = signer.kind === 'key' ? signer.name : `${signer.identity} (${signer.issuer})`
    print.status(`Signed by ${who} (${place.form} ${place.manifest})`)
  }
}
