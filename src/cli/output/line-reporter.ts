import type { TransferEvent } from '../../graph/events.js'
import { Annotation } from '../../oci/annotations.js'
import { isManifest, type Descriptor } from '../../oci/descriptor.js'
import { nameOf, shortDigest } from './describe-content.js'
import type { Printer } from './printer.js'
import type { TransferReporter } from './transfer-reporter.js'
import type { TransferWords } from './transfer-words.js'

export interface LineOptions {
  readonly words: TransferWords
  /** False leaves out content without a name (`--verbose=false`). */
  readonly verbose?: boolean
  /** Whether a manifest that is there with everything below it gets a line. */
  readonly showsExistingGraphs?: boolean
}

/** One line for each thing that happens, as `oras` prints them off a terminal. */
export class LineReporter implements TransferReporter {
  readonly #printer: Printer
  readonly #options: LineOptions

  constructor(printer: Printer, options: LineOptions) {
    this.#printer = printer
    this.#options = options
  }

  preparing(name: string): void {
    if (this.#options.verbose !== false) this.#printer.line(`Preparing ${name}`)
  }

  note(text: string): void {
    this.#printer.line(text)
  }

  stop(): void {
    // Lines stay.
  }

  readonly onEvent = (event: TransferEvent): void => {
    const { words } = this.#options
    switch (event.type) {
      case 'started':
        this.#status(words.started, event.descriptor)
        if (words.processing !== undefined && isManifest(event.descriptor)) {
          this.#status(words.processing, event.descriptor)
        }
        break
      case 'finished':
        this.#status(words.finished, event.descriptor)
        break
      case 'exists':
        if (!event.subgraph || this.#options.showsExistingGraphs === true) this.#status(words.exists, event.descriptor)
        break
      case 'mounted':
        this.#status(words.mounted, event.descriptor)
        break
      case 'restored':
        this.#status(words.restored, event.descriptor)
        break
      case 'skipped':
        this.#status(words.skipped, event.descriptor)
        break
    }
  }

  #status(word: string, descriptor: Descriptor): void {
    const title = descriptor.annotations?.[Annotation.title]
    if (title === undefined && this.#options.verbose === false) return
    this.#printer.line(`${word} ${shortDigest(descriptor)} ${nameOf(descriptor)}`)
  }
}
