import type { Context } from '../context.js'
import { Prompt } from '../prompt.js'
import { UsageError } from '../usage-error.js'
import { flag } from './option.js'

/** The flag of commands that delete. */
export const confirmOptions = {
  force: flag('-f, --force', 'do not ask, and do not mind what is missing'),
}

/**
 * Asks one question; anything but a clear yes is no.
 * @param options.isForMachine asks on stderr, as stdout holds a result for a program
 * @throws UsageError where nobody can answer
 */
export async function confirm(
  question: string,
  context: Context,
  { isForMachine }: { readonly isForMachine: boolean },
): Promise<boolean> {
  const prompt = new Prompt(isForMachine ? { ...context, stdout: context.stderr } : context)
  try {
    const isConfirmed = await prompt.confirm(question)
    if (!prompt.isUnanswered) return isConfirmed
    throw new UsageError('nobody has answered the question, and nothing was deleted', {
      hint: 'Answer "y" on stdin, or delete without a question with -f (--force).',
    })
  } finally {
    prompt.close()
  }
}

/** What `--descriptor` prints is for a program, which cannot answer a question. */
export function checkForce({ descriptor, force }: { readonly descriptor: boolean; readonly force: boolean }): void {
  if (!descriptor || force) return
  throw new UsageError('must apply --force to confirm the deletion if the descriptor is outputted')
}
