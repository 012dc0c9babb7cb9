import { noChildFor } from '../graph/select-platform.js'
import { blame } from '../graph/transfer.js'
import { matchesPlatform, type Platform } from '../oci/platform.js'
import type { Sink } from '../store/store.js'
import { isJsonObject, type JsonObject } from '../util/json.js'
import { encodeImage } from './encode-image.js'
import { DEFAULT_PLATFORM, DESCRIBED_DIGEST, isImageIndex, platformOf, readImages } from './image.js'
import type { Image, ImageIndex, ImageSource, IndexChild } from './image.js'
import { pushImage, type PushedImage, type PushImageOptions } from './push-image.js'

export interface EditEachOptions {
  /** Whether attestations of images are left out, because they no longer describe what is made of the images. */
  readonly dropAttestations?: boolean | undefined
  /** The one image of an index that is edited; default: all of them. */
  readonly only?: IndexChild | undefined
}

/**
 * Edits an image, or every image of an index. An index keeps what its images do not decide: annotations, artifacts,
 * unknown fields, the order. Attestations of an image follow it to its new digest.
 */
export async function editEach(
  image: Image | ImageIndex,
  edit: (image: Image) => Image | Promise<Image>,
  options: EditEachOptions = {},
): Promise<Image | ImageIndex> {
  if (!isImageIndex(image)) return edit(image)
  const { dropAttestations = false, only } = options
  const children: IndexChild[] = []
  const moved = new Map<string, string>()
  for (const child of image.children) {
    if (child.image === undefined) {
      if (!dropAttestations || described(child.entry) === undefined) children.push(child)
      continue
    }
    if (only !== undefined && child !== only) {
      children.push(child)
      continue
    }
    const next = childWith(child, await editEach(child.image, edit, options))
    moved.set(child.descriptor.digest, next.descriptor.digest)
    children.push(next)
  }
  return { ...image, children: children.map((child) => following(child, moved)) }
}

export interface EditAndPushOptions extends PushImageOptions {
  /** Which image of an index is edited; default: all of them. */
  readonly platform?: Platform | undefined
  /**
   * Whether the result takes the place of what was read. An index then stays one, also when only one of its images is
   * edited; otherwise the image for a platform is pushed alone.
   */
  readonly inPlace?: boolean | undefined
  readonly dropAttestations?: boolean | undefined
}

/**
 * Reads an image or an index, edits it, and pushes the result.
 * @throws GantryError `not-found`; `invalid-content` for what is no image; errors of transfers say which side failed
 */
export async function editAndPush(
  { source, reference }: ImageSource,
  sink: Sink,
  edit: (image: Image) => Image | Promise<Image>,
  options: EditAndPushOptions = {},
): Promise<PushedImage> {
  const { platform, inPlace = false, dropAttestations, signal } = options
  const image = await readImages(source, reference, { platform: inPlace ? undefined : platform, signal }).catch(
    (error: unknown) => {
      throw blame(error, 'source')
    },
  )
  const only = platform === undefined || !isImageIndex(image) ? undefined : childFor(image, platform)
  return pushImage(sink, await editEach(image, edit, { dropAttestations, only }), options)
}

function childFor(index: ImageIndex, platform: Platform): IndexChild {
  const child = index.children.find(({ descriptor }) =>
    matchesPlatform(platform, descriptor.platform ?? DEFAULT_PLATFORM),
  )
  if (child === undefined) throw noChildFor(index.origin.descriptor, platform)
  return child
}

function childWith(child: IndexChild, image: Image | ImageIndex): IndexChild {
  const { digest, size } = encodeImage(image).manifest.descriptor
  if (digest === child.descriptor.digest) return child
  const platform = isImageIndex(image) ? undefined : changedPlatform(child, image)
  return {
    descriptor: { ...child.descriptor, digest, size },
    entry: { ...child.entry, digest, size, platform: platform ?? child.entry.platform },
    image,
  }
}

/** The platform of an edited image, where the edit gave it another one. */
function changedPlatform({ image: before }: IndexChild, image: Image): object | undefined {
  const platform = platformOf(image)
  if (before === undefined || isImageIndex(before)) return undefined
  return JSON.stringify(platform) === JSON.stringify(platformOf(before)) ? undefined : platform
}

/** The digest of the sibling that an attestation describes. */
function described({ annotations }: JsonObject): unknown {
  return isJsonObject(annotations) ? annotations[DESCRIBED_DIGEST] : undefined
}

function following(child: IndexChild, moved: ReadonlyMap<string, string>): IndexChild {
  const old = described(child.entry)
  const next = typeof old === 'string' ? moved.get(old) : undefined
  if (next === undefined || next === old) return child
  const annotations = { ...(child.entry.annotations as JsonObject), [DESCRIBED_DIGEST]: next }
  return { ...child, entry: { ...child.entry, annotations } }
}
