import type { TransferEvent } from '../../graph/events.js'
import type { Descriptor } from '../../oci/descriptor.js'

/** A transfer that runs. */
export interface RunningTransfer {
  readonly descriptor: Descriptor
  /** Bytes so far. */
  readonly offset: number
  /** Bytes a second, since it started. */
  readonly rate: number
}

interface Started {
  readonly descriptor: Descriptor
  readonly since: number
  offset: number
}

/** Keeps account of what moves, from the events of a transfer. */
export class TransferMeter {
  readonly #now: () => number
  readonly #running = new Map<string, Started>()
  #doneBytes = 0
  #plannedBytes = 0
  #since: number | undefined

  /** @param now a clock in milliseconds that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  record(event: TransferEvent): void {
    switch (event.type) {
      case 'planned':
        this.#plannedBytes = event.bytes
        break
      case 'started':
        this.#since ??= this.#now()
        this.#running.set(event.descriptor.digest, { descriptor: event.descriptor, since: this.#now(), offset: 0 })
        break
      case 'progress': {
        const started = this.#running.get(event.descriptor.digest)
        if (started !== undefined) started.offset = event.offset
        break
      }
      case 'finished':
      case 'mounted':
        if (this.#running.delete(event.descriptor.digest)) this.#doneBytes += event.descriptor.size
        break
      case 'failed':
        this.#running.delete(event.descriptor.digest)
        break
    }
  }

  /** What runs, in the order in which it started. */
  running(): readonly RunningTransfer[] {
    const now = this.#now()
    return [...this.#running.values()].map(({ descriptor, offset, since }) => ({
      descriptor,
      offset,
      rate: rateOf(offset, now - since),
    }))
  }

  /** Bytes that have moved, bytes that are known to move (0 when nothing is known), bytes a second. */
  total(): { readonly bytes: number; readonly plannedBytes: number; readonly rate: number } {
    const moving = [...this.#running.values()].reduce((sum, { offset }) => sum + offset, 0)
    const bytes = this.#doneBytes + moving
    return { bytes, plannedBytes: this.#plannedBytes, rate: rateOf(bytes, this.#now() - (this.#since ?? this.#now())) }
  }
}

function rateOf(bytes: number, milliseconds: number): number {
  return milliseconds > 0 ? (bytes / milliseconds) * 1000 : 0
}
