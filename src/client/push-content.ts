import { readFile, stat } from 'node:fs/promises'
import { pushManifest as storeManifest } from '../artifact/push-manifest.js'
import { GantryError } from '../errors.js'
import type { TransferAmounts } from '../graph/run-copy.js'
import type { Descriptor } from '../oci/descriptor.js'
import { describeManifest, MAX_MANIFEST_SIZE } from '../oci/manifest.js'
import { MediaType } from '../oci/media-types.js'
import { FileSource } from '../store/file-source.js'
import { collectBytes, openBytes } from '../util/bytes.js'
import { reasonOf, withFileErrors } from '../util/file-error.js'
import type { SinkReference } from './open-target.js'
import { checkArgument } from './check-arguments.js'
import type { Opener } from './opener.js'
import { withTotals, type OnProgress } from './progress.js'
import { pathOfContent, type PushedContent } from './spool-content.js'
import { tagsOf } from './target.js'

export interface PushManifestOptions {
  /** Default: the media type that the manifest names itself. */
  readonly mediaType?: string
  /** Default: those of the reference. */
  readonly tags?: readonly string[]
  readonly onEvent?: OnProgress
  readonly signal?: AbortSignal
}

export interface PushBlobOptions {
  /** Media type in the descriptor. Default: that of a tar layer. */
  readonly mediaType?: string
  /** What the size of the content has to turn out to be, in bytes. */
  readonly size?: number
  readonly onEvent?: OnProgress
  readonly signal?: AbortSignal
}

/** A manifest or a blob that is at its destination. */
export interface PushedResult extends TransferAmounts {
  readonly descriptor: Descriptor
  /** The tags of a manifest; empty for a blob. */
  readonly tags: readonly string[]
}

/** Stores a manifest that was made elsewhere, byte for byte. */
export async function pushManifest(
  opener: Opener,
  to: SinkReference,
  content: PushedContent,
  { mediaType, tags, onEvent, signal }: PushManifestOptions,
): Promise<PushedResult> {
  const target = await opener.openSink(to)
  checkArgument('the manifest', 'bytes', content)
  const bytes = await readManifest(content, opener.maxManifestSize)
  const descriptor = describeManifest(bytes, mediaType)
  if (target.digest !== undefined && target.digest !== descriptor.digest) {
    throw new GantryError(
      'digest-mismatch',
      `digest mismatch: "${target.typed}" asks for another manifest than ${descriptor.digest}`,
    )
  }
  const wanted = tags ?? tagsOf(target)
  const exists = await storeManifest(
    target.store,
    { descriptor, bytes },
    { tags: wanted, onEvent: withTotals(onEvent), signal },
  )
  return { descriptor, tags: wanted, ...amountsOf(descriptor, exists) }
}

/** Stores a blob. */
export async function pushBlob(
  opener: Opener,
  to: SinkReference,
  content: PushedContent,
  { mediaType = MediaType.imageLayer, size, onEvent: onProgress, signal }: PushBlobOptions,
): Promise<PushedResult> {
  const onEvent = withTotals(onProgress)
  const target = await opener.openSink(to)
  const path = await pathOfContent(content, opener, signal)
  await checkSize(path, size)
  const source = opener.closeLater(new FileSource())
  const { annotations: _, ...descriptor } = await source.add(path, { name: 'blob', mediaType, signal })
  if (target.digest !== undefined && target.digest !== descriptor.digest) {
    throw new GantryError('digest-mismatch', `digest mismatch: wanted ${target.digest}, got ${descriptor.digest}`)
  }
  const exists = await target.store.has(descriptor, { signal })
  if (exists) {
    onEvent?.({ type: 'exists', descriptor, subgraph: false })
  } else {
    onEvent?.({ type: 'started', descriptor })
    await target.store.push(descriptor, (offset = 0) => source.fetch(descriptor, { offset, signal }), {
      signal,
      onProgress: (offset) => onEvent?.({ type: 'progress', descriptor, offset }),
    })
    onEvent?.({ type: 'finished', descriptor })
  }
  return { descriptor, tags: [], ...amountsOf(descriptor, exists) }
}

function amountsOf({ size }: Descriptor, exists: boolean): TransferAmounts {
  const one = { nodes: 1, bytes: size }
  const none = { nodes: 0, bytes: 0 }
  return { copied: exists ? none : one, mounted: none, existing: exists ? one : none }
}

async function readManifest(content: PushedContent, limit = MAX_MANIFEST_SIZE): Promise<Uint8Array> {
  const chunks =
    typeof content === 'string'
      ? openBytes(await withFileErrors('read', content, () => readFile(content)))()
      : content instanceof Uint8Array
        ? openBytes(content)()
        : content
  return collectBytes(chunks, limit, typeof content === 'string' ? content : 'the manifest', 'manifest-size')
}

async function checkSize(path: string, size: number | undefined): Promise<void> {
  try {
    const actual = (await stat(path)).size
    if (size === undefined || size === actual) return
    throw new GantryError('invalid-argument', `input size ${size} does not match the actual content size ${actual}`)
  } catch (cause) {
    if (cause instanceof GantryError) throw cause
    throw new GantryError('file-error', `open ${path}: ${reasonOf(cause)}`, { cause })
  }
}
