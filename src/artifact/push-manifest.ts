import { isGantryError } from '../errors.js'
import type { OnTransferEvent } from '../graph/events.js'
import { asManifest } from '../oci/descriptor.js'
import type { Digest } from '../oci/digest.js'
import type { ManifestContent } from '../oci/manifest.js'
import type { CallOptions, Sink, Source } from '../store/store.js'
import { openBytes } from '../util/bytes.js'

export interface PushManifestOptions extends CallOptions {
  /** Names that the manifest gets; default: none, it is there by its digest alone. */
  readonly tags?: readonly string[]
  readonly onEvent?: OnTransferEvent
}

/**
 * Stores a manifest that was made elsewhere, byte for byte, among the manifests of a store, whatever its media type is;
 * a registry may refuse it. What it names is not looked at.
 * @returns whether the manifest was there already, under its first tag or else under its digest
 * @throws GantryError as the store
 */
export async function pushManifest(
  store: Sink & Pick<Source, 'resolve'>,
  content: ManifestContent,
  { tags = [], onEvent, signal }: PushManifestOptions = {},
): Promise<boolean> {
  const descriptor = asManifest(content.descriptor)
  const [first, ...further] = tags
  const exists =
    first === undefined
      ? await store.has(descriptor, { signal })
      : (await digestOfTag(store, first, signal)) === descriptor.digest
  if (exists) {
    onEvent?.({ type: 'exists', descriptor, subgraph: false })
  } else {
    onEvent?.({ type: 'started', descriptor })
    await store.push(descriptor, openBytes(content.bytes), { signal, tag: first })
    onEvent?.({ type: 'finished', descriptor })
  }
  for (const tag of further) await store.tag(descriptor, tag, { signal })
  return exists
}

async function digestOfTag(
  store: Pick<Source, 'resolve'>,
  tag: string,
  signal: AbortSignal | undefined,
): Promise<Digest | undefined> {
  try {
    return (await store.resolve(tag, { signal, trustMissing: true })).digest
  } catch (error) {
    if (isGantryError(error, 'not-found')) return undefined
    throw error
  }
}
