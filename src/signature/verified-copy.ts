import { GantryError } from '../errors.js'
import { copy } from '../graph/copy.js'
import type { CopyOptions } from '../graph/plan-copy.js'
import type { CopyResult } from '../graph/run-copy.js'
import { resolvePlatform } from '../graph/select-platform.js'
import type { Descriptor } from '../oci/descriptor.js'
import type { Sink, Source } from '../store/store.js'
import { BUNDLE_TYPES } from './bundle.js'
import { SIGNATURE_ARTIFACT_TYPE } from './find-signatures.js'
import { verifyAttestations, verifySignatures, type VerifiedSignature, type VerifyOptions } from './verify.js'

/** What has to hold before something is copied. */
export interface Gate extends Omit<VerifyOptions, 'signal'> {
  /** Types of statements, as addresses, of which there has to be one each. */
  readonly attested?: readonly string[]
}

export interface VerifiedCopyResult extends CopyResult {
  /** The signatures that opened the gate. */
  readonly signatures: readonly VerifiedSignature[]
  /** Whether they were verified at the destination too: a file that is written once cannot be read before its end. */
  readonly isVerifiedAtDestination: boolean
}

/**
 * Copies what somebody who is trusted has signed, together with its signatures. The reference is resolved once; what was
 * verified is what is copied. The tags are set last, after the signatures were verified at the destination as well.
 * @throws GantryError `unsigned`, `untrusted-signature`; `invalid-argument` for several platforms, which would become an
 *   index that nobody has signed; as {@link copy}
 */
export async function copyVerified(
  source: Source,
  reference: string,
  sink: Sink,
  { gate, ...options }: CopyOptions & { readonly gate: Gate },
): Promise<VerifiedCopyResult> {
  const { platforms = [], tags = [], artifactTypes, referrers = false, signal, ...copyOptions } = options
  const [platform, ...others] = platforms
  if (others.length > 0) {
    throw new GantryError('invalid-argument', 'an index of some platforms is a new index, which nobody has signed', {
      hint: 'Copy the whole index, or one platform that is signed itself.',
    })
  }
  const root = await resolvePlatform(source, reference, { platform, signal })
  const signatures = await pass(source, root, gate, signal)
  const types = referrers ? artifactTypes : []
  const result = await copy(source, root.digest, sink, {
    ...copyOptions,
    signal,
    referrers: true,
    digestTags: true,
    artifactTypes: types === undefined ? undefined : [...types, ...SIGNATURE_TYPES],
  })
  const isVerifiedAtDestination = isSource(sink)
  if (isVerifiedAtDestination) await pass(sink, root, gate, signal)
  for (const tag of tags) await sink.tag(result.descriptor, tag, { signal })
  return { ...result, tags, signatures, isVerifiedAtDestination }
}

/** The types of referrers that hold signatures and attestations. */
const SIGNATURE_TYPES = [...BUNDLE_TYPES, SIGNATURE_ARTIFACT_TYPE]

async function pass(
  source: Source,
  root: Descriptor,
  { attested = [], ...gate }: Gate,
  signal: AbortSignal | undefined,
): Promise<readonly VerifiedSignature[]> {
  const { signatures } = await verifySignatures(source, root, { ...gate, signal })
  for (const predicateType of attested) {
    await verifyAttestations(source, root, { trusted: gate.trusted, predicateType, signal })
  }
  return signatures
}

function isSource(sink: Sink): sink is Sink & Source {
  return 'readManifest' in sink
}
