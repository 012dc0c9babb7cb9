import ora, { type Ora } from 'ora'
import type { OnTransferEvent } from '../../graph/events.js'
import type { Descriptor } from '../../oci/descriptor.js'
import { visibleLine } from '../../util/visible-text.js'
import type { Context, OutputStream } from '../context.js'
import { nameOf, shortDigest } from './describe-content.js'
import { formatBytes, formatTime } from './format-amount.js'
import { paletteFor, PLAIN_PALETTE, type Palette } from './palette.js'
import { formatRow, type RowParts } from './progress-row.js'
import { TransferMeter } from './transfer-meter.js'
import type { TransferReporter } from './transfer-reporter.js'
import type { TransferWords } from './transfer-words.js'

/** What a terminal is taken for that says that it is larger: some report tens of thousands of columns. */
const MAX_COLUMNS = 240
const MAX_ROWS = 100

/** Rows that are kept free for what stands above the running transfers. */
const RESERVED_ROWS = 4

/**
 * Shows running transfers as rows below the output of a terminal: a row for each, a total, and a line that stays for
 * each one that is done. ora owns the rows, so that they are drawn in one step and removed without a trace.
 */
export class TerminalReporter implements TransferReporter {
  readonly #stream: OutputStream
  readonly #words: TransferWords
  readonly #spinner: Ora
  readonly #palette: Palette
  readonly #meter = new TransferMeter()
  #preparing: string | undefined
  #drawnAt = 0

  private constructor(stderr: OutputStream, words: TransferWords, palette: Palette) {
    this.#stream = stderr
    this.#words = words
    this.#palette = palette
    this.#spinner = ora({
      stream: stderr,
      isEnabled: true,
      // ctrl-C has to reach the program, which cleans up.
      discardStdin: false,
      color: palette === PLAIN_PALETTE ? false : 'yellow',
    })
  }

  static async create({ stderr, environment }: Context, words: TransferWords): Promise<TerminalReporter> {
    return new TerminalReporter(stderr, words, await paletteFor(stderr, { environment }))
  }

  readonly onEvent: OnTransferEvent = (event) => {
    this.#meter.record(event)
    switch (event.type) {
      case 'finished':
        this.#keep(this.#palette.good('✓'), this.#words.done ?? this.#words.finished, event.descriptor)
        break
      case 'mounted':
        this.#keep(this.#palette.good('✓'), this.#words.mounted, event.descriptor)
        break
      case 'exists':
        this.#keep(this.#palette.good('✓'), this.#words.exists, event.descriptor)
        break
      case 'restored':
        this.#keep(this.#palette.good('✓'), this.#words.restored, event.descriptor)
        break
      case 'skipped':
        this.#keep(this.#palette.odd('-'), this.#words.skipped, event.descriptor)
        break
      case 'failed':
        this.#keep(this.#palette.bad('✗'), 'Failed', event.descriptor)
        break
      default:
        this.#draw(event.type !== 'progress')
    }
  }

  preparing(name: string): void {
    this.note(`Preparing ${name}`)
  }

  note(text: string): void {
    this.#preparing = text
    this.#draw(true)
  }

  stop(): void {
    this.#spinner.stop()
  }

  /** Prints a line that stays; ora moves its rows out of the way of what is written to its stream. */
  #keep(mark: string, word: string, descriptor: Descriptor): void {
    this.#draw(true)
    const name = visibleLine(nameOf(descriptor))
    this.#stream.write(`${mark} ${word.trimEnd()} ${shortDigest(descriptor)} ${name} ${formatBytes(descriptor.size)}\n`)
  }

  /** Draws the rows anew; progress alone at most ten times a second. */
  #draw(now: boolean): void {
    const time = performance.now()
    if (!now && time - this.#drawnAt < 100) return
    this.#drawnAt = time
    const rows = this.#rows()
    if (rows.length === 0) {
      this.#spinner.stop()
      return
    }
    this.#spinner.text = rows.join('\n')
    if (!this.#spinner.isSpinning) this.#spinner.start()
  }

  #rows(): string[] {
    const running = this.#meter.running()
    if (running.length === 0) return this.#preparing === undefined ? [] : [visibleLine(this.#preparing)]
    this.#preparing = undefined
    const width = Math.min(this.#stream.columns ?? 80, MAX_COLUMNS)
    const height = Math.min(this.#stream.rows ?? 24, MAX_ROWS)
    const limit = Math.max(1, Math.floor(height / 2) - RESERVED_ROWS)
    const rows = running.slice(0, limit).map((transfer) =>
      formatRow(
        {
          word: this.#words.started.trimEnd(),
          name: visibleLine(nameOf(transfer.descriptor)),
          done: transfer.offset,
          size: transfer.descriptor.size,
          rate: transfer.rate,
        } satisfies RowParts,
        width - 3,
      ),
    )
    const more = running.length > limit ? [`  and ${running.length - limit} more`] : []
    return [this.#totalRow(running.length), ...rows.map((row) => `  ${row}`), ...more]
  }

  #totalRow(running: number): string {
    const { bytes, plannedBytes, rate } = this.#meter.total()
    const amount = plannedBytes > 0 ? `${formatBytes(bytes)} of ${formatBytes(plannedBytes)}` : formatBytes(bytes)
    const left = rate > 0 && plannedBytes > bytes ? `, ${formatTime((plannedBytes - bytes) / rate)} left` : ''
    return `${this.#words.started.trimEnd()} ${running} at once, ${amount}, ${formatBytes(rate)}/s${left}`
  }
}
