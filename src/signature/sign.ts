import { GantryError } from '../errors.js'
import { readGraph } from '../graph/read-graph.js'
import { delay } from '../util/abort.js'
import { Annotation, formatTimestamp } from '../oci/annotations.js'
import { asManifest, descriptorOf, type Descriptor } from '../oci/descriptor.js'
import type { Digest } from '../oci/digest.js'
import { encodeJson } from '../oci/encode-json.js'
import { describeManifest, parseManifest, type ImageManifest, type ManifestContent } from '../oci/manifest.js'
import { isIndexType, MediaType } from '../oci/media-types.js'
import { packManifest } from '../oci/pack.js'
import { isReferrerSink, type CallOptions, type Source, type Store } from '../store/store.js'
import { findManifest, readContent } from '../store/verify.js'
import { openBytes } from '../util/bytes.js'
import { BUNDLE_TYPE, encodeBundle, encodeEnvelope } from './bundle.js'
import {
  ENVELOPE_TYPE,
  PREDICATE_TYPE_ANNOTATION,
  SIGNATURE_ANNOTATION,
  signatureTagOf,
  SIMPLE_SIGNING_TYPE,
} from './find-signatures.js'
import type { PrivateKey } from './private-key.js'
import { COSIGN_SIGN_PREDICATE, encodePayload, encodeStatement } from './statement.js'

/** How often a list of signatures is written that somebody else changes at the same time. */
const ATTEMPTS = 5
const WAIT = 200

export interface SignOptions extends CallOptions {
  readonly key: PrivateKey
  /** `bundle`: a bundle that refers to the manifest, the default; `tag`: a layer below a tag, for older verifiers. */
  readonly form?: 'bundle' | 'tag'
  /** What the signer adds. */
  readonly annotations?: Readonly<Record<string, string>>
  /** Repository that the signature says the manifest is in; nobody has to believe it. */
  readonly repository?: string
  /** RFC 3339; default: now. */
  readonly created?: string
}

export interface AttestOptions extends SignOptions {
  /** The type of the statement, as an address. */
  readonly predicateType: string
  /** What is stated: any JSON. */
  readonly predicate: unknown
}

export interface SignResult {
  /** What was signed. */
  readonly subject: Descriptor
  /** The manifest that holds the signature. */
  readonly descriptor: Descriptor
  readonly form: 'bundle' | 'tag'
  /** The tag of the form `tag`. */
  readonly tag: string | undefined
}

/**
 * Signs a manifest with a key, in a form that cosign verifies.
 * @throws GantryError `unsupported` for the form `tag` of a digest that is too long for a tag; as the store
 */
export async function sign(store: Store, subject: Descriptor, options: SignOptions): Promise<SignResult> {
  const { key, form = 'bundle', annotations, repository = '' } = options
  if (form === 'tag') {
    const payload = encodePayload(subject.digest, repository, annotations)
    const signature = key.sign(payload).toString('base64')
    const layer = { ...descriptorOf(SIMPLE_SIGNING_TYPE, payload), annotations: { [SIGNATURE_ANNOTATION]: signature } }
    return addToTag(store, subject, { suffix: 'sig', layer, bytes: payload }, options)
  }
  const statement = { predicateType: COSIGN_SIGN_PREDICATE, predicate: {}, annotations }
  return pushBundle(store, subject, statement, options)
}

/**
 * Signs a statement about a manifest and keeps it with it, in a form that cosign verifies.
 * @throws GantryError as {@link sign}
 */
export async function attest(store: Store, subject: Descriptor, options: AttestOptions): Promise<SignResult> {
  const { key, form = 'bundle', predicateType, predicate, annotations, repository: name } = options
  const statement = { predicateType, predicate, annotations, name }
  if (form === 'bundle') return pushBundle(store, subject, statement, options)
  const bytes = encodeEnvelope(encodeStatement(subject.digest, statement), key.sign)
  const layer = {
    ...descriptorOf(ENVELOPE_TYPE, bytes),
    annotations: { [SIGNATURE_ANNOTATION]: '', predicateType },
  }
  return addToTag(store, subject, { suffix: 'att', layer, bytes }, options)
}

/**
 * Finds what there is to sign where everything in an index is signed: the index, and what it holds, at any depth.
 * @throws GantryError `limit-exceeded` when the index passes the bounds of graphs; as the source
 */
export async function manifestsIn(
  source: Source,
  root: Descriptor,
  { signal }: CallOptions = {},
): Promise<readonly Descriptor[]> {
  const next = async (descriptor: Descriptor): Promise<{ needs: readonly Descriptor[] } | undefined> => {
    if (!isIndexType(descriptor.mediaType)) return undefined
    const bytes = await readContent(source, descriptor, { signal })
    const manifest = parseManifest({ descriptor, bytes })
    return { needs: manifest.kind === 'index' ? manifest.manifests.map(asManifest) : [] }
  }
  const graph = await readGraph([root], next, { signal })
  return [...graph.nodes.values()].map(({ descriptor }) => descriptor)
}

async function pushBundle(
  store: Store,
  subject: Descriptor,
  statement: Parameters<typeof encodeStatement>[1],
  { key, created = formatTimestamp(new Date()), signal }: SignOptions,
): Promise<SignResult> {
  // Nobody would find a signature that is in no list.
  if (isReferrerSink(store)) await store.checkReferrers(subject, { signal })
  const bundle = encodeBundle(encodeStatement(subject.digest, statement), key.publicKey.hint, key.sign)
  const layer = descriptorOf(BUNDLE_TYPE, bundle)
  const packed = packManifest({
    artifactType: BUNDLE_TYPE,
    layers: [layer],
    subject,
    annotations: {
      'dev.sigstore.bundle.content': 'dsse-envelope',
      [PREDICATE_TYPE_ANNOTATION]: statement.predicateType,
      [Annotation.created]: created,
    },
  })
  const blobs = [...packed.blobs, { descriptor: layer, bytes: bundle }]
  for (const { descriptor, bytes } of blobs) await pushMissing(store, descriptor, bytes, { signal })
  const descriptor = asManifest(packed.descriptor)
  await store.push(descriptor, openBytes(packed.bytes), { signal })
  return { subject, descriptor, form: 'bundle', tag: undefined }
}

interface NewLayer {
  readonly suffix: 'sig' | 'att'
  readonly layer: Descriptor
  readonly bytes: Uint8Array
}

/** Adds a layer to those below a tag. Two signers may do so at a time, so that it is looked for afterwards. */
async function addToTag(
  store: Store,
  subject: Descriptor,
  { suffix, layer, bytes }: NewLayer,
  { signal }: SignOptions,
): Promise<SignResult> {
  const tag = signatureTagOf(subject.digest, suffix)
  if (tag === undefined) {
    throw new GantryError('unsupported', `${subject.digest} is too long for a tag: sign it in the form of a bundle`)
  }
  await pushMissing(store, layer, bytes, { signal })
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const before = await readSignatures(store, tag, { signal })
    const { manifest, config } = withLayer(before, layer)
    await pushMissing(store, config.descriptor, config.bytes, { signal })
    await store.push(manifest.descriptor, openBytes(manifest.bytes), { signal, tag })
    const after = await readSignatures(store, tag, { signal })
    if (after !== undefined && holds(after.manifest, layer)) {
      return { subject, descriptor: after.content.descriptor, form: 'tag', tag }
    }
    await delay(WAIT * attempt, signal)
  }
  throw new GantryError('conflict', `${tag}: others write signatures at the same time, and this one is not among them`)
}

interface Signatures {
  readonly content: ManifestContent
  readonly manifest: ImageManifest
}

async function readSignatures(store: Store, tag: string, options: CallOptions): Promise<Signatures | undefined> {
  const content = await findManifest(store, tag, options)
  if (content === undefined) return undefined
  const manifest = parseManifest(content)
  if (manifest.kind === 'image') return { content, manifest }
  throw new GantryError('conflict', `the tag ${tag} holds something else than signatures: it was left as it is`)
}

function holds({ layers }: ImageManifest, { digest, annotations = {} }: Descriptor): boolean {
  const wanted = annotations[SIGNATURE_ANNOTATION]
  return layers.some((layer) => layer.digest === digest && layer.annotations?.[SIGNATURE_ANNOTATION] === wanted)
}

/** The manifest as cosign writes it: an image whose config names the layers as its files. */
function withLayer(
  before: Signatures | undefined,
  layer: Descriptor,
): {
  readonly manifest: ManifestContent
  readonly config: { readonly descriptor: Descriptor; readonly bytes: Uint8Array }
} {
  const layers = [...(before?.manifest.layers ?? []), layer]
  const digests: readonly Digest[] = layers.map(({ digest }) => digest)
  const bytes = encodeJson({
    architecture: '',
    created: '0001-01-01T00:00:00Z',
    history: layers.map(() => ({ created: '0001-01-01T00:00:00Z' })),
    os: '',
    rootfs: { type: 'layers', diff_ids: digests },
    config: {},
  })
  const config = descriptorOf(MediaType.imageConfig, bytes)
  const manifest = encodeJson({
    schemaVersion: 2,
    mediaType: MediaType.imageManifest,
    config,
    layers,
    annotations: before?.manifest.annotations,
  })
  return {
    manifest: { descriptor: describeManifest(manifest), bytes: manifest },
    config: { descriptor: config, bytes },
  }
}

async function pushMissing(
  store: Store,
  descriptor: Descriptor,
  bytes: Uint8Array,
  options: CallOptions,
): Promise<void> {
  if (!(await store.has(descriptor, options))) await store.push(descriptor, openBytes(bytes), options)
}
