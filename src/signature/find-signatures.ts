import { GantryError, isGantryError } from '../errors.js'
import type { Annotations, Descriptor } from '../oci/descriptor.js'
import { algorithmOf, hexOf, type Digest } from '../oci/digest.js'
import { parseManifest, type ImageManifest, type ManifestContent } from '../oci/manifest.js'
import { isTag } from '../oci/reference.js'
import { isReferrerSource, type CallOptions, type Source } from '../store/store.js'
import { findManifest, readContent } from '../store/verify.js'
import type { JsonObject } from '../util/json.js'
import { mapConcurrently } from '../util/limit.js'
import { decodeBase64 } from './base64.js'
import { BUNDLE_TYPE_PREFIX, readBundle, readEnvelope } from './bundle.js'
import { COSIGN_SIGN_PREDICATE, readPayload, readStatement, type Claim } from './statement.js'

/** Most signatures that are looked at for one manifest; cosign's bound is the same. */
export const MAX_SIGNATURES = 1000
const MAX_PAYLOAD_SIZE = 1024 * 1024
const MAX_BUNDLE_SIZE = 10 * 1024 * 1024
/** Each may hold a bundle in memory. */
const CONCURRENCY = 8

export const SIMPLE_SIGNING_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json'
export const ENVELOPE_TYPE = 'application/vnd.dsse.envelope.v1+json'
/** The artifact type of a manifest of simple signing that refers to what is signed. */
export const SIGNATURE_ARTIFACT_TYPE = 'application/vnd.dev.cosign.artifact.sig.v1+json'
/** The annotation of a bundle's manifest that says what kind of statement is in it. */
export const PREDICATE_TYPE_ANNOTATION = 'dev.sigstore.bundle.predicateType'
export const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature'

/** How a signature is kept: below a tag made from the digest, as a referrer in the same form, or as a bundle. */
export type SignatureForm = 'tag' | 'referrer' | 'bundle'

/** Where a signature was found. */
export interface SignaturePlace {
  readonly form: SignatureForm
  /** Digest of the manifest that holds it. */
  readonly manifest: Digest
  /** Digest of the layer that is the signature. */
  readonly layer: Digest
}

/** A signature whose claim is about the manifest in question; who made it is still to be found out. */
export interface Signature {
  readonly place: SignaturePlace
  readonly claim: Claim
  /** The document that was signed. */
  readonly payload: Uint8Array
  /** What the signature is of. */
  readonly signedBytes: Uint8Array
  readonly signature: Uint8Array
  /** The whole bundle, or the envelope of the tag `.att`. */
  readonly document: JsonObject | undefined
  /** Of the layer: where certificates and log entries of simple signing are. */
  readonly annotations: Annotations
}

/** A signature that cannot be used, and why. */
export interface RefusedSignature {
  readonly place: Omit<SignaturePlace, 'layer'> & Partial<SignaturePlace>
  readonly reason: string
}

export interface SearchOptions<Result> extends CallOptions {
  /** The type of statement that is looked for; default: signatures in the strict sense. */
  readonly predicateType?: string
  /** Called with each signature as it is read, so that no more than a few are in memory at a time. */
  readonly examine: (signature: Signature) => Promise<Result>
  /** Called with each that is not understood. */
  readonly onRefused: (refused: RefusedSignature) => void
}

/** A manifest that may hold signatures. */
interface Holder {
  readonly form: SignatureForm
  readonly descriptor: Descriptor
  readonly manifest: ImageManifest
}

/**
 * Finds the signatures of a manifest, or the attestations of one type, in every form that cosign writes.
 * @returns what `examine` made of each
 * @throws GantryError `limit-exceeded` for more than {@link MAX_SIGNATURES}; as the source: what cannot be read is no
 *   reason to say that there is nothing
 */
export async function findSignatures<Result>(
  source: Source,
  subject: Descriptor,
  { predicateType, examine, onRefused, signal }: SearchOptions<Result>,
): Promise<readonly Result[]> {
  const search = new Search(source, subject, { predicateType, onRefused, signal })
  const layers = await search.layers()
  const results = await mapConcurrently(
    layers,
    async (found) => {
      const signature = await search.read(found)
      return signature === undefined ? undefined : { result: await examine(signature) }
    },
    { signal, concurrency: CONCURRENCY },
  )
  return results.flatMap((examined) => (examined === undefined ? [] : [examined.result]))
}

/** The tag that cosign keeps signatures or attestations of a manifest under; undefined where the digest is too long. */
export function signatureTagOf(digest: Digest, suffix: 'sig' | 'att'): string | undefined {
  const tag = `${algorithmOf(digest)}-${hexOf(digest)}.${suffix}`
  return isTag(tag) ? tag : undefined
}

/** A layer that may be a signature. */
interface FoundLayer {
  readonly place: SignaturePlace
  readonly layer: Descriptor
}

/** One search for the signatures of one manifest. */
class Search {
  readonly #source: Source
  readonly #subject: Descriptor
  readonly #predicateType: string | undefined
  readonly #onRefused: (refused: RefusedSignature) => void
  readonly #options: CallOptions

  constructor(
    source: Source,
    subject: Descriptor,
    { predicateType, onRefused, signal }: Omit<SearchOptions<unknown>, 'examine'>,
  ) {
    this.#source = source
    this.#subject = subject
    this.#predicateType = predicateType
    this.#onRefused = onRefused
    this.#options = { signal }
  }

  async layers(): Promise<readonly FoundLayer[]> {
    const layers = [...(await this.#readTag()), ...(await this.#readReferrers())].flatMap(
      ({ form, descriptor, manifest }) =>
        manifest.layers.map((layer) => ({
          place: { form, manifest: descriptor.digest, layer: layer.digest },
          layer,
        })),
    )
    this.#requireFew(layers.length)
    return layers
  }

  async read({ place, layer }: FoundLayer): Promise<Signature | undefined> {
    return this.#tolerant(place, () => this.#readLayer(place, layer))
  }

  async #readTag(): Promise<readonly Holder[]> {
    const tag = signatureTagOf(this.#subject.digest, this.#predicateType === undefined ? 'sig' : 'att')
    if (tag === undefined) return []
    const content = await findManifest(this.#source, tag, this.#options)
    if (content === undefined) return []
    const place = { form: 'tag' as const, manifest: content.descriptor.digest }
    const holder = await this.#tolerant(place, () => Promise.resolve(holderOf('tag', content)))
    return holder === undefined ? [] : [holder]
  }

  async #readReferrers(): Promise<readonly Holder[]> {
    if (!isReferrerSource(this.#source)) return []
    const source = this.#source
    const listed = (await source.referrers(this.#subject, this.#options)).flatMap((descriptor) => {
      const form = formOf(descriptor, this.#predicateType)
      return form === undefined ? [] : [{ form, descriptor }]
    })
    this.#requireFew(listed.length)
    const holders = await mapConcurrently(
      listed,
      async ({ form, descriptor: { digest } }) =>
        this.#tolerant({ form, manifest: digest }, async () =>
          holderOf(form, await source.readManifest(digest, this.#options)),
        ),
      { ...this.#options, concurrency: CONCURRENCY },
    )
    return holders.filter((holder) => holder !== undefined)
  }

  async #readLayer(place: SignaturePlace, layer: Descriptor): Promise<Signature | undefined> {
    const { mediaType, annotations = {} } = layer
    const { digest } = this.#subject
    if (mediaType.startsWith(BUNDLE_TYPE_PREFIX)) {
      const bundle = readBundle(await this.#content(layer, MAX_BUNDLE_SIZE))
      const claim = readStatement(bundle.payload, digest)
      if (claim.predicateType !== (this.#predicateType ?? COSIGN_SIGN_PREDICATE)) return undefined
      return { ...bundle, place: { ...place, form: 'bundle' }, claim, annotations }
    }
    if (this.#predicateType !== undefined) {
      if (mediaType !== ENVELOPE_TYPE) return undefined
      const envelope = readEnvelope(await this.#content(layer, MAX_BUNDLE_SIZE))
      const claim = readStatement(envelope.payload, digest)
      return claim.predicateType === this.#predicateType ? { ...envelope, place, claim, annotations } : undefined
    }
    if (mediaType !== SIMPLE_SIGNING_TYPE) return undefined
    const payload = await this.#content(layer, MAX_PAYLOAD_SIZE)
    const signature = decodeBase64(annotations[SIGNATURE_ANNOTATION], `the annotation "${SIGNATURE_ANNOTATION}"`)
    const claim = readPayload(payload, digest)
    return { place, claim, payload, signedBytes: payload, signature, document: undefined, annotations }
  }

  #content(layer: Descriptor, limit: number): Promise<Uint8Array> {
    return readContent(this.#source, layer, { ...this.#options, limit })
  }

  /** What is wrong with one signature does not keep another one from being good. What cannot be reached ends the search. */
  async #tolerant<Result>(place: RefusedSignature['place'], read: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await read()
    } catch (error) {
      if (!isGantryError(error, ...FAULTS_OF_CONTENT)) throw error
      this.#onRefused({ place, reason: error.message })
      return undefined
    }
  }

  #requireFew(count: number): void {
    if (count <= MAX_SIGNATURES) return
    const text = `${this.#subject.digest} has ${count} signatures: at most ${MAX_SIGNATURES} are looked at`
    throw new GantryError('limit-exceeded', text, { details: { reason: 'list-length' } })
  }
}

/** The list of referrers says which of them are worth reading; what it says is not believed further than that. */
function formOf(
  { artifactType = '', annotations = {} }: Descriptor,
  predicateType: string | undefined,
): SignatureForm | undefined {
  if (artifactType === SIGNATURE_ARTIFACT_TYPE) return predicateType === undefined ? 'referrer' : undefined
  if (!artifactType.startsWith(BUNDLE_TYPE_PREFIX)) return undefined
  const announced = annotations[PREDICATE_TYPE_ANNOTATION]
  return announced === undefined || announced === (predicateType ?? COSIGN_SIGN_PREDICATE) ? 'bundle' : undefined
}

function holderOf(form: SignatureForm, content: ManifestContent): Holder {
  const manifest = parseManifest(content)
  if (manifest.kind === 'image') return { form, descriptor: content.descriptor, manifest }
  throw new GantryError(
    'invalid-content',
    `${content.descriptor.digest} is no image manifest, so it holds no signatures`,
  )
}

const FAULTS_OF_CONTENT = [
  'invalid-content',
  'invalid-digest',
  'ambiguous-manifest',
  'digest-mismatch',
  'size-mismatch',
  'limit-exceeded',
  'not-found',
  'unsupported',
] as const
