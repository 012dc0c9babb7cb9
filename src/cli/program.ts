import type { runCredentialHelper as RunCredentialHelper } from '../credentials/serve-credential-helper.js'
import type { endWithoutTempFiles as EndWithoutTempFiles } from '../util/temp-path.js'
import { COMMAND_TREE } from './command-tree.js'
import type { Context } from './context.js'
import { isGroup, type CommandGroup } from './command.js'
import { findCommand, type FoundCommand } from './find-command.js'

/** The program `docker-credential-gantry`. */
export const runCredentialHelper: typeof RunCredentialHelper = async (...call) => {
  const helper = await import('../credentials/serve-credential-helper.js')
  return helper.runCredentialHelper(...call)
}

/** Ends the process without the temporary files that it has open. */
export const endWithoutTempFiles: typeof EndWithoutTempFiles = async (...call) => {
  const files = await import('../util/temp-path.js')
  return files.endWithoutTempFiles(...call)
}

/**
 * Runs one command line, whatever it is. This is everything that is not loaded before something is to be done.
 * @param words what follows the program's name
 * @returns the exit code
 */
export async function runProgram(words: readonly string[], context: Context): Promise<number> {
  const isNamedOras = context.programName === 'oras'
  if (!isNamedOras && words[0] !== 'oras') return runTree(words, context, COMMAND_TREE)
  const { exitCodeOfOras, treeOfOras } = await import('./dialects/oras.js')
  return exitCodeOfOras(await runTree(isNamedOras ? words : words.slice(1), context, treeOfOras(COMMAND_TREE)))
}

async function runTree(words: readonly string[], context: Context, tree: CommandGroup): Promise<number> {
  try {
    const found = findCommand(rootFlagsLast(helpAsFlag(words)), tree)
    if (isGroup(found.node)) return await runGroup({ ...found, node: found.node }, context)
    const { runCommand } = await import('./run-command.js')
    return await runCommand({ ...found, node: found.node }, context)
  } catch (error) {
    const { reportError } = await import('./report-error.js')
    return reportError(error, context, words)
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

/** Prints what a group of commands offers; a word that is none of its commands is an error. */
async function runGroup(found: FoundCommand & { readonly node: CommandGroup }, context: Context): Promise<number> {
  const [word] = found.rest
  const name = found.path.join(' ')
  if (word === '--version' && found.node === found.root) {
    const { printVersion } = await import('./version.js')
    printVersion(context)
    return 0
  }
  if (word === undefined || word === '-h' || word === '--help') {
    const { formatGroupHelp } = await import('./output/help.js')
    context.stdout.write(formatGroupHelp(found.node, found))
    return 0
  }
  const { UsageError } = await import('./usage-error.js')
  const hint = `Run '${name} --help' for usage.`
  if (word.startsWith('-')) throw new UsageError(`unknown flag: ${word}`, { hint })
  const { didYouMean } = await import('./near-word.js')
  const known = found.node.commands.flatMap((node) => [node.name, ...(node.aliases ?? [])])
  const near = didYouMean(word, known)
  throw new UsageError(`unknown command "${word}" for "${name}"`, {
    hint: near === undefined ? hint : `${near} ${hint}`,
  })
}
