import { isGroup } from './define-command.js'
import { findCommand } from './find-command.js'
import { COMMAND_TREE } from './command-tree.js'
import type { Context } from './context.js'

export { endWithoutTempFiles, runCredentialHelper } from '../index.js'

/**
 * Runs one command line, whatever it is. This is everything that is not loaded before something is to be done.
 * @param words what follows the program's name
 * @returns the exit code
 */
export async function runProgram(words: readonly string[], context: Context): Promise<number> {
  try {
    const found = findCommand(rootFlagsLast(helpAsFlag(words)), COMMAND_TREE)
    if (isGroup(found.node)) {
      const { runGroup } = await import('./run-group.js')
      return await runGroup({ ...found, node: found.node }, context)
    }
    const { runCommand } = await import('./run-command.js')
    return await runCommand({ ...found, node: found.node }, context)
  } catch (error) {
    const { reportError } = await import('./report-error.js')
    return reportError(error, context)
  }
}

/** `gantry help push` is `gantry push --help`. */
function helpAsFlag(words: readonly string[]): readonly string[] {
  return words[0] === 'help' ? [...words.slice(1), '--help'] : words
}

/** Flags that stand before the command, as `crane` users write them, belong to the command. */
function rootFlagsLast(words: readonly string[]): readonly string[] {
  const start = words.findIndex((word) => !word.startsWith('-'))
  const flags = start === -1 ? words : words.slice(0, start)
  if (flags.length === 0 || flags.some((flag) => flag === '-h' || flag === '--help' || flag === '--version'))
    return words
  if (flags.at(-1) === '--platform' && start !== -1) {
    // The one root flag of crane that has a value in a word of its own.
    return [...words.slice(start + 1), ...flags, words[start] ?? '']
  }
  return start === -1 ? words : [...words.slice(start), ...flags]
}
