import type { OnTransferEvent, TransferEvent } from '../graph/events.js'
import type { Descriptor } from '../oci/descriptor.js'

/**
 * Reports content that is listed under several names under each of them: it moves once, under its first name, and is
 * there when the others are looked at.
 */
export function withAliases(
  descriptors: readonly Descriptor[],
  onEvent: OnTransferEvent | undefined,
): OnTransferEvent | undefined {
  if (onEvent === undefined) return undefined
  const aliases = new Map<string, Descriptor[]>()
  const first = new Set<string>()
  for (const descriptor of descriptors) {
    const { digest } = descriptor
    if (first.has(digest)) aliases.set(digest, [...(aliases.get(digest) ?? []), descriptor])
    first.add(digest)
  }
  return (event) => {
    onEvent(event)
    if (!hasArrived(event)) return
    for (const descriptor of aliases.get(event.descriptor.digest) ?? []) {
      onEvent({ type: 'exists', descriptor, subgraph: false })
    }
  }
}

function hasArrived(event: TransferEvent): event is TransferEvent & { type: 'finished' | 'exists' | 'mounted' } {
  return event.type === 'finished' || event.type === 'exists' || event.type === 'mounted'
}
