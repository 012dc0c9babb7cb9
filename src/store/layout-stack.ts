import { GantryError } from '../errors.js'
import type { Digest } from '../oci/digest.js'
import type { LayoutIndex } from '../oci/layout-index.js'
import type { Bytes } from '../util/bytes.js'
import type { BlobRange, LayoutContent } from './layout-content.js'
import { LayoutReader } from './layout-reader.js'

/** Whether an `index.json` says all there is, also of what older layouts have. */
type IsWhole = (index: LayoutIndex) => boolean

/**
 * Reads several layouts as one. Content may be in any of them; where several have a tag, the last one counts.
 * @param isWhole tells the layouts whose tags replace those of the ones before them
 */
export function stackLayouts(layouts: readonly LayoutReader[], isWhole: IsWhole = () => false): LayoutReader {
  const [only, ...others] = layouts
  if (only !== undefined && others.length === 0) return only
  return new LayoutReader(
    new StackedContent(
      layouts.map((layout) => layout.content),
      isWhole,
    ),
  )
}

class StackedContent implements LayoutContent {
  readonly #contents: readonly LayoutContent[]
  readonly #isWhole: IsWhole
  #merged: { readonly of: readonly LayoutIndex[]; readonly index: LayoutIndex } | undefined

  constructor(contents: readonly LayoutContent[], isWhole: IsWhole) {
    this.#contents = contents
    this.#isWhole = isWhole
  }

  async readIndex(): Promise<LayoutIndex> {
    const indexes = await Promise.all(this.#contents.map((content) => content.readIndex()))
    const known = this.#merged
    if (known?.of.every((index, position) => index === indexes[position]) === true) return known.index
    const index = merge(indexes, this.#isWhole)
    this.#merged = { of: indexes, index }
    return index
  }

  async sizeOf(digest: Digest): Promise<number | undefined> {
    return (await this.#find(digest))?.size
  }

  async *open(digest: Digest, range: BlobRange): Bytes {
    const found = await this.#find(digest)
    if (found === undefined) throw new GantryError('not-found', `${digest}: not found`)
    yield* found.content.open(digest, range)
  }

  async #find(digest: Digest): Promise<{ content: LayoutContent; size: number } | undefined> {
    for (const content of this.#contents) {
      const size = await content.sizeOf(digest)
      if (size !== undefined) return { content, size }
    }
    return undefined
  }
}

function merge(indexes: readonly LayoutIndex[], isWhole: IsWhole): LayoutIndex {
  const [first, ...others] = indexes
  if (first === undefined) throw new GantryError('invalid-argument', 'no layout is named')
  let merged = first.clone()
  for (const index of others) {
    if (isWhole(index)) {
      const before = merged
      merged = index.clone()
      // What older layouts list stays to be found by its digest, as referrers are.
      for (const { descriptor } of before.entries) merged.add(descriptor)
      continue
    }
    for (const { descriptor, tag } of index.entries) {
      if (tag === undefined) merged.add(descriptor)
      else merged.tag(descriptor, tag)
    }
  }
  return merged
}
