import { Command, CommanderError } from 'commander'
import { GantryError } from '../index.js'
import type { FoundCommand } from './find-command.js'
import type { Context } from './context.js'
import type { ArgumentCount, CommandDefinition, CommandEntry } from './define-command.js'
import { splitBooleans } from './options/boolean-values.js'
import { UsageError } from './usage-error.js'

/** Loads a command, parses what follows its name and runs it. */
export async function runCommand(
  found: FoundCommand & { readonly node: CommandEntry },
  context: Context,
): Promise<number> {
  const definition = (await found.node.load()) as CommandDefinition
  const name = found.path.join(' ')
  const usage = `${name} [flags]${definition.usage === '' ? '' : ` ${definition.usage}`}`
  const command = createCommand(found.node, definition, usage, context)
  const parsed = parse(command, found.rest, { name, usage })
  if (parsed === 'help') return 0
  checkArgumentCount(command.args, definition.arguments, { name, usage })
  const values = command.opts<{ timeout?: number; verbose?: boolean }>()
  if (values.verbose !== undefined) {
    context.stderr.write('Flag --verbose has been deprecated, and will be removed in a future release.\n')
  }
  const call = { arguments: command.args, values, name, usage, tree: found.root }
  const code = await withTimeout(context, values.timeout, (limited) => definition.run({ ...call, context: limited }))
  return typeof code === 'number' ? code : 0
}

/** Stops the work when the time for the whole command is over. */
async function withTimeout<Result>(
  context: Context,
  milliseconds: number | undefined,
  work: (context: Context) => Promise<Result>,
): Promise<Result> {
  if (milliseconds === undefined) return work(context)
  const timeout = AbortSignal.timeout(milliseconds)
  try {
    return await work({ ...context, signal: AbortSignal.any([context.signal, timeout]) })
  } catch (cause) {
    if (!timeout.aborted || context.signal.aborted) throw cause
    throw new GantryError('timeout', `the command did not finish within ${milliseconds / 1000} s`, { cause })
  }
}

/** The parser of one command, with all its flags, that throws instead of ending the process. */
export function createCommand(
  entry: CommandEntry,
  definition: CommandDefinition<never>,
  usage: string,
  context: Context,
): Command {
  const command = new Command(entry.name)
  command
    .usage(usage.slice(usage.indexOf('[flags]')))
    .description(definition.description)
    .argument('[arguments...]')
    .helpOption('-h, --help', `help for ${entry.name}`)
    .allowExcessArguments(true)
    .exitOverride()
    .configureOutput({ writeOut: (text) => context.stdout.write(text), writeErr: () => undefined })
    .configureHelp({
      sortOptions: true,
      showGlobalOptions: false,
      visibleArguments: () => [],
      commandUsage: () => usage,
    })
  for (const alias of entry.aliases ?? []) command.alias(alias)
  definition.configure?.(command)
  return command
}

interface Names {
  readonly name: string
  readonly usage: string
}

function parse(command: Command, words: readonly string[], names: Names): 'help' | 'parsed' {
  const { rest, booleans } = splitBooleans(command, words)
  try {
    command.parse([...rest], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'commander.helpDisplayed' || error.code === 'commander.help') return 'help'
    throw usageErrorOf(error, names)
  }
  for (const [key, value] of booleans) command.setOptionValue(key, value)
  return 'parsed'
}

/** Says what the parser found in the words that scripts written for `oras` expect. */
function usageErrorOf(error: CommanderError, { name }: Names): UsageError {
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? ''
  const flag = /--[\w-]+/.exec(quoted)?.[0] ?? quoted
  const hint = `Run '${name} --help' for usage.`
  switch (error.code) {
    case 'commander.unknownOption':
      return new UsageError(`unknown flag: ${quoted}`, { hint })
    case 'commander.optionMissingArgument':
      return new UsageError(`flag needs an argument: ${flag}`, { hint })
    case 'commander.missingMandatoryOptionValue':
      return new UsageError(`required flag(s) "${flag.replace(/^--/, '')}" not set`, { hint })
    default:
      return new UsageError(error.message.replace(/^error: /, ''), { hint })
  }
}

function checkArgumentCount(given: readonly string[], count: ArgumentCount, { name, usage }: Names): void {
  const maximum = count.maximum ?? count.minimum
  if (given.length >= count.minimum && given.length <= maximum) return
  const wanted = maximum === count.minimum ? `exactly ${count.minimum}` : `at least ${count.minimum}`
  throw new UsageError(`"${name}" requires ${wanted} argument but got ${given.length}`, {
    usage,
    hint: `Please specify ${wanted} argument as ${count.as}. Run "${name} -h" for more options and examples`,
  })
}
