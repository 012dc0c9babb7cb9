import type { Context } from '../context.js'
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
async function createTransferReporter(context: Context, options: ReporterOptions): Promise<TransferReporter> {
  if (options.quiet === true || (options.format !== undefined && isMachineFormat(options.format))) return SILENT
  if (canShowRows(context) && options.tty !== false && options.debug !== true) {
    const { TerminalReporter } = await import('./terminal-reporter.js')
    return TerminalReporter.create(context, options.words)
  }
  return new LineReporter(new Printer(context), options)
}

/** Narrowest terminal that a row says something in. A terminal that does not know its size says 0. */
const MINIMUM_COLUMNS = 40

/** A dumb terminal cannot move its cursor, and shows what would move it. */
function canShowRows({ stderr: { isTTY, columns = 0 }, environment }: Context): boolean {
  return isTTY === true && columns >= MINIMUM_COLUMNS && environment.TERM !== 'dumb'
}

/** The part of a command call that decides how a transfer is shown. */
interface ReportedCall {
  readonly context: Context
  readonly values: Pick<ReporterOptions, 'quiet' | 'debug' | 'tty' | 'verbose'>
}

/** Runs a transfer and shows it meanwhile; the flags of the call count where the options say nothing. */
export async function whileReporting<Result>(
  { context, values: { quiet, debug, tty, verbose } }: ReportedCall,
  options: ReporterOptions,
  transfer: (reporter: TransferReporter) => Promise<Result>,
): Promise<Result> {
  const reporter = await createTransferReporter(context, { quiet, debug, tty, verbose, ...options })
  try {
    return await transfer(reporter)
  } finally {
    reporter.stop()
  }
}

const SILENT: TransferReporter = {
  onEvent: () => undefined,
  preparing: () => undefined,
  note: () => undefined,
  stop: () => undefined,
}
