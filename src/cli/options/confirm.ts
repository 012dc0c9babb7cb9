import type { Command } from 'commander'
import type { Context } from '../context.js'
import { Prompt } from '../prompt.js'

export interface ConfirmValues {
  readonly force?: boolean
}

/** Declares `--force` of commands that delete. */
export function declareConfirm(command: Command): void {
  command.option('-f, --force', 'do not ask, and do not mind what is missing')
}

/** Asks one question; anything but a clear yes is no. */
export async function confirm(question: string, context: Context): Promise<boolean> {
  const prompt = new Prompt(context)
  try {
    return await prompt.confirm(question)
  } finally {
    prompt.close()
  }
}
