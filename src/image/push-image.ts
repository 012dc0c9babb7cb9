import { GantryError } from '../errors.js'
import { copyGraph } from '../graph/copy.js'
import type { OnTransferEvent } from '../graph/events.js'
import { planGraph } from '../graph/plan-copy.js'
import { PreparedSource } from '../graph/prepared-source.js'
import { runCopy, sumOf, type TransferAmounts } from '../graph/run-copy.js'
import { parseDescriptor } from '../oci/descriptor.js'
import type { Digest } from '../oci/digest.js'
import type { ManifestContent } from '../oci/manifest.js'
import type { CallOptions, Sink } from '../store/store.js'
import { mapConcurrently } from '../util/limit.js'
import { encodeImage, type EncodedImage } from './encode-image.js'
import { isImageIndex, type Image, type ImageIndex } from './image.js'

export interface PushImageOptions extends CallOptions {
  readonly tags?: readonly string[] | undefined
  /** The digest that the image has to have; with another one nothing is written. */
  readonly digest?: Digest | undefined
  /** Move layers too that their owner wants fetched from elsewhere. */
  readonly nonDistributable?: boolean | undefined
  readonly concurrency?: number | undefined
  readonly onEvent?: OnTransferEvent | undefined
}

export interface PushedImage extends ManifestContent, TransferAmounts {
  readonly tags: readonly string[]
}

/** Layers that are moved at once; each may be large. */
const LARGE_AT_ONCE = 4

/**
 * Pushes an image, or an index with its images, to any store. Layers that the sink has do not move; those of another
 * repository of the same registry are mounted. The tags are set last.
 * @throws GantryError `conflict` for another digest than the wanted one; errors of transfers say which side failed
 */
export async function pushImage(
  sink: Sink,
  image: Image | ImageIndex,
  options: PushImageOptions = {},
): Promise<PushedImage> {
  const encoded = encodeImage(image)
  const { descriptor } = encoded.manifest
  if (options.digest !== undefined && options.digest !== descriptor.digest) {
    throw new GantryError(
      'conflict',
      `the destination names ${options.digest}, and the image is ${descriptor.digest}: nothing was pushed`,
      { hint: 'Leave the digest out of the destination.', side: 'destination' },
    )
  }
  const before = isImageIndex(image) ? await pushChildren(sink, image, options) : await moveStored(sink, image, options)
  const made = isImageIndex(image) ? [] : image.layers.filter(({ source }) => source === undefined)
  const prepared = preparedSourceOf(encoded, made)
  const needed = [
    ...contentsOf(encoded)
      .slice(1)
      .map((content) => content.descriptor),
    ...made.map((layer) => layer.descriptor),
  ]
  const { tags, ...own } = await copyGraph(prepared, sink, descriptor, {
    ...options,
    // Everything else has been moved.
    successorsOf: () => needed,
  })
  return { ...encoded.manifest, tags, ...sumOf([...before, own]) }
}

function contentsOf({ manifest, config }: EncodedImage): readonly ManifestContent[] {
  return config === undefined ? [manifest] : [manifest, config]
}

function preparedSourceOf(encoded: EncodedImage, made: Image['layers']): PreparedSource {
  const prepared = new PreparedSource()
  for (const { descriptor, open } of made) prepared.add(descriptor, open)
  for (const { descriptor, bytes } of contentsOf(encoded)) prepared.addBytes(descriptor, bytes)
  return prepared
}

async function pushChildren(
  sink: Sink,
  index: ImageIndex,
  options: PushImageOptions,
): Promise<readonly TransferAmounts[]> {
  const amounts: TransferAmounts[] = []
  const childOptions = { ...options, tags: undefined, digest: undefined }
  for (const { descriptor, image } of index.children) {
    amounts.push(
      image === undefined
        ? await copyGraph(index.origin.source, sink, descriptor, childOptions)
        : await pushImage(sink, image, childOptions),
    )
  }
  return amounts
}

/** Moves what the image takes over from other stores. */
async function moveStored(
  sink: Sink,
  { layers, config }: Image,
  options: PushImageOptions,
): Promise<readonly TransferAmounts[]> {
  const blobs = layers.flatMap(({ source, descriptor }) => (source === undefined ? [] : [{ source, descriptor }]))
  if (config.document === undefined && config.entry !== undefined && config.source !== undefined) {
    blobs.push({ source: config.source, descriptor: parseDescriptor(config.entry, 'config') })
  }
  const unique = [...new Map(blobs.map((blob) => [blob.descriptor.digest, blob])).values()]
  const copyOptions = { ...options, tags: undefined, digest: undefined }
  const sideBySide = { concurrency: options.concurrency ?? LARGE_AT_ONCE, signal: options.signal }
  // All of them first: what is missing at the source has to be noticed before anything moves.
  const planned = await mapConcurrently(
    unique,
    async ({ source, descriptor }) => ({ source, plan: await planGraph(source, { descriptor }, sink, copyOptions) }),
    sideBySide,
  )
  return mapConcurrently(planned, async ({ source, plan }) => runCopy(source, sink, plan, copyOptions), sideBySide)
}
