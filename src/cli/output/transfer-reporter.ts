import { Annotation, isManifestType, type Descriptor, type OnTransferEvent, type TransferEvent } from '../../index.js'
import type { Context } from '../context.js'
import { isMachineFormat, type Format } from '../options/format.js'
import { Printer } from './printer.js'
import type { TransferWords } from './transfer-words.js'

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

export interface ReporterOptions {
  readonly words: TransferWords
  readonly format?: Format
  readonly quiet?: boolean
  readonly debug?: boolean
  /** False turns the progress rows off (`--no-tty`). */
  readonly tty?: boolean
  /** False leaves out content without a name (`--verbose=false`). */
  readonly verbose?: boolean
  /** Whether a manifest that is there with everything below it gets a line. */
  readonly showsExistingGraphs?: boolean
}

/** The reporter for a command: rows on a terminal, lines elsewhere, nothing where a program reads or `--quiet` is given. */
export async function createTransferReporter(context: Context, options: ReporterOptions): Promise<TransferReporter> {
  if (options.quiet === true || (options.format !== undefined && isMachineFormat(options.format))) return SILENT
  if (context.stderr.isTTY === true && options.tty !== false && options.debug !== true) {
    const { TerminalReporter } = await import('./terminal-reporter.js')
    return TerminalReporter.create(context, options.words)
  }
  return new LineReporter(new Printer(context), options)
}

/** A reporter for commands whose stdout is for their result alone: its lines go to stderr. */
export async function createStderrReporter(context: Context, options: ReporterOptions): Promise<TransferReporter> {
  return createTransferReporter({ ...context, stdout: context.stderr }, options)
}

const SILENT: TransferReporter = {
  onEvent: () => undefined,
  preparing: () => undefined,
  note: () => undefined,
  stop: () => undefined,
}

/** One line for each thing that happens, as `oras` prints them off a terminal. */
class LineReporter implements TransferReporter {
  readonly #printer: Printer
  readonly #options: ReporterOptions

  constructor(printer: Printer, options: ReporterOptions) {
    this.#printer = printer
    this.#options = options
  }

  preparing(name: string): void {
    this.#printer.line(`Preparing ${name}`)
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
        if (words.processing !== undefined && isManifestType(event.descriptor.mediaType)) {
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

/** The first twelve digits of a digest, enough to tell the content of one transfer apart. */
export function shortDigest({ digest }: Descriptor): string {
  return digest.slice(digest.indexOf(':') + 1).slice(0, 12)
}

/** What people know content by: its title, else its media type. */
export function nameOf({ annotations, mediaType }: Descriptor): string {
  return annotations?.[Annotation.title] ?? mediaType
}
