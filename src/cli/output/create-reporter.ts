import type { Context, OutputStream } from '../context.js'
import { isMachineFormat, type Format } from '../options/format.js'
import { LineReporter, type LineOptions } from './line-reporter.js'
import { Printer } from './printer.js'
import type { TransferReporter } from './transfer-reporter.js'

export interface ReporterOptions extends LineOptions {
  readonly format?: Format
  readonly quiet?: boolean
  readonly debug?: boolean
  /** False turns the progress rows off (`--no-tty`). */
  readonly tty?: boolean
}

/** The reporter for a command: rows on a terminal, lines elsewhere, nothing where a program reads or `--quiet` is given. */
export async function createTransferReporter(context: Context, options: ReporterOptions): Promise<TransferReporter> {
  if (options.quiet === true || (options.format !== undefined && isMachineFormat(options.format))) return SILENT
  if (hasRoomForRows(context.stderr) && options.tty !== false && options.debug !== true) {
    const { TerminalReporter } = await import('./terminal-reporter.js')
    return TerminalReporter.create(context, options.words)
  }
  return new LineReporter(new Printer(context), options)
}

/** Narrowest terminal that a row says something in. A terminal that does not know its size says 0. */
const MINIMUM_COLUMNS = 40

function hasRoomForRows({ isTTY, columns = 0 }: OutputStream): boolean {
  return isTTY === true && columns >= MINIMUM_COLUMNS
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
