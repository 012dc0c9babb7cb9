import { GantryError } from '../errors.js'
import type { OnTransferEvent } from '../graph/events.js'
import type { TransferAmounts } from '../graph/run-copy.js'
import { blame } from '../graph/transfer.js'
import { Annotation } from '../oci/annotations.js'
import type { Annotations, Descriptor } from '../oci/descriptor.js'
import type { ManifestContent } from '../oci/manifest.js'
import { MediaType } from '../oci/media-types.js'
import type { Platform } from '../oci/platform.js'
import type { CallOptions, Sink, Source } from '../store/store.js'
import { editEach } from './edit-images.js'
import { diffIdsOf, emptyImage, historyOf, objectIn, readImage, readImages } from './image.js'
import type { Image, ImageIndex } from './image.js'
import { readLayerFile, type LayerFile } from './layer-file.js'
import { pushImage } from './push-image.js'
import { WorkFolder } from './work-folder.js'

/** The image that layers are appended to. */
export interface AppendBase {
  readonly source: Source
  /** A tag or a digest there. */
  readonly reference: string
  /** Which child of an index is meant; default linux/amd64. */
  readonly platform?: Platform | undefined
  /** Its full name with its tag; what the annotation says when base annotations are set. */
  readonly name?: string | undefined
}

export interface AppendOptions extends CallOptions {
  /** Default: an empty image. */
  readonly base?: AppendBase | undefined
  /** The empty image has the media types of the image-spec; default: those of Docker. */
  readonly ociEmptyBase?: boolean | undefined
  /** Append to every image of a base that is an index; the result is an index. Default: to one image of it. */
  readonly allPlatforms?: boolean | undefined
  /** Annotate the image with the digest of its base, and its name where it has one. */
  readonly setBaseImageAnnotations?: boolean | undefined
  readonly tags?: readonly string[] | undefined
  /** Move layers of the base that their owner wants fetched from elsewhere too. */
  readonly nonDistributable?: boolean | undefined
  /** Where layers are put while they are compressed; default: the system's folder for temporary files. */
  readonly temporaryFolder?: string | undefined
  readonly concurrency?: number | undefined
  readonly onEvent?: OnTransferEvent | undefined
}

export interface AppendResult extends ManifestContent, TransferAmounts {
  /** The new layers, in their order. */
  readonly layers: readonly Descriptor[]
  readonly tags: readonly string[]
}

/**
 * A history entry says when a layer was made, and of a file that is not known: the image depends on the file alone.
 */
const HISTORY_ENTRY = { created: '0001-01-01T00:00:00Z' }

/**
 * Appends tar files to an image, each as a layer, and pushes the result (image-spec, manifest.md and config.md). A tar
 * that is compressed with gzip or zstd goes in byte for byte, so that the image depends on the files alone.
 * @param files paths, the lowest layer first
 * @throws GantryError `file-error` or `invalid-content` for a file; as {@link readImage} for the base, and `unsupported`
 *   for Windows; errors of transfers say which side failed
 */
export async function appendLayers(
  sink: Sink,
  files: readonly string[],
  options: AppendOptions = {},
): Promise<AppendResult> {
  if (files.length === 0) throw new GantryError('invalid-argument', 'there is no layer to append')
  const work = new WorkFolder(options.temporaryFolder)
  try {
    const { base, signal, setBaseImageAnnotations = false } = options
    const image = await openBase(options)
    const layers = new LayerFiles(files, work, signal)
    const appended = await editEach(image, async (one) => {
      const annotations = setBaseImageAnnotations ? baseAnnotations(one, base?.name) : {}
      return withAnnotations(withLayers(one, await layers.readFor(one)), annotations)
    })
    const pushed = await pushImage(sink, appended, options)
    return { ...pushed, layers: layers.descriptors }
  } finally {
    await work.discard()
  }
}

async function openBase(options: AppendOptions): Promise<Image | ImageIndex> {
  const { base, ociEmptyBase = false, allPlatforms = false, signal } = options
  if (base === undefined) return emptyImage(ociEmptyBase)
  const { source, reference, platform } = base
  try {
    return await (allPlatforms && platform === undefined ? readImages : readImage)(source, reference, {
      platform,
      signal,
    })
  } catch (error) {
    throw blame(error, 'source')
  }
}

/** Files that become layers: read once for each kind of image that they are put on. */
export class LayerFiles {
  readonly #files: readonly string[]
  readonly #work: WorkFolder
  readonly #signal: AbortSignal | undefined
  readonly #read = new Map<string, readonly LayerFile[]>()

  constructor(files: readonly string[], work: WorkFolder, signal?: AbortSignal) {
    this.#files = files
    this.#work = work
    this.#signal = signal
  }

  /** The layers, of the media type that an image wants. */
  async readFor(image: Image): Promise<readonly LayerFile[]> {
    checkTakesLayers(image)
    const mediaType = layerTypeOf(image)
    const known = this.#read.get(mediaType)
    if (known !== undefined) return known
    const layers: LayerFile[] = []
    for (const file of this.#files) {
      layers.push(
        await readLayerFile(file, { mediaType, temporaryFolder: () => this.#work.open(), signal: this.#signal }),
      )
    }
    this.#read.set(mediaType, layers)
    return layers
  }

  /** Of every layer that was read. */
  get descriptors(): readonly Descriptor[] {
    return [...this.#read.values()].flat().map(({ descriptor }) => descriptor)
  }
}

/** The media type of a layer in gzip, as the other parts of the image have them. */
export function layerTypeOf({ mediaType }: Image): string {
  return mediaType === MediaType.imageManifest ? MediaType.imageLayerGzip : MediaType.dockerLayerGzip
}

/** An image with further layers on top. */
export function withLayers(image: Image, layers: readonly LayerFile[]): Image {
  const { document } = image.config
  const added = layers.map(({ descriptor, open }) => ({ descriptor, entry: descriptor, open }))
  const rootfs = objectIn(document ?? {}, 'rootfs')
  const edited = document && {
    ...document,
    rootfs: { ...rootfs, diff_ids: [...diffIdsOf(image), ...layers.map(({ diffId }) => diffId)] },
    history: [...historyOf(image), ...layers.map(() => HISTORY_ENTRY)],
  }
  return { ...image, layers: [...image.layers, ...added], config: { ...image.config, document: edited } }
}

/** An image with further annotations on its manifest, or other values of those that it has. */
export function withAnnotations(image: Image, annotations: Annotations): Image {
  const { manifest } = image
  return { ...image, manifest: { ...manifest, annotations: { ...objectIn(manifest, 'annotations'), ...annotations } } }
}

/** @throws GantryError `unsupported` for Windows, whose layers have a form of their own */
function checkTakesLayers({ config, origin }: Image): void {
  if (config.document?.os !== 'windows') return
  const digest = origin?.descriptor.digest ?? 'the image'
  throw new GantryError('unsupported', `${digest} is for windows, whose layers have a form of their own`)
}

function baseAnnotations({ origin }: Image, name: string | undefined): Annotations {
  if (origin === undefined) return {}
  const digest = { [Annotation.baseDigest]: origin.descriptor.digest }
  return name === undefined ? digest : { ...digest, [Annotation.baseName]: name }
}
