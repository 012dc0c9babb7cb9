import { GantryError, isGantryError } from '../errors.js'
import { algorithmOf, Digester } from '../oci/digest.js'
import type { Descriptor } from '../oci/descriptor.js'
import { MAX_MANIFEST_SIZE, type ManifestContent } from '../oci/manifest.js'
import { collectBytes, type Bytes } from '../util/bytes.js'
import type { CallOptions, Source } from './store.js'

/**
 * Checks content against its descriptor while it is received: feed it every chunk, then call `finish`.
 * Sinks use it beside the flow, so that no chunk passes through another generator.
 */
export class Verifier {
  readonly #descriptor: Descriptor
  readonly #digester: Digester

  constructor(descriptor: Descriptor, digester = new Digester(algorithmOf(descriptor.digest))) {
    this.#descriptor = descriptor
    this.#digester = digester
  }

  /** Bytes seen so far. */
  get size(): number {
    return this.#digester.size
  }

  /** A verifier that goes on from here on its own: the place to come back to when content has to be read again. */
  copy(): Verifier {
    return new Verifier(this.#descriptor, this.#digester.copy())
  }

  /** @throws GantryError `size-mismatch` as soon as there are more bytes than declared */
  update(chunk: Uint8Array): void {
    this.#digester.update(chunk)
    if (this.size > this.#descriptor.size) {
      throw new GantryError(
        'size-mismatch',
        `${this.#descriptor.digest} is longer than its declared size of ${this.#descriptor.size} bytes`,
      )
    }
  }

  /** @throws GantryError `size-mismatch` when bytes are missing, `digest-mismatch` when they are wrong */
  finish(): void {
    if (this.size !== this.#descriptor.size) {
      throw new GantryError(
        'size-mismatch',
        `${this.#descriptor.digest} ended early: got ${this.size} of ${this.#descriptor.size} bytes`,
      )
    }
    const actual = this.#digester.digest()
    if (actual !== this.#descriptor.digest) {
      throw new GantryError('digest-mismatch', `digest mismatch: wanted ${this.#descriptor.digest}, got ${actual}`)
    }
  }
}

/** The same bytes, and an error at the end (or past the declared size) unless they are those of the descriptor. */
export async function* verifyContent(
  descriptor: Descriptor,
  content: Bytes,
): AsyncGenerator<Uint8Array, void, undefined> {
  const verifier = new Verifier(descriptor)
  for await (const chunk of content) {
    verifier.update(chunk)
    yield chunk
  }
  verifier.finish()
}

/**
 * Reads a manifest that is only looked for.
 * @returns undefined when it is not there
 * @throws GantryError as the source, for anything else
 */
export async function findManifest(
  source: Source,
  reference: string,
  options: CallOptions = {},
): Promise<ManifestContent | undefined> {
  try {
    return await source.readManifest(reference, { ...options, optional: true })
  } catch (error) {
    if (isGantryError(error, 'not-found')) return undefined
    throw error
  }
}

/**
 * Reads small content whole and checks it.
 * @param limit in bytes; default: the limit for manifests
 * @throws GantryError `limit-exceeded`, `size-mismatch`, `digest-mismatch`
 */
export async function readContent(
  source: Source,
  descriptor: Descriptor,
  options: CallOptions & { readonly limit?: number } = {},
): Promise<Uint8Array> {
  const { limit = MAX_MANIFEST_SIZE, ...fetchOptions } = options
  const what = `${descriptor.mediaType} ${descriptor.digest}`
  if (descriptor.size > limit) throw new GantryError('limit-exceeded', `${what} exceeds the limit of ${limit} bytes`)
  return collectBytes(verifyContent(descriptor, source.fetch(descriptor, fetchOptions)), limit, what)
}
