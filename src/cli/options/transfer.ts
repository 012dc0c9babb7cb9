import type { Command } from 'commander'
import { parseCount } from './connection.js'

export interface TransferValues {
  readonly concurrency?: number
  readonly quiet?: boolean
  readonly debug?: boolean
  readonly tty?: boolean
  readonly verbose?: boolean
}

/** Declares the flags of commands that move content. */
export function declareTransfer(command: Command): void {
  command
    .option('--concurrency <count>', 'how much is moved side by side; follows the registry when not given', parseCount)
    .option('--no-tty', 'no progress rows, also on a terminal')
}
