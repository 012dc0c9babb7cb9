import { posix } from 'node:path'
import { GantryError } from '../errors.js'
import { decompress } from '../store/compression/decompress.js'
import { TAR_BLOCK_SIZE, tarPaddingOf } from '../store/tar/tar-entry.js'
import { verifyContent } from '../store/verify.js'
import { throwIfAborted } from '../util/abort.js'
import type { Bytes } from '../util/bytes.js'
import { encodeEntry } from './encode-entry.js'
import type { ImageLayer } from './image.js'
import { contentSizeOf, LayerTarReader, type LayerEntry, type LayerPart } from './layer-tar.js'
import { MergedNames } from './merged-names.js'

/** Small pieces are put together until there are this many bytes of them. */
const CHUNK_SIZE = 256 * 1024
/** A piece of this many bytes costs more to copy than to hand on. */
const LARGE_PIECE = 32 * 1024
const HARD_LINK = '1'
const FOLDER = '5'

/** A hard link whose target is still to come, by its name without a leading slash. */
type Waiting = Map<string, LayerEntry[]>

/**
 * Merges the layers of an image into one tar of the file system that a container would see. Nothing is kept but the
 * names: layers stream, the topmost first, so that what a lower one says about a name that is taken is left out. A layer
 * is read again only where a file is gone under its own name and lives on as a hard link.
 * @throws GantryError `digest-mismatch`, `invalid-content`, `unsafe-path` for names that lead out of the image,
 *   `unsupported` for sparse files and, where this version of Node has none, zstd; then what was yielded is not complete
 */
export async function* mergeLayers(
  layers: readonly ImageLayer[],
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const names = new MergedNames()
  const output = new Output()
  let waiting: Waiting = new Map()
  for (const layer of [...layers].reverse()) {
    const merge = new LayerMerge(layer, names, output, waiting)
    for await (const parts of readLayer(layer)) {
      throwIfAborted(signal)
      for (const part of parts) {
        merge.take(part)
        if (output.size >= CHUNK_SIZE) yield* output.flush()
      }
    }
    if (merge.lost.size > 0) {
      const rescue = new LostFiles(merge.lost, output)
      for await (const parts of readLayer(layer)) {
        for (const part of parts) {
          rescue.take(part)
          if (output.size >= CHUNK_SIZE) yield* output.flush()
        }
      }
    }
    names.endLayer()
    waiting = merge.waiting
  }
  const [missing] = waiting
  if (missing !== undefined) {
    const [target, [link]] = missing
    throw new GantryError(
      'invalid-content',
      `${nameOf(link?.name ?? '')} is a hard link to ${nameOf(target)}, which no layer has`,
    )
  }
  output.end()
  yield* output.flush()
}

/** The entries of a layer, with the parts of their content, checked against its digest. */
async function* readLayer({ descriptor, open }: ImageLayer): AsyncGenerator<readonly LayerPart[], void, undefined> {
  const what = `layer ${descriptor.digest}`
  const reader = new LayerTarReader(what)
  const content: Bytes = decompress(verifyContent(descriptor, open()), what)
  for await (const chunk of content) yield reader.push(chunk)
  reader.finish()
}

/** The tar that is being written. */
class Output {
  #pieces: Uint8Array[] = []
  #size = 0
  #padding = 0
  #left = 0

  get size(): number {
    return this.#size
  }

  /** Begins an entry; its content follows in any number of pieces. */
  begin(entry: LayerEntry): void {
    this.#add(encodeEntry(entry))
    this.#left = contentSizeOf(entry)
    this.#padding = tarPaddingOf(this.#left)
  }

  content(piece: Uint8Array): void {
    this.#add(piece)
    this.#left -= piece.byteLength
    if (this.#left === 0 && this.#padding > 0) this.#add(Buffer.alloc(this.#padding))
  }

  end(): void {
    this.#add(Buffer.alloc(2 * TAR_BLOCK_SIZE))
  }

  /** What is there, with small pieces put together; large ones are not copied. */
  flush(): readonly Uint8Array[] {
    const merged: Uint8Array[] = []
    let small: Uint8Array[] = []
    for (const piece of this.#pieces) {
      if (piece.byteLength < LARGE_PIECE) {
        small.push(piece)
        continue
      }
      if (small.length > 0) merged.push(Buffer.concat(small))
      merged.push(piece)
      small = []
    }
    if (small.length > 0) merged.push(Buffer.concat(small))
    this.#pieces = []
    this.#size = 0
    return merged
  }

  #add(piece: Uint8Array): void {
    this.#pieces.push(piece)
    this.#size += piece.byteLength
  }
}

/** A file of the layer at hand: the name that its content has in the output, once it has one. */
interface Inode {
  /** The name of its first entry. */
  readonly first: string
  out: string | undefined
}

/** Merges one layer below those that were merged already. */
class LayerMerge {
  /** Hard links to files that a lower layer has. */
  readonly waiting: Waiting
  /** Hard links to files of this layer that are gone under their own names, by those names. */
  readonly lost: Waiting = new Map()
  readonly #what: string
  readonly #names: MergedNames
  readonly #output: Output
  readonly #inodes = new Map<string, Inode>()
  #isWanted = false
  /** Links to the file that is being written, which follow its content. */
  #links: readonly LayerEntry[] = []
  #left = 0

  constructor(layer: ImageLayer, names: MergedNames, output: Output, waiting: Waiting) {
    this.#what = `layer ${layer.descriptor.digest}`
    this.#names = names
    this.#output = output
    this.waiting = waiting
  }

  take(part: LayerPart): void {
    if (!(part instanceof Uint8Array)) {
      this.#takeEntry(part)
      return
    }
    if (this.#isWanted) this.#output.content(part)
    this.#left -= part.byteLength
    if (this.#left === 0) this.#writeLinks()
  }

  #takeEntry(raw: LayerEntry): void {
    const entry = { ...raw, name: cleanName(raw.name, this.#what) }
    const name = keyOf(entry.name)
    this.#isWanted = false
    this.#left = contentSizeOf(entry)
    if (this.#names.takeWhiteout(name)) return
    if (entry.type === FOLDER) {
      if (this.#names.claim(name, { isFolder: true })) this.#output.begin(entry)
      return
    }
    const isVisible = this.#names.claim(name, { isFolder: false })
    const claimants = [...(isVisible ? [entry] : []), ...this.#takeWaiting(name)]
    if (entry.type === HARD_LINK) {
      this.#takeLink(name, entry, claimants)
      return
    }
    const [first, ...others] = claimants
    this.#inodes.set(name, { first: name, out: first?.name })
    if (first === undefined) return
    this.#isWanted = true
    this.#output.begin({ ...entry, name: first.name })
    this.#links = others.map((link) => linkTo(link, first.name))
    if (this.#left === 0) this.#writeLinks()
  }

  /** Links of layers above to a name that this layer has. */
  #takeWaiting(name: string): readonly LayerEntry[] {
    const links = this.waiting.get(name) ?? []
    this.waiting.delete(name)
    return links
  }

  #takeLink(name: string, entry: LayerEntry, claimants: readonly LayerEntry[]): void {
    const target = keyOf(cleanName(entry.linkName, this.#what))
    const inode = this.#inodes.get(target)
    if (inode !== undefined) this.#inodes.set(name, inode)
    for (const claimant of claimants) {
      if (inode?.out !== undefined) this.#output.begin(linkTo({ ...claimant, linkName: entry.linkName }, inode.out))
      else if (inode !== undefined) push(this.lost, inode.first, claimant)
      else push(this.waiting, target, claimant)
    }
  }

  #writeLinks(): void {
    for (const link of this.#links) this.#output.begin(link)
    this.#links = []
  }
}

/** Takes files out of a layer again, for hard links that are all that is left of them. */
class LostFiles {
  readonly #lost: Waiting
  readonly #output: Output
  #links: readonly LayerEntry[] = []
  #isWanted = false
  #left = 0

  constructor(lost: Waiting, output: Output) {
    this.#lost = lost
    this.#output = output
  }

  take(part: LayerPart): void {
    if (part instanceof Uint8Array) {
      if (this.#isWanted) this.#output.content(part)
      this.#left -= part.byteLength
    } else {
      this.#begin(part)
    }
    if (this.#left > 0) return
    for (const link of this.#links) this.#output.begin(link)
    this.#links = []
  }

  #begin(entry: LayerEntry): void {
    const name = keyOf(cleanName(entry.name, 'the layer'))
    const [first, ...others] = entry.type === FOLDER || entry.type === HARD_LINK ? [] : (this.#lost.get(name) ?? [])
    this.#left = contentSizeOf(entry)
    this.#isWanted = first !== undefined
    if (first === undefined) return
    this.#lost.delete(name)
    this.#output.begin({ ...entry, name: first.name })
    this.#links = others.map((link) => linkTo(link, first.name))
  }
}

/** A hard link to another name; it stays as it is written where it means that name already. */
function linkTo(link: LayerEntry, name: string): LayerEntry {
  const isSame = link.type === HARD_LINK && keyOf(posix.normalize(link.linkName)) === keyOf(name)
  return isSame ? link : { ...link, type: HARD_LINK, size: 0, linkName: name }
}

function push(waiting: Waiting, target: string, link: LayerEntry): void {
  const links = waiting.get(target)
  if (links === undefined) waiting.set(target, [link])
  else links.push(link)
}

/** @throws GantryError `unsafe-path` for a name that leads out of the image */
function cleanName(name: string, what: string): string {
  const normal = posix.normalize(name)
  const clean = normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
  if (clean !== '..' && !clean.startsWith('../')) return clean
  throw new GantryError('unsafe-path', `${what} has an entry with a name that leads out of the image: ${nameOf(name)}`)
}

/** Names with and without a leading slash mean the same. */
function keyOf(name: string): string {
  return name.startsWith('/') ? name.slice(1) : name
}

/** A name as people read it. */
function nameOf(name: string): string {
  return Buffer.from(name, 'latin1').toString('utf8')
}
