import { GantryError, isGantryError } from '../errors.js'
import { descriptorOf, plainDescriptor, type Annotations, type Descriptor } from '../oci/descriptor.js'
import type { Digest } from '../oci/digest.js'
import { IMAGE_CONFIG_KEYS } from '../oci/document-keys.js'
import { encodeJson } from '../oci/encode-json.js'
import { MAX_MANIFEST_SIZE, parseManifest, type ImageManifest, type ManifestContent } from '../oci/manifest.js'
import { isImageConfigType, isMediaType, MediaType } from '../oci/media-types.js'
import { sortedAnnotations } from '../oci/pack.js'
import type { CallOptions, Source } from '../store/store.js'
import { readContent } from '../store/verify.js'
import { isJsonObject, parseJsonObject, type JsonObject } from '../util/json.js'

/** What happens while an index is put together. */
export type IndexEvent =
  | { readonly type: 'fetching'; readonly reference: string }
  | { readonly type: 'fetched' | 'added' | 'merged'; readonly reference: string; readonly digest: Digest }
  | { readonly type: 'removed'; readonly digest: Digest }

/** How an index is read. */
export interface EditOptions extends CallOptions {
  readonly onEvent?: ((event: IndexEvent) => void) | undefined
}

export interface CreateIndexOptions extends EditOptions {
  /** `type/subtype` of the index; default: none. */
  readonly artifactType?: string | undefined
  readonly annotations?: Annotations | undefined
}

/** What is to be changed in an index: first what is removed, then what is added, then what is merged. */
export interface IndexChanges {
  /** Digests; each takes every entry with it out of the index. */
  readonly remove?: readonly Digest[] | undefined
  /** Tags or digests of manifests that become entries at the end. */
  readonly add?: readonly string[] | undefined
  /** Tags or digests of indexes whose entries are taken over at the end. */
  readonly merge?: readonly string[] | undefined
  /** The new artifact type; the empty text removes the one that is there. */
  readonly artifactType?: string | undefined
}

/**
 * Makes an index of manifests that are in one store (image-spec, image-index.md). It is not pushed.
 * @param references tags or digests, in the order of the entries; none makes an empty index
 * @throws GantryError `not-found`; `invalid-argument` for a malformed artifact type
 */
export async function createIndex(
  source: Source,
  references: readonly string[],
  { artifactType, annotations = {}, onEvent, signal }: CreateIndexOptions = {},
): Promise<ManifestContent> {
  checkArtifactType(artifactType)
  const manifests: JsonObject[] = []
  for (const reference of references) {
    manifests.push(entryOf(await readChild(source, reference, { onEvent, signal })))
  }
  return encodeIndex({ mediaType: MediaType.imageIndex, artifactType, manifests, annotations })
}

/**
 * Changes an index. What it says beside the changes stays, also fields that are not known here. It is not pushed.
 * @param reference tag or digest of the index
 * @throws GantryError `not-found`; `invalid-argument` for what is no index, for a digest to remove that is not in it, and
 *   for a malformed artifact type
 */
export async function updateIndex(
  source: Source,
  reference: string,
  { remove = [], add = [], merge = [], artifactType }: IndexChanges,
  { onEvent, signal }: EditOptions = {},
): Promise<ManifestContent> {
  checkArtifactType(artifactType)
  const index = await readIndex(source, reference, { onEvent, signal })
  const manifests = index.entries.filter(({ digest }) => !remove.includes(digest as Digest))
  for (const digest of new Set(remove)) {
    if (!index.entries.some((entry) => entry.digest === digest)) {
      throw new GantryError('invalid-argument', `${digest} does not exist in the index ${reference}`)
    }
    onEvent?.({ type: 'removed', digest })
  }
  for (const added of add) {
    const child = await readChild(source, added, { onEvent, signal })
    manifests.push(entryOf(child))
    onEvent?.({ type: 'added', reference: added, digest: child.digest })
  }
  for (const merged of merge) {
    const other = await readIndex(source, merged, { onEvent, signal })
    manifests.push(...other.entries)
    onEvent?.({ type: 'merged', reference: merged, digest: other.descriptor.digest })
  }
  const { document, descriptor } = index
  return encodeIndex({
    ...document,
    mediaType: descriptor.mediaType,
    artifactType: artifactType ?? document.artifactType,
    manifests,
  })
}

function checkArtifactType(artifactType: string | undefined): void {
  if (artifactType === undefined || artifactType === '' || isMediaType(artifactType)) return
  throw new GantryError('invalid-argument', `${artifactType}: invalid media type`)
}

/** Reads a manifest as a child of an index: with its platform and its artifact type. */
async function readChild(source: Source, reference: string, options: EditOptions): Promise<Descriptor> {
  const content = await readNamed(source, reference, 'manifest', options)
  const manifest = parseManifest(content)
  const plain = plainDescriptor(content.descriptor)
  switch (manifest.kind) {
    case 'image':
      return {
        ...plain,
        platform: await readConfigPlatform(source, manifest, options),
        artifactType: manifest.artifactType ?? typeOfConfig(manifest),
      }
    case 'index':
      return { ...plain, artifactType: manifest.artifactType }
    case 'artifact':
      return plain
  }
}

/** Artifacts of before image-spec 1.1 have their type in the config; the types of images say nothing of the kind. */
function typeOfConfig({ config: { mediaType } }: ImageManifest): string | undefined {
  const isOfImage = mediaType === MediaType.empty || isImageConfigType(mediaType)
  return isOfImage ? undefined : mediaType
}

interface IndexDocument {
  readonly descriptor: Descriptor
  readonly document: JsonObject
  readonly entries: readonly JsonObject[]
}

async function readIndex(source: Source, reference: string, options: EditOptions): Promise<IndexDocument> {
  const content = await readNamed(source, reference, 'index', options)
  const document = parseJsonObject(content.bytes, `index ${content.descriptor.digest}`)
  const { manifests } = document
  return {
    descriptor: content.descriptor,
    document,
    entries: Array.isArray(manifests) ? manifests.filter(isJsonObject) : [],
  }
}

async function readNamed(
  source: Source,
  reference: string,
  what: 'manifest' | 'index',
  { onEvent, signal }: EditOptions,
): Promise<ManifestContent> {
  onEvent?.({ type: 'fetching', reference })
  const content = await source.readManifest(reference, { signal }).catch((error: unknown) => {
    if (!isGantryError(error, 'not-found')) throw error
    throw new GantryError(error.code, `could not find the ${what} ${reference}: ${error.message}`, error.options)
  })
  if (what === 'index' && parseManifest(content).kind !== 'index') {
    throw new GantryError('invalid-argument', `${reference} is not an index`)
  }
  onEvent?.({ type: 'fetched', reference, digest: content.descriptor.digest })
  return content
}

/** The platform as the config of an image names it, in the order of the Go tools; nothing where it names none. */
async function readConfigPlatform(
  source: Source,
  { config }: ImageManifest,
  { signal }: CallOptions,
): Promise<Descriptor['platform']> {
  if (!isImageConfigType(config.mediaType)) return undefined
  if (config.size > MAX_MANIFEST_SIZE) {
    throw new GantryError('limit-exceeded', `config ${config.digest} has ${config.size} bytes, and may have 4 MiB`)
  }
  const bytes = await readContent(source, config, { signal })
  const { architecture = '', os = '', variant, ...rest } = parseConfig(bytes, config.digest)
  if (typeof architecture !== 'string' || typeof os !== 'string' || (architecture === '' && os === '')) return undefined
  const features = rest['os.features']
  return {
    architecture,
    os,
    'os.version': textOf(rest['os.version']),
    'os.features': Array.isArray(features) && features.length > 0 ? features.map(String) : undefined,
    variant: textOf(variant),
  }
}

/** A config that is no JSON names no platform. */
function parseConfig(bytes: Uint8Array, digest: Digest): JsonObject {
  try {
    return parseJsonObject(bytes, `config ${digest}`, IMAGE_CONFIG_KEYS)
  } catch (error) {
    if (isGantryError(error, 'invalid-content')) return {}
    throw error
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Fields that are undefined are left out of the document. */
function entryOf({ mediaType, digest, size, platform, artifactType }: Descriptor): JsonObject {
  return { mediaType, digest, size, platform, artifactType }
}

/** The document with its fields in the order in which the Go tools write them; those that they do not know come last. */
function encodeIndex({
  schemaVersion = 2,
  mediaType,
  artifactType,
  manifests,
  ...document
}: JsonObject): ManifestContent {
  const { subject, annotations, ...rest } = document
  const entries = (manifests as readonly JsonObject[]).map(inOrder)
  const bytes = encodeJson({
    schemaVersion,
    mediaType,
    artifactType: textOf(artifactType),
    manifests: entries,
    subject: isJsonObject(subject) ? inOrder(subject) : undefined,
    annotations: annotationsOf(annotations),
    ...rest,
  })
  const descriptor = {
    ...descriptorOf(String(mediaType), bytes),
    annotations: annotationsOf(annotations),
    artifactType: textOf(artifactType),
  }
  return { descriptor, bytes }
}

function inOrder(entry: JsonObject): JsonObject {
  const { mediaType, digest, size, urls, annotations, data, platform, artifactType, ...rest } = entry
  return {
    mediaType,
    digest,
    size,
    urls: Array.isArray(urls) && urls.length > 0 ? urls : undefined,
    annotations: annotationsOf(annotations),
    data: textOf(data),
    platform: isJsonObject(platform) ? platformInOrder(platform) : undefined,
    artifactType: textOf(artifactType),
    ...rest,
  }
}

function platformInOrder({ architecture, os, variant, ...platform }: JsonObject): JsonObject {
  const { 'os.version': version, 'os.features': features, ...rest } = platform
  return { architecture, os, 'os.version': version, 'os.features': features, variant, ...rest }
}

function annotationsOf(annotations: unknown): Annotations | undefined {
  if (!isJsonObject(annotations) || Object.keys(annotations).length === 0) return undefined
  return sortedAnnotations(annotations as Annotations)
}
