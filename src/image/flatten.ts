import { GantryError } from '../errors.js'
import { formatJson } from '../oci/encode-json.js'
import type { Sink } from '../store/store.js'
import { layerTypeOf } from './append.js'
import { editAndPush, type EditAndPushOptions } from './edit-images.js'
import { historyOf, objectIn, type Image, type ImageSource } from './image.js'
import { compressLayer } from './layer-file.js'
import { mergeLayers } from './merge-layers.js'
import type { PushedImage } from './push-image.js'
import { WorkFolder } from './work-folder.js'

export interface FlattenOptions extends EditAndPushOptions {
  /** When the flattened image was created, RFC 3339. */
  readonly created: string
  /** Where the layer is put before it is pushed; default: the system's folder for temporary files. */
  readonly temporaryFolder?: string | undefined
}

/**
 * Makes one layer of all layers of an image, or of every image of an index, and pushes the result. Attestations in the
 * index are left out, as they describe the layers.
 * @throws GantryError `unsupported` for what is no runnable image; as {@link mergeLayers} for the layers
 */
export async function flatten(from: ImageSource, sink: Sink, options: FlattenOptions): Promise<PushedImage> {
  const work = new WorkFolder(options.temporaryFolder)
  try {
    return await editAndPush(from, sink, async (image) => flattenImage(image, work, options), {
      ...options,
      dropAttestations: true,
    })
  } finally {
    await work.discard()
  }
}

async function flattenImage(image: Image, work: WorkFolder, { created, signal }: FlattenOptions): Promise<Image> {
  const { document, mediaType } = image.config
  if (document === undefined) {
    throw new GantryError('unsupported', `the config is ${mediaType}, and not that of an image: it has no file system`)
  }
  const { descriptor, diffId, open } = await compressLayer(mergeLayers(image.layers, { signal }), {
    mediaType: layerTypeOf(image),
    temporaryFolder: () => work.open(),
    // Another thread would make it a quarter faster, and need half as much memory again.
    workers: 1,
    signal,
  })
  const step = {
    created,
    created_by: `gantry flatten ${image.origin?.descriptor.digest ?? ''}`,
    comment: formatJson(historyOf(image)),
  }
  const rootfs = { ...objectIn(document, 'rootfs'), type: 'layers', diff_ids: [diffId] }
  return {
    ...image,
    layers: [{ descriptor, entry: descriptor, open }],
    config: { ...image.config, document: { ...document, created, rootfs, history: [step] } },
  }
}
