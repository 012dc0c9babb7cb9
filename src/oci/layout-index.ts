import { GantryError } from '../errors.js'
import { isJsonObject, parseJsonObject, type JsonObject } from '../util/json.js'
import { Annotation } from './annotations.js'
import { parseAnnotations, parseDescriptor, type Annotations, type Descriptor } from './descriptor.js'
import type { Digest } from './digest.js'
import { MANIFEST_KEYS } from './document-keys.js'
import { formatJson } from './encode-json.js'
import { INDEX_FILE } from './image-layout.js'
import { MAX_MANIFEST_SIZE } from './manifest.js'
import { MediaType } from './media-types.js'
import { orderedDescriptor } from './pack.js'

/** Largest `index.json` that is read and written, in bytes. */
export const MAX_LAYOUT_INDEX_SIZE = MAX_MANIFEST_SIZE

/** One manifest that `index.json` lists. */
export interface LayoutEntry {
  /** With all annotations, the name among them. */
  readonly descriptor: Descriptor
  /** The name by which the manifest is known, any string; an entry without one is there for its digest. */
  readonly tag?: string
  /** As it stands in the document, with fields that are unknown here. */
  readonly document: JsonObject
}

/**
 * The content of a layout's `index.json` (image-spec, image-layout.md): what is known by a name, and manifests without
 * one that nothing else leads to. Fields that are unknown here are kept, as is the order of entries.
 */
export class LayoutIndex {
  readonly #fields: JsonObject
  readonly #entries = new Set<LayoutEntry>()
  readonly #byDigest = new Map<Digest, readonly LayoutEntry[]>()
  readonly #byTag = new Map<string, LayoutEntry>()
  /** JSON of entries, as most stay the same from one writing to the next. */
  #texts = new WeakMap<LayoutEntry, string>()

  private constructor(fields: JsonObject) {
    this.#fields = fields
  }

  /** An index that lists nothing. */
  static create(annotations: Annotations = {}): LayoutIndex {
    const fields: JsonObject = { schemaVersion: 2, mediaType: MediaType.imageIndex, manifests: [] }
    if (Object.keys(annotations).length > 0) fields.annotations = annotations
    return new LayoutIndex(fields)
  }

  /**
   * Parses the bytes of an `index.json`.
   * @param where names the file in errors
   * @throws GantryError `invalid-content`, `invalid-digest`, `ambiguous-manifest`; `limit-exceeded` for size and depth
   */
  static parse(bytes: Uint8Array, where: string): LayoutIndex {
    checkSize(bytes, where)
    const fields = parseJsonObject(bytes, where, MANIFEST_KEYS)
    checkFields(fields, where)
    const index = new LayoutIndex(fields)
    // Go writes an empty list as null.
    const manifests = fields.manifests ?? []
    if (!Array.isArray(manifests)) throw new GantryError('invalid-content', `${where} manifests is not a list`)
    for (const [position, document] of manifests.entries()) index.#insert(document, `${where} manifests[${position}]`)
    return index
  }

  /** The same list, to be changed without changing this one. */
  clone(): LayoutIndex {
    const copy = new LayoutIndex(this.#fields)
    for (const entry of this.#entries) copy.#entries.add(entry)
    for (const [digest, entries] of this.#byDigest) copy.#byDigest.set(digest, entries)
    for (const [tag, entry] of this.#byTag) copy.#byTag.set(tag, entry)
    copy.#texts = this.#texts
    return copy
  }

  /** Those of the whole list. */
  get annotations(): Annotations {
    const { annotations } = this.#fields
    return isJsonObject(annotations) ? parseAnnotations(annotations, INDEX_FILE) : {}
  }

  /** All entries, in their order. */
  get entries(): Iterable<LayoutEntry> {
    return this.#entries
  }

  /** Every name that is in use, in no particular order. */
  get tags(): Iterable<string> {
    return this.#byTag.keys()
  }

  /** The entry that has a name; the last one where several claim it. */
  tagged(tag: string): LayoutEntry | undefined {
    return this.#byTag.get(tag)
  }

  /** The entries of one manifest: several when it has several names. */
  entriesOf(digest: Digest): readonly LayoutEntry[] {
    return this.#byDigest.get(digest) ?? []
  }

  /** Lists a manifest without a name, unless it is listed already. */
  add(descriptor: Descriptor): void {
    if (!this.#byDigest.has(descriptor.digest)) this.#insertDescriptor(descriptor, undefined)
  }

  /** Gives a manifest a name. One that had it before stays listed, without it. */
  tag(descriptor: Descriptor, tag: string): void {
    const model = this.entriesOf(descriptor.digest)[0]
    const current = this.#byTag.get(tag)
    if (current !== undefined && current.descriptor.digest !== descriptor.digest) this.untag(tag)
    for (const entry of this.entriesOf(descriptor.digest)) {
      if (entry.tag === undefined || entry.tag === tag) this.#delete(entry)
    }
    this.#insertDescriptor(descriptor, tag, model)
  }

  /** Takes a name away; the manifest stays listed. Whether the name was in use. */
  untag(tag: string): boolean {
    const entries = [...this.#entries].filter((entry) => entry.tag === tag)
    for (const entry of entries) {
      this.#delete(entry)
      if (!this.#byDigest.has(entry.descriptor.digest)) {
        this.#insertDescriptor(entry.descriptor, undefined, entry)
      }
    }
    return entries.length > 0
  }

  /** Takes away every entry of a manifest, with its names. Whether there was one. */
  remove(digest: Digest): boolean {
    const entries = this.entriesOf(digest)
    for (const entry of entries) this.#delete(entry)
    return entries.length > 0
  }

  /** Takes away the entry without a name of a manifest that something else leads to. */
  removeUntagged(digest: Digest): void {
    for (const entry of this.entriesOf(digest)) if (entry.tag === undefined) this.#delete(entry)
  }

  /**
   * The bytes to be written: compact, other fields as they were read.
   * @param order of the entries; default: as they were read, new ones last
   * @throws GantryError `limit-exceeded` when they would be too many to be read again
   */
  encode(order?: (a: LayoutEntry, b: LayoutEntry) => number): Uint8Array {
    const entries = order === undefined ? [...this.#entries] : [...this.#entries].sort(order)
    const manifests = `[${entries.map((entry) => this.#textOf(entry)).join(',')}]`
    const fields = Object.entries({ ...this.#fields, manifests: [] }).map(
      ([key, value]) => `${formatJson(key)}:${key === 'manifests' ? manifests : formatJson(value)}`,
    )
    const bytes = new TextEncoder().encode(`{${fields.join(',')}}`)
    checkSize(bytes, INDEX_FILE)
    return bytes
  }

  /** @param model an entry of the same manifest, whose fields and annotations stay where the descriptor has none */
  #insertDescriptor(descriptor: Descriptor, tag: string | undefined, model?: LayoutEntry): void {
    const { data: _, ...listed } = { ...model?.descriptor, ...descriptor }
    const annotations: Record<string, string> = { ...model?.descriptor.annotations, ...descriptor.annotations }
    delete annotations[Annotation.refName]
    if (tag !== undefined) annotations[Annotation.refName] = tag
    const document = { ...unknownFieldsOf(model?.document), ...orderedDescriptor({ ...listed, annotations }) }
    this.#insert(document, INDEX_FILE)
  }

  #insert(document: unknown, where: string): void {
    const descriptor = parseDescriptor(document, where)
    if (!isJsonObject(document)) return
    const tag = descriptor.annotations?.[Annotation.refName]
    const entry: LayoutEntry = { descriptor, document, tag: tag === undefined || tag === '' ? undefined : tag }
    this.#entries.add(entry)
    if (entry.tag !== undefined) this.#byTag.set(entry.tag, entry)
    this.#byDigest.set(descriptor.digest, [...this.entriesOf(descriptor.digest), entry])
  }

  #delete(entry: LayoutEntry): void {
    const { digest } = entry.descriptor
    this.#entries.delete(entry)
    const others = this.entriesOf(digest).filter((other) => other !== entry)
    if (others.length === 0) this.#byDigest.delete(digest)
    else this.#byDigest.set(digest, others)
    if (entry.tag !== undefined && this.#byTag.get(entry.tag) === entry) this.#forgetTag(entry.tag)
  }

  /** Where several entries claim a name, it now means the last of those that are left. */
  #forgetTag(tag: string): void {
    this.#byTag.delete(tag)
    for (const entry of this.#entries) if (entry.tag === tag) this.#byTag.set(tag, entry)
  }

  #textOf(entry: LayoutEntry): string {
    const known = this.#texts.get(entry)
    if (known !== undefined) return known
    const text = formatJson(entry.document)
    this.#texts.set(entry, text)
    return text
  }
}

const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  'mediaType',
  'digest',
  'size',
  'urls',
  'annotations',
  'data',
  'platform',
  'artifactType',
])

function unknownFieldsOf(document: JsonObject | undefined): JsonObject {
  return Object.fromEntries(Object.entries(document ?? {}).filter(([key]) => !KNOWN_FIELDS.has(key)))
}

function checkSize(bytes: Uint8Array, where: string): void {
  if (bytes.byteLength <= MAX_LAYOUT_INDEX_SIZE) return
  throw new GantryError('limit-exceeded', `${where} exceeds the limit of ${MAX_LAYOUT_INDEX_SIZE} bytes`)
}

/** Refuses documents that another reader could take for something else. */
function checkFields(fields: JsonObject, where: string): void {
  const { schemaVersion, mediaType } = fields
  if (schemaVersion !== 2) throw new GantryError('invalid-content', `${where} does not have schemaVersion 2`)
  if (mediaType !== undefined && mediaType !== MediaType.imageIndex) {
    throw new GantryError(
      'ambiguous-manifest',
      `${where} calls itself ${formatJson(mediaType)}, which is no image index`,
    )
  }
  const foreign = ['config', 'layers', 'blobs'].find((key) => key in fields)
  if (foreign !== undefined) throw new GantryError('ambiguous-manifest', `${where} has both manifests and ${foreign}`)
}
