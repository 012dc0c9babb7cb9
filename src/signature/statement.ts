import { GantryError } from '../errors.js'
import { algorithmOf, hexOf, type Digest } from '../oci/digest.js'
import { encodeJson } from '../oci/encode-json.js'
import { isJsonObject, parseJsonObject, type JsonObject } from '../util/json.js'
import { freeKeys, knownKeys } from '../util/json-structure.js'

/** The media type of an in-toto statement in an envelope. */
export const IN_TOTO_TYPE = 'application/vnd.in-toto+json'

/** What cosign signs an image with, as a predicate type. */
export const COSIGN_SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1'

const STATEMENT_TYPES: readonly unknown[] = ['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1']

/** The short names of predicate types, as cosign has them. */
const PREDICATE_TYPES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    custom: 'https://cosign.sigstore.dev/attestation/v1',
    slsaprovenance: 'https://slsa.dev/provenance/v0.2',
    slsaprovenance02: 'https://slsa.dev/provenance/v0.2',
    slsaprovenance1: 'https://slsa.dev/provenance/v1',
    slsavsa: 'https://slsa.dev/verification_summary/v1',
    spdx: 'https://spdx.dev/Document',
    spdxjson: 'https://spdx.dev/Document',
    cyclonedx: 'https://cyclonedx.org/bom',
    link: 'https://in-toto.io/Link/v1',
    vuln: 'https://cosign.sigstore.dev/attestation/vuln/v1',
    openvex: 'https://openvex.dev/ns',
  }),
)

/** Names and values that the author chose. */
const NAMES = freeKeys()

const STATEMENT_KEYS = knownKeys({
  _type: null,
  subject: knownKeys({
    name: null,
    uri: null,
    digest: NAMES,
    content: null,
    downloadLocation: null,
    mediaType: null,
    annotations: NAMES,
  }),
  predicateType: null,
  predicate: null,
})

const PAYLOAD_KEYS = knownKeys({
  critical: knownKeys({
    identity: knownKeys({ 'docker-reference': null }),
    image: knownKeys({ 'docker-manifest-digest': null }),
    type: null,
  }),
  optional: NAMES,
})

const PAYLOAD_TYPES: readonly unknown[] = ['cosign container image signature']

/** What a signature says about a manifest. */
export interface Claim {
  /** The predicate type of a statement; undefined for a payload of simple signing, which says only "signed". */
  readonly predicateType: string | undefined
  /** What the signer has added to it. */
  readonly annotations: Readonly<Record<string, string>>
  /** The document as it was signed. */
  readonly document: JsonObject
}

/**
 * The type that a name stands for: one of cosign's short names, or an address.
 * @throws GantryError `invalid-argument`
 */
export function predicateTypeOf(name: string): string {
  const type = PREDICATE_TYPES.get(name)
  if (type !== undefined) return type
  if (/^[a-z][a-z0-9+.-]*:\S+$/i.test(name)) return name
  throw new GantryError('invalid-argument', `"${name}" is no type of attestation`, {
    hint: `It is an address, or one of ${[...PREDICATE_TYPES.keys()].join(', ')}.`,
  })
}

/**
 * Reads a payload of simple signing and checks that it is about a manifest. The repository that it names is not
 * compared: a promoted image has another one.
 * @throws GantryError `invalid-content`, `ambiguous-manifest`; `digest-mismatch` when it is about something else
 */
export function readPayload(bytes: Uint8Array, about: Digest): Claim {
  const document = parseJsonObject(bytes, 'the payload', PAYLOAD_KEYS)
  const { critical, optional } = document
  if (!isJsonObject(critical) || !isJsonObject(critical.image)) {
    throw new GantryError('invalid-content', 'the payload has no part "critical" that names an image')
  }
  if (!PAYLOAD_TYPES.includes(critical.type)) {
    throw new GantryError(
      'invalid-content',
      `the payload is no signature of an image: ${JSON.stringify(critical.type)}`,
    )
  }
  const unknown = Object.keys(critical).find((key) => !['identity', 'image', 'type'].includes(key))
  if (unknown !== undefined) {
    throw new GantryError('invalid-content', `the payload has "critical.${unknown}", which is not understood`)
  }
  requireDigest([critical.image['docker-manifest-digest']], about, 'the payload')
  return { predicateType: undefined, annotations: stringsOf(optional), document }
}

/** The payload of simple signing for a manifest, with the fields as cosign writes them. */
export function encodePayload(
  about: Digest,
  reference: string,
  annotations: Readonly<Record<string, string>> | undefined,
): Uint8Array {
  return encodeJson({
    critical: {
      identity: { 'docker-reference': reference },
      image: { 'docker-manifest-digest': about },
      type: 'cosign container image signature',
    },
    optional: sorted(annotations) ?? null,
  })
}

/**
 * Reads an in-toto statement and checks that a manifest is among its subjects.
 * @throws GantryError `invalid-content`, `ambiguous-manifest`; `digest-mismatch` when it is about something else
 */
export function readStatement(bytes: Uint8Array, about: Digest): Claim & { readonly predicateType: string } {
  const document = parseJsonObject(bytes, 'the statement', STATEMENT_KEYS)
  const { _type, subject, predicateType } = document
  if (!STATEMENT_TYPES.includes(_type)) {
    throw new GantryError('invalid-content', `the statement is of the type ${JSON.stringify(_type)}, which is unknown`)
  }
  if (typeof predicateType !== 'string' || !Array.isArray(subject)) {
    throw new GantryError('invalid-content', 'the statement has no predicate type, or no subjects')
  }
  const subjects = subject.filter(isJsonObject)
  const digests = subjects.map(({ digest }) => digestAmong(digest, about))
  requireDigest(digests, about, 'the statement')
  const { annotations } = subjects[digests.indexOf(about)] ?? {}
  return { predicateType, annotations: stringsOf(annotations), document }
}

export interface StatementOptions {
  readonly predicateType: string
  readonly predicate: unknown
  /** What the subject is called; default: it has a digest alone. */
  readonly name?: string
  readonly annotations?: Readonly<Record<string, string>>
}

/** An in-toto statement about a manifest (in-toto attestation framework, Statement v1). */
export function encodeStatement(about: Digest, options: StatementOptions): Uint8Array {
  const { predicateType, predicate, name, annotations } = options
  return encodeJson({
    _type: STATEMENT_TYPES[0],
    subject: [{ name, digest: { [algorithmOf(about)]: hexOf(about) }, annotations: sorted(annotations) }],
    predicateType,
    predicate,
  })
}

/** The bytes that are signed for a payload in an envelope (DSSE, "Pre-Authentication Encoding"). */
export function preAuthenticationEncoding(type: string, payload: Uint8Array): Uint8Array {
  const header = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.byteLength} `
  return Buffer.concat([Buffer.from(header), payload])
}

/** The manifest's digest where a set of digests has it: each algorithm has one, and the manifest's decides. */
function digestAmong(digests: unknown, about: Digest): string | undefined {
  if (!isJsonObject(digests)) return undefined
  const hex = digests[algorithmOf(about)]
  return typeof hex === 'string' ? `${algorithmOf(about)}:${hex}` : undefined
}

function requireDigest(found: readonly unknown[], about: Digest, what: string): void {
  if (found.includes(about)) return
  const shown = found.length === 1 ? JSON.stringify(found[0] ?? 'nothing') : `${found.length} other things`
  throw new GantryError('digest-mismatch', `${what} is about ${shown}, not about ${about}`)
}

function stringsOf(value: unknown): Readonly<Record<string, string>> {
  const strings = Object.create(null) as Record<string, string>
  if (!isJsonObject(value)) return strings
  for (const [key, entry] of Object.entries(value)) {
    strings[key] = typeof entry === 'string' ? entry : JSON.stringify(entry)
  }
  return strings
}

/** Go writes maps in the order of their keys; an empty one is left out. */
function sorted(annotations: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> | undefined {
  const entries = Object.entries(annotations).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}
