import { isJsonObject, type JsonObject } from '../util/json.js'
import { DESCRIBED_DIGEST, encodeImage, isImageIndex, platformOf } from './image.js'
import type { Image, ImageIndex, IndexChild } from './image.js'

export interface EditEachOptions {
  /** Whether attestations of images are left out, because they no longer describe what is made of the images. */
  readonly dropAttestations?: boolean | undefined
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
  const { dropAttestations = false } = options
  const children: IndexChild[] = []
  const moved = new Map<string, string>()
  for (const child of image.children) {
    if (child.image === undefined) {
      if (!dropAttestations || described(child.entry) === undefined) children.push(child)
      continue
    }
    const next = childWith(child, await editEach(child.image, edit, options))
    moved.set(child.descriptor.digest, next.descriptor.digest)
    children.push(next)
  }
  return { ...image, children: children.map((child) => following(child, moved)) }
}

/** An index with another image in the place of one of its children, which is found by its digest. */
export function replaceChild(index: ImageIndex, digest: string, image: Image): ImageIndex {
  const children = index.children.map((child) => (child.descriptor.digest === digest ? childWith(child, image) : child))
  return { ...index, children }
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
