import type { Context } from '../context.js'
import { isMachineFormat, type Format } from '../options/format.js'
import { LineReporter, type LineOptions } from './line-reporter.js'
import { Printer } from './printer.js'
import type { TransferReporter } from './transfer-reporter.js'

export interface ReporterOptions extends LineOptions {
  readonly format?: Format
  readonly quiet?: boolean
  readonly debug?: boolean
  /** Whether running transfers may have rows of their own on a terminal. */
  readonly rows?: boolean
}

/**
 * The reporter for a command: rows on a terminal, also beside a result for a program; lines elsewhere, unless a program
 * reads them; none with `--quiet`.
 */
export async function createReporter(
  context: Context,
  options: ReporterOptions,
): Promise<TransferReporter | undefined> {
  if (options.quiet === true) return undefined
  if (canShowRows(context) && options.rows !== false && options.debug !== true) {
    const { TerminalReporter } = await import('./terminal-reporter.js')
    return TerminalReporter.create(context, options.words)
  }
  if (options.format !== undefined && isMachineFormat(options.format)) return undefined
  return new LineReporter(new Printer(context), options)
}

/** Narrowest terminal that a row says something in. A terminal that does not know its size says 0. */
const MINIMUM_COLUMNS = 40

/** A dumb terminal cannot move its cursor, and shows what would move it. */
function canShowRows({ stderr: { isTTY, columns = 0 }, environment }: Context): boolean {
  return isTTY === true && columns >= MINIMUM_COLUMNS && environment.TERM !== 'dumb'
}
