import type { OnTransferEvent, TransferEvent } from '../graph/events.js'

/** How far a whole transfer is. */
export interface TransferTotals {
  /** Bytes that have moved. */
  readonly bytes: number
  /** Bytes that are known to move; it grows while the graph is read, and is never less than `bytes`. */
  readonly plannedBytes: number
  /** Manifests and blobs that have moved. */
  readonly nodes: number
  /** Manifests and blobs that are known to move. */
  readonly plannedNodes: number
}

/** What happens in a transfer, and how far all of it is. */
export type ProgressEvent = TransferEvent & { readonly total: TransferTotals }

export type OnProgress = (event: ProgressEvent) => void

/** The options of a verb, whose events say how far all of it is. */
export type WithProgress<Options> = Omit<Options, 'onEvent'> & { readonly onEvent?: OnProgress }

/** Keeps account of a transfer, so that the caller need not. */
export function withTotals(onEvent: OnProgress | undefined): OnTransferEvent | undefined {
  if (onEvent === undefined) return undefined
  const account = new Account()
  return (event) => {
    account.record(event)
    onEvent({ ...event, total: account.totals() })
  }
}

class Account {
  /** Bytes so far of what moves, by digest. */
  readonly #moving = new Map<string, { readonly size: number; offset: number }>()
  #doneBytes = 0
  #movingBytes = 0
  #doneNodes = 0
  #plannedBytes = 0
  #plannedNodes = 0

  record(event: TransferEvent): void {
    switch (event.type) {
      case 'planned':
        this.#plannedBytes = event.bytes
        this.#plannedNodes = event.nodes
        break
      case 'started':
        this.#drop(event.descriptor.digest)
        this.#moving.set(event.descriptor.digest, { size: event.descriptor.size, offset: 0 })
        break
      case 'progress':
        this.#advance(event.descriptor.digest, event.offset)
        break
      case 'finished':
      case 'mounted':
        this.#drop(event.descriptor.digest)
        this.#doneBytes += event.descriptor.size
        this.#doneNodes += 1
        break
      case 'failed':
        this.#drop(event.descriptor.digest)
        break
    }
  }

  totals(): TransferTotals {
    const bytes = this.#doneBytes + this.#movingBytes
    const nodes = this.#doneNodes
    return {
      bytes,
      plannedBytes: Math.max(this.#plannedBytes, bytes, this.#knownBytes()),
      nodes,
      plannedNodes: Math.max(this.#plannedNodes, nodes + this.#moving.size),
    }
  }

  /** Where nothing is planned, what has started is known to move. */
  #knownBytes(): number {
    return [...this.#moving.values()].reduce((sum, { size }) => sum + size, this.#doneBytes)
  }

  #advance(digest: string, offset: number): void {
    const moving = this.#moving.get(digest)
    if (moving === undefined) return
    this.#movingBytes += offset - moving.offset
    moving.offset = offset
  }

  #drop(digest: string): void {
    this.#advance(digest, 0)
    this.#moving.delete(digest)
  }
}
