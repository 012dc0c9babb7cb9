import type { OnTransferEvent } from '../../graph/events.js'

/** Shows what a transfer does while it runs. */
export interface TransferReporter {
  readonly onEvent: OnTransferEvent
  /** Something is about to be read and packed. */
  preparing(name: string): void
  /** Something worth a line of its own. */
  note(text: string): void
  /** Removes what only made sense while the transfer ran; always to be called. */
  stop(): void
}
