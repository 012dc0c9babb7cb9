import type { OnTransferEvent } from '../graph/events.js'
import { asManifest } from '../oci/descriptor.js'
import type { ManifestContent } from '../oci/manifest.js'
import type { CallOptions, Sink } from '../store/store.js'
import { openBytes } from '../util/bytes.js'

export interface PushManifestOptions extends CallOptions {
  /** Names that the manifest gets; default: none, it is there by its digest alone. */
  readonly tags?: readonly string[]
  readonly onEvent?: OnTransferEvent
}

/**
 * Stores a manifest that was made elsewhere, byte for byte, among the manifests of a store, whatever its media type is;
 * a registry may refuse it. What it names is not looked at.
 * @returns whether the manifest was there already
 * @throws GantryError as the store
 */
export async function pushManifest(
  sink: Sink,
  content: ManifestContent,
  { tags = [], onEvent, signal }: PushManifestOptions = {},
): Promise<boolean> {
  const descriptor = asManifest(content.descriptor)
  const exists = await sink.has(descriptor, { signal })
  const [first, ...further] = tags
  if (exists) {
    onEvent?.({ type: 'exists', descriptor, subgraph: false })
  } else {
    onEvent?.({ type: 'started', descriptor })
    await sink.push(descriptor, openBytes(content.bytes), { signal, tag: first })
    onEvent?.({ type: 'finished', descriptor })
  }
  for (const tag of exists ? tags : further) await sink.tag(descriptor, tag, { signal })
  return exists
}
