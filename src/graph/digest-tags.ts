import { isGantryError } from '../errors.js'
import { asManifest, type Descriptor } from '../oci/descriptor.js'
import type { Digest } from '../oci/digest.js'
import { digestTagsOf } from '../oci/referrers-tag.js'
import { isTagSource, type CallOptions, type Source } from '../store/store.js'
import { findManifest } from '../store/verify.js'
import { mapConcurrently } from '../util/limit.js'
import { callOptionsOf } from './call-options.js'
import { EarlyQuestion } from './early-question.js'

/** A tag and what it points at. */
export interface FoundTag {
  readonly tag: string
  readonly descriptor: Descriptor
}

export interface DigestTagOptions extends CallOptions {
  /** How many tags are resolved at once; default 64. */
  readonly concurrency?: number
}

/** How many tags belong to a digest. */
const TAGS_OF_A_DIGEST = 3
/** Up to this many tags are asked for one by one; above, one list of all tags costs less. */
const ASKED_ONE_BY_ONE = 48

/** What shows that the list is not to be had. */
const NO_LIST = ['denied', 'unauthorized', 'unsupported', 'not-found', 'invalid-content', 'limit-exceeded'] as const

/**
 * Finds the signatures, attestations and bills of materials that belong to manifests by a tag made from their digest,
 * as tools did that predate referrers (`sha256-<hex>.sig`, `.att`, `.sbom`).
 */
export class DigestTagSearch {
  readonly #source: Source
  readonly #options: DigestTagOptions
  /** The list of all tags, and what it begins with. */
  #list: EarlyQuestion<{ first: IteratorResult<string>; rest: AsyncIterator<string> }> | undefined

  constructor(source: Source, options: DigestTagOptions = {}) {
    this.#source = source
    this.#options = options
  }

  /** There are at least so many manifests to come: where that is too many to ask for each, the list is asked for now. */
  expect(manifests: number): void {
    const source = this.#source
    if (this.#list !== undefined || !isTagSource(source) || manifests * TAGS_OF_A_DIGEST <= ASKED_ONE_BY_ONE) return
    this.#list = new EarlyQuestion(async (options) => {
      const rest = source.tags(options)[Symbol.asyncIterator]()
      return { first: await rest.next(), rest }
    }, this.#options)
  }

  /** @throws GantryError as the source */
  async find(digests: Iterable<Digest>): Promise<readonly FoundTag[]> {
    const callOptions = callOptionsOf(this.#options)
    const tags = await this.#existing([...digests].flatMap(digestTagsOf))
    const found = await mapConcurrently(tags, async (tag) => this.#findTag(tag, callOptions), {
      concurrency: this.#options.concurrency ?? 64,
      ...callOptions,
    })
    return found.filter((entry) => entry !== undefined)
  }

  /** Lets go of a list that nobody needs any more; to be called in any case. */
  async end(): Promise<void> {
    await this.#list?.end()
  }

  /** What is found is copied, so the manifest is read right away. */
  async #findTag(tag: string, options: CallOptions): Promise<FoundTag | undefined> {
    const found = await findManifest(this.#source, tag, options)
    return found === undefined ? undefined : { tag, descriptor: asManifest(found.descriptor) }
  }

  /** Those of the candidates that are worth asking for. */
  async #existing(candidates: readonly string[]): Promise<readonly string[]> {
    if (candidates.length <= ASKED_ONE_BY_ONE) return candidates
    this.expect(candidates.length / TAGS_OF_A_DIGEST)
    if (this.#list === undefined) return candidates
    const wanted = new Set(candidates)
    const existing: string[] = []
    try {
      const { first, rest } = await this.#list.answer
      for (let next = first; next.done !== true; next = await rest.next()) {
        if (wanted.has(next.value)) existing.push(next.value)
      }
    } catch (error) {
      // A registry may forbid, lack or garble lists and still know a tag; a list may also be too long.
      if (isGantryError(error, ...NO_LIST)) return candidates
      throw error
    }
    return existing
  }
}
