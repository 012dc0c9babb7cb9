import { GantryError, isGantryError } from '../errors.js'
import type { Descriptor } from '../oci/descriptor.js'
import { Digester } from '../oci/digest.js'
import { matchesPlatform, formatPlatform } from '../oci/platform.js'
import { decompress } from '../store/compression/decompress.js'
import { digested } from '../store/digested.js'
import { isBlobSource, type CallOptions } from '../store/store.js'
import { verifyContent } from '../store/verify.js'
import { isLayerType } from './export.js'
import { diffIdsOf, isImageIndex, objectIn, platformOf, readImages } from './image.js'
import type { Image, ImageIndex, ImageLayer, ImageSource, ReadImageOptions } from './image.js'
import { LayerTarReader } from './layer-tar.js'

export interface ValidateOptions extends ReadImageOptions {
  /** Look only whether the layers exist, and read manifests and configs alone. */
  readonly fast?: boolean | undefined
}

/** What is wrong with an image. */
export interface Problem {
  /** Digest of the manifest. */
  readonly image: string
  readonly message: string
}

/**
 * Checks an image, or every image of an index: manifests, configs and layers have the digests and sizes that are named,
 * the config has the digests of the uncompressed layers, and no layer has a name twice. Each layer is read once.
 * @returns what is wrong; nothing for a valid image
 * @throws GantryError `not-found` for the reference; what is not about the content, such as a lost connection
 */
export async function validate(
  { source, reference }: ImageSource,
  { platform, fast = false, signal }: ValidateOptions = {},
): Promise<readonly Problem[]> {
  const { digest } = await source.resolve(reference, { signal })
  try {
    return await checkImages(await readImages(source, digest, { platform, signal }), fast, { signal })
  } catch (error) {
    return [{ image: digest, message: contentProblemOf(error) }]
  }
}

async function checkImages(
  image: Image | ImageIndex,
  fast: boolean,
  options: CallOptions,
): Promise<readonly Problem[]> {
  if (!isImageIndex(image)) return checkImage(image, fast, options)
  const problems: Problem[] = []
  for (const { descriptor, image: child } of image.children) {
    if (child === undefined) continue
    problems.push(...(await checkImages(child, fast, options)))
    if (!isImageIndex(child)) problems.push(...checkPlatform(descriptor, child))
  }
  return problems
}

function checkPlatform({ platform, digest }: Descriptor, image: Image): readonly Problem[] {
  const own = platformOf(image)
  if (platform === undefined || own === undefined || matchesPlatform(platform, own)) return []
  const message = `the index says ${formatPlatform(platform)}, and the config ${formatPlatform(own)}`
  return [{ image: digest, message }]
}

async function checkImage(image: Image, fast: boolean, options: CallOptions): Promise<readonly Problem[]> {
  const messages: string[] = []
  const { document } = image.config
  const layers = image.layers.filter(({ descriptor }) => isLayerType(descriptor.mediaType))
  const diffIds = diffIdsOf(image)
  if (document !== undefined) {
    const { type } = objectIn(document, 'rootfs')
    if (type !== 'layers') messages.push(`the config has the root file system type ${JSON.stringify(type)}`)
    if (diffIds.length !== layers.length) {
      messages.push(`the manifest has ${layers.length} layers, and the config ${diffIds.length}`)
    }
  }
  for (const layer of image.layers) {
    // The files of an artifact may have the type of a layer, and be anything.
    const index = document === undefined ? -1 : layers.indexOf(layer)
    const check = fast
      ? checkPresence(layer, options)
      : index === -1
        ? checkBytes(layer)
        : checkLayer(layer, diffIds[index])
    const problem = await messageOf(check)
    if (problem !== undefined) messages.push(`layer ${layer.descriptor.digest}: ${problem}`)
  }
  return messages.map((message) => ({ image: image.origin?.descriptor.digest ?? '', message }))
}

async function checkPresence({ descriptor, source }: ImageLayer, options: CallOptions): Promise<void> {
  if (source === undefined || !isBlobSource(source)) return
  const { size } = await source.resolveBlob(descriptor.digest, options)
  if (size === descriptor.size) return
  throw new GantryError('size-mismatch', `it has ${size} bytes, and the manifest says ${descriptor.size}`)
}

async function checkBytes({ descriptor, open }: ImageLayer): Promise<void> {
  const content = verifyContent(descriptor, open())
  while ((await content.next()).done !== true);
}

async function checkLayer({ descriptor, open }: ImageLayer, diffId: string | undefined): Promise<void> {
  const inside = new Digester()
  const reader = new LayerTarReader('the layer')
  const names = new Set<string>()
  for await (const chunk of digested(decompress(verifyContent(descriptor, open()), 'the layer'), inside)) {
    for (const part of reader.push(chunk)) {
      if (part instanceof Uint8Array) continue
      if (names.has(part.name)) throw new GantryError('invalid-content', `it has ${JSON.stringify(part.name)} twice`)
      names.add(part.name)
    }
  }
  reader.finish()
  if (diffId === undefined || diffId === inside.digest()) return
  throw new GantryError('digest-mismatch', `it is ${inside.digest()} inside, and the config says ${diffId}`)
}

const CONTENT_CODES = ['not-found', 'digest-mismatch', 'size-mismatch', 'invalid-content', 'limit-exceeded'] as const

async function messageOf(check: Promise<void>): Promise<string | undefined> {
  try {
    await check
    return undefined
  } catch (error) {
    return contentProblemOf(error)
  }
}

/** What an error says about content; any other error is thrown again. */
function contentProblemOf(error: unknown): string {
  if (isGantryError(error) && CONTENT_CODES.some((code) => error.code === code)) return error.message
  throw error
}
