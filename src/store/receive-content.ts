import type { Descriptor } from '../oci/descriptor.js'
import { MAX_MANIFEST_SIZE, parseManifest, type Manifest, type ManifestContent } from '../oci/manifest.js'
import { GantryError, isGantryError } from '../errors.js'
import { isManifestType, isSchema1Type } from '../oci/media-types.js'
import { throwIfAborted } from '../util/abort.js'
import type { OpenContent } from '../util/bytes.js'
import type { TempFile } from '../util/temp-file.js'
import type { PushOptions } from './store.js'
import { Verifier } from './verify.js'

/**
 * Takes content in chunk by chunk and checks it: when this returns, everything has been handed to `write` and is what
 * the descriptor names; when it throws, what was written has to go.
 * @param write may come back before the chunk is written, so that the next one is hashed meanwhile; how long it may
 *   keep a chunk is what `open` was told
 * @throws GantryError `size-mismatch`, `digest-mismatch`, `aborted`, and what the source and `write` throw
 */
export async function receiveContent(
  descriptor: Descriptor,
  open: OpenContent,
  write: (chunk: Uint8Array) => void | Promise<void>,
  { signal, onProgress }: PushOptions,
): Promise<void> {
  throwIfAborted(signal)
  const verifier = new Verifier(descriptor)
  for await (const chunk of open()) {
    throwIfAborted(signal)
    verifier.update(chunk)
    await write(chunk)
    onProgress?.(verifier.size)
  }
  verifier.finish()
}

/** Like {@link receiveContent} for content that goes into a file. */
export async function receiveIntoFile(
  descriptor: Descriptor,
  open: OpenContent,
  file: TempFile,
  options: PushOptions,
): Promise<void> {
  const openTransient: OpenContent = (offset) => open(offset, { transient: true })
  await receiveContent(descriptor, openTransient, (chunk) => file.write(chunk), options)
}

/**
 * Like {@link receiveContent} for content that may be held in memory; what is returned is nobody else's.
 * @throws GantryError `size-mismatch`, `digest-mismatch`, `aborted`, and what the source throws
 */
export async function receiveWhole(
  descriptor: Descriptor,
  open: OpenContent,
  options: PushOptions,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  await receiveContent(descriptor, open, (chunk) => void chunks.push(chunk), options)
  return Buffer.concat(chunks, descriptor.size)
}

/** Content that has been taken in as a manifest. */
export interface ReceivedManifest extends ManifestContent {
  /** Undefined for a manifest of a type that is not known, when its fields do not say what it is. */
  readonly manifest: Manifest | undefined
}

/**
 * Takes in a manifest, whole: what is no manifest does not get into a store as one.
 * @throws GantryError `limit-exceeded`, and as {@link receiveContent} and `parseManifest`
 */
export async function receiveManifest(
  descriptor: Descriptor,
  open: OpenContent,
  options: PushOptions,
): Promise<ReceivedManifest> {
  if (descriptor.size > MAX_MANIFEST_SIZE) {
    throw new GantryError(
      'limit-exceeded',
      `manifest ${descriptor.digest} exceeds the limit of ${MAX_MANIFEST_SIZE} bytes`,
    )
  }
  if (isSchema1Type(descriptor.mediaType)) {
    throw new GantryError(
      'unsupported',
      `manifest ${descriptor.digest} is in Docker's schema 1, which only a registry can keep`,
    )
  }
  const content = { descriptor, bytes: await receiveWhole(descriptor, open, options) }
  return { ...content, manifest: parseIfKnown(content) }
}

function parseIfKnown(content: ManifestContent): Manifest | undefined {
  try {
    return parseManifest(content)
  } catch (error) {
    if (!isManifestType(content.descriptor.mediaType) && isGantryError(error, 'unsupported')) return undefined
    throw error
  }
}
