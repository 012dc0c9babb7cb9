import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GantryError } from '../errors.js'
import { callOptionsOf } from '../graph/call-options.js'
import { copyGraph } from '../graph/copy.js'
import type { OnTransferEvent } from '../graph/events.js'
import { planGraph } from '../graph/plan-copy.js'
import { PreparedSource } from '../graph/prepared-source.js'
import { runCopy, sumOf, type TransferAmounts } from '../graph/run-copy.js'
import { blame } from '../graph/transfer.js'
import { Annotation } from '../oci/annotations.js'
import type { Annotations, Descriptor } from '../oci/descriptor.js'
import type { ManifestContent } from '../oci/manifest.js'
import { MediaType } from '../oci/media-types.js'
import type { Platform } from '../oci/platform.js'
import type { Sink, Source } from '../store/store.js'
import { mapConcurrently } from '../util/limit.js'
import { TempFolder } from '../util/temp-folder.js'
import { emptyBase, readBase, type BaseImage } from './base-image.js'
import { buildImage } from './build-image.js'
import { readLayerFile, type LayerFile } from './layer-file.js'

/** The image that layers are appended to. */
export interface AppendBase {
  readonly source: Source
  /** A tag or a digest there. */
  readonly reference: string
  /** Which child of an index is meant; default linux/amd64. */
  readonly platform?: Platform
  /** Its full name with its tag; what the annotation says when base annotations are set. */
  readonly name?: string
}

export interface AppendOptions {
  /** Default: an empty image. */
  readonly base?: AppendBase
  /** The empty image has the media types of the image-spec; default: those of Docker. */
  readonly ociEmptyBase?: boolean
  /** Annotate the image with the digest of its base, and its name where it has one. */
  readonly setBaseImageAnnotations?: boolean
  readonly tags?: readonly string[]
  /** Move layers of the base that their owner wants fetched from elsewhere too. */
  readonly nonDistributable?: boolean
  /** Where layers are put while they are compressed; default: the system's folder for temporary files. */
  readonly temporaryFolder?: string
  readonly concurrency?: number
  readonly onEvent?: OnTransferEvent
  readonly signal?: AbortSignal
}

export interface AppendResult extends ManifestContent, TransferAmounts {
  /** The new layers, in their order. */
  readonly layers: readonly Descriptor[]
  readonly tags: readonly string[]
}

/** Layers of a base that are moved at once; each may be large. */
const LARGE_AT_ONCE = 4

/**
 * Appends tar files to an image, each as a layer, and pushes the result (image-spec, manifest.md and config.md). A tar
 * that is compressed with gzip or zstd goes in byte for byte, so that the image depends on the files alone.
 * @param files paths, the lowest layer first
 * @throws GantryError `file-error` or `invalid-content` for a file; as {@link readBase} for the base; errors of
 *   transfers say which side failed
 */
export async function appendLayers(
  sink: Sink,
  files: readonly string[],
  options: AppendOptions = {},
): Promise<AppendResult> {
  if (files.length === 0) throw new GantryError('invalid-argument', 'there is no layer to append')
  const work = new WorkFolder(options.temporaryFolder ?? tmpdir())
  try {
    const base = await openBase(options)
    const mediaType = base.mediaType === MediaType.imageManifest ? MediaType.imageLayerGzip : MediaType.dockerLayerGzip
    const layers: LayerFile[] = []
    for (const file of files) {
      layers.push(
        await readLayerFile(file, { mediaType, temporaryFolder: () => work.open(), ...callOptionsOf(options) }),
      )
    }
    return await pushImage(sink, base, layers, options)
  } finally {
    await work.discard()
  }
}

async function openBase({ base, ociEmptyBase = false, signal }: AppendOptions): Promise<BaseImage> {
  if (base === undefined) return emptyBase(ociEmptyBase)
  const { source, reference, platform } = base
  try {
    return await readBase(source, reference, {
      ...(platform === undefined ? {} : { platform }),
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (error) {
    throw blame(error, 'source')
  }
}

async function pushImage(
  sink: Sink,
  base: BaseImage,
  layers: readonly LayerFile[],
  options: AppendOptions,
): Promise<AppendResult> {
  const { manifest, config } = buildImage(base, layers, baseAnnotations(base, options))
  const prepared = new PreparedSource()
  for (const { descriptor, open } of layers) prepared.add(descriptor, open)
  for (const { descriptor, bytes } of config === undefined ? [manifest] : [manifest, config]) {
    prepared.addBytes(descriptor, bytes)
  }
  const descriptors = layers.map(({ descriptor }) => descriptor)
  const ofBase = await copyBase(sink, base, options)
  const { tags, ...own } = await copyGraph(prepared, sink, manifest.descriptor, {
    ...options,
    // What the base brings is there already.
    successorsOf: () => [...(config === undefined ? [] : [config.descriptor]), ...descriptors],
  })
  return { ...manifest, layers: descriptors, tags, ...sumOf([...ofBase, own]) }
}

/** Moves what the new image takes over from its base; in one registry, that is mounted. */
async function copyBase(sink: Sink, base: BaseImage, options: AppendOptions): Promise<readonly TransferAmounts[]> {
  const source = options.base?.source
  if (source === undefined) return []
  const { tags: _, ...copyOptions } = options
  const blobs = base.config === undefined ? base.layers : [...base.layers, base.config]
  const sideBySide = { concurrency: options.concurrency ?? LARGE_AT_ONCE, ...callOptionsOf(options) }
  // All of them first: what is not at the source is to be noticed before anything moves.
  const plans = await mapConcurrently(
    blobs,
    async (blob) => planGraph(source, { descriptor: blob }, sink, copyOptions),
    sideBySide,
  )
  return mapConcurrently(plans, async (plan) => runCopy(source, sink, plan, copyOptions), sideBySide)
}

function baseAnnotations({ descriptor }: BaseImage, options: AppendOptions): Annotations {
  if (options.setBaseImageAnnotations !== true || descriptor === undefined) return {}
  const name = options.base?.name
  return {
    [Annotation.baseDigest]: descriptor.digest,
    ...(name === undefined ? {} : { [Annotation.baseName]: name }),
  }
}

/** A folder for temporary files that is made when the first one is. */
class WorkFolder {
  readonly #parent: string
  #folder: Promise<TempFolder> | undefined

  constructor(parent: string) {
    this.#parent = parent
  }

  async open(): Promise<string> {
    this.#folder ??= TempFolder.create(join(this.#parent, 'append'))
    return (await this.#folder).path
  }

  async discard(): Promise<void> {
    await (await this.#folder)?.discard()
  }
}
