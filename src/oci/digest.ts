import { createHash, type Hash } from 'node:crypto'
import { GantryError } from '../errors.js'
import { visibleLine } from '../util/visible-text.js'

declare const digestBrand: unique symbol

/**
 * A content identifier `algorithm:hex` (image-spec, descriptor.md, section "Digests"). Made only by
 * {@link parseDigest} and {@link digestOf}, so that one in hand is safe in a path and in a URL.
 */
export type Digest = string & { readonly [digestBrand]: true }

/** The registered algorithms of the image-spec. */
export type DigestAlgorithm = 'sha256' | 'sha512'

/** Every {@link DigestAlgorithm}; a layout has a folder for each. */
export const DIGEST_ALGORITHMS: readonly DigestAlgorithm[] = ['sha256', 'sha512']

const HEX_LENGTH: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128 }

/**
 * Parses `sha256:<64 hex>` or `sha512:<128 hex>`, lower case.
 * @throws GantryError `invalid-digest`
 */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text
  const shown = visibleLine(text.length > 200 ? `${text.slice(0, 200)}…` : text)
  const separator = text.indexOf(':')
  if (separator === -1)
    throw new GantryError('invalid-digest', `invalid digest "${shown}": invalid checksum digest format`)
  const algorithm = text.slice(0, separator)
  if (!isAlgorithm(algorithm)) {
    throw new GantryError('invalid-digest', `invalid digest "${shown}": unsupported digest algorithm`)
  }
  throw new GantryError(
    'invalid-digest',
    `invalid digest "${shown}": ${algorithm} needs ${HEX_LENGTH[algorithm]} lower-case hexadecimal digits`,
  )
}

/** Whether `text` is a digest that {@link parseDigest} accepts. */
export function isDigest(text: string): text is Digest {
  const algorithm = text.slice(0, 6)
  return (
    isAlgorithm(algorithm) &&
    text.length === 7 + HEX_LENGTH[algorithm] &&
    text[6] === ':' &&
    /^[0-9a-f]+$/.test(text.slice(7))
  )
}

/** The algorithm that a digest names. */
export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.slice(0, 6) as DigestAlgorithm
}

/** The hexadecimal part of a digest. */
export function hexOf(digest: Digest): string {
  return digest.slice(7)
}

/** The digest of bytes in memory; `sha256` unless another algorithm is named. */
export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest
}

/** Computes a digest over content as it flows by. */
export class Digester {
  readonly #algorithm: DigestAlgorithm
  #hash: Hash
  #size = 0

  constructor(algorithm: DigestAlgorithm = 'sha256') {
    this.#algorithm = algorithm
    this.#hash = createHash(algorithm)
  }

  /** How many bytes have been seen. */
  get size(): number {
    return this.#size
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk)
    this.#size += chunk.byteLength
  }

  /** The digest of everything seen so far; the digester goes on afterwards. */
  digest(): Digest {
    return `${this.#algorithm}:${this.#hash.copy().digest('hex')}` as Digest
  }

  /** A digester that goes on from here on its own. */
  copy(): Digester {
    const copy = new Digester(this.#algorithm)
    copy.#hash = this.#hash.copy()
    copy.#size = this.#size
    return copy
  }
}

function isAlgorithm(text: string): text is DigestAlgorithm {
  return text === 'sha256' || text === 'sha512'
}
