import { GantryError } from '../errors.js'
import { Annotation } from '../oci/annotations.js'
import { plainDescriptor } from '../oci/descriptor.js'
import type { Platform } from '../oci/platform.js'
import type { Sink } from '../store/store.js'
import { withAnnotations } from './append.js'
import { editAndPush, type EditAndPushOptions } from './edit-images.js'
import { diffIdsOf, historyOf, objectIn, platformOf, readImage, type Image, type ImageSource } from './image.js'
import type { PushedImage } from './push-image.js'

/** The image that another one is put on. */
export interface NewBase extends ImageSource {
  /** What the annotation says. */
  readonly name: string
}

export interface RebaseOptions extends EditAndPushOptions {
  readonly oldBase: ImageSource
  readonly newBase: NewBase
}

/**
 * Replaces the layers that an image has of its base by those of another base, and pushes the result. Of an index, every
 * image gets the image of the bases for its platform; attestations are left out. What the config says stays, but for the
 * platform and the history of the base.
 * @throws GantryError `conflict` when the image is not made on the old base
 */
export async function rebase(
  from: ImageSource,
  sink: Sink,
  { oldBase, newBase, ...options }: RebaseOptions,
): Promise<PushedImage> {
  const { signal } = options
  const { digest } = await newBase.source.resolve(newBase.reference, { signal })
  const edit = async (image: Image): Promise<Image> => {
    const platform = platformOf(image)
    const [old, next] = [await baseFor(oldBase, platform, options), await baseFor(newBase, platform, options)]
    const rebased = putOn(next, image, old)
    return withAnnotations(rebased, { [Annotation.baseName]: newBase.name, [Annotation.baseDigest]: digest })
  }
  return editAndPush(from, sink, edit, { ...options, dropAttestations: true })
}

async function baseFor(
  { source, reference }: ImageSource,
  platform: Platform | undefined,
  { signal }: EditAndPushOptions,
): Promise<Image> {
  // Variant and version of the system are those of the image, which its base need not say.
  const wanted = platform && { os: platform.os, architecture: platform.architecture }
  return readImage(source, reference, { platform: wanted, signal })
}

function putOn(next: Image, image: Image, old: Image): Image {
  const { document } = image.config
  const count = old.layers.length
  const isBased = old.layers.every(
    ({ descriptor }, index) => image.layers[index]?.descriptor.digest === descriptor.digest,
  )
  if (!isBased || document === undefined || next.config.document === undefined) {
    const name = image.origin?.descriptor.digest ?? 'the image'
    throw new GantryError('conflict', `${name} is not based on ${old.origin?.descriptor.digest ?? 'the old base'}`, {
      hint: 'The layers of the old base have to be the lowest ones of the image. Name another one with --old_base.',
    })
  }
  const { architecture, os, variant, 'os.version': osVersion, 'os.features': features } = next.config.document
  const edited = {
    ...document,
    architecture,
    os,
    variant,
    'os.version': osVersion,
    'os.features': features,
    rootfs: {
      ...objectIn(document, 'rootfs'),
      diff_ids: [...diffIdsOf(next), ...diffIdsOf(image).slice(diffIdsOf(old).length)],
    },
    history: [...historyOf(next), ...historyOf(image).slice(historyOf(old).length)],
  }
  const layers = [
    ...next.layers.map((layer) => ({ ...layer, entry: plainDescriptor(layer.descriptor) })),
    ...image.layers.slice(count),
  ]
  return { ...image, layers, config: { ...image.config, document: edited } }
}
