import type { Descriptor } from '../oci/descriptor.js'

/**
 * What happens while a graph is read or moved. Events inform and never steer; offsets are absolute, so that a retry
 * needs no subtraction.
 */
export type TransferEvent =
  /** A node starts to move; its bytes follow. */
  | { readonly type: 'started'; readonly descriptor: Descriptor }
  | { readonly type: 'progress'; readonly descriptor: Descriptor; readonly offset: number }
  | { readonly type: 'finished'; readonly descriptor: Descriptor }
  /** The sink has the node already; `subgraph` when everything under it was skipped with it. */
  | { readonly type: 'exists'; readonly descriptor: Descriptor; readonly subgraph: boolean }
  | { readonly type: 'mounted'; readonly descriptor: Descriptor; readonly from: string }
  /** The node is left out on purpose. */
  | { readonly type: 'skipped'; readonly descriptor: Descriptor; readonly reason: string }
  | { readonly type: 'failed'; readonly descriptor: Descriptor; readonly error: unknown }
  /** The plan grew: this many nodes and bytes are known to move. */
  | { readonly type: 'planned'; readonly nodes: number; readonly bytes: number }
  | { readonly type: 'tagged'; readonly descriptor: Descriptor; readonly tag: string }
  /** Content that moves under another name is there, or was written, under this one too. */
  | { readonly type: 'restored'; readonly descriptor: Descriptor }
  | { readonly type: 'deleted'; readonly descriptor: Descriptor }

export type OnTransferEvent = (event: TransferEvent) => void
