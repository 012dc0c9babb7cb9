import { Client } from '../client/client.js'
import { GantryError } from '../errors.js'
import type { Argument, Arguments, Opening } from './arguments.js'
import type { AnyCommand, CallBase, CommandCall, CommandEntry, CommandGroup } from './command.js'
import type { Context } from './context.js'
import type { FoundCommand } from './find-command.js'
import { optionsOf, sidesOf, usageOf } from './command-options.js'
import { readAccess } from './options/access.js'
import { clientOptionsOf, type connectionOptions } from './options/connection.js'
import { FORMATS, isMachineFormat, readFormat, type Format } from './options/format.js'
import type { Options, OptionValues } from './options/option.js'
import { InterruptedList } from './output/interrupted-list.js'
import { Printer } from './output/printer.js'
import { formatTrace } from './output/trace.js'
import type { TransferReporter } from './output/transfer-reporter.js'
import { checkRequired, parseWords, type ParsedWords } from './parse-words.js'
import { tuneEngine } from './tune-engine.js'
import { UsageError } from './usage-error.js'
import { VERSION } from './version.js'

/** Loads a command, parses what follows its name and runs it. */
export async function runCommand(
  found: FoundCommand & { readonly node: CommandEntry },
  context: Context,
): Promise<number> {
  const command = await found.node.load()
  const name = found.path.join(' ')
  const flags = optionsOf(command)
  const parsed = parseWords(found.rest, flags, name)
  if (parsed.wantsHelp) {
    const { formatCommandHelp } = await import('./output/help.js')
    context.stdout.write(formatCommandHelp(command, found, context))
    return 0
  }
  const run = new CommandRun(command, parsed, {
    tree: found.root,
    flags,
    name,
    usage: `${name} [flags]${spaced(usageOf(command))}`,
  })
  return withTimeout(context, run.common.timeout, (limited) => run.run(limited))
}

function spaced(text: string): string {
  return text === '' ? '' : ` ${text}`
}

interface Names {
  readonly name: string
  readonly usage: string
}

interface RunSettings extends Names {
  readonly tree: CommandGroup
  /** Every flag that the command takes. */
  readonly flags: Options
}

/** One run of a command: opens what it takes, owns the client, shows the result and closes everything. */
class CommandRun {
  readonly common: OptionValues<typeof connectionOptions>
  readonly #command: AnyCommand
  readonly #parsed: ParsedWords
  readonly #names: Names
  readonly #tree: CommandGroup
  readonly #flags: Options

  constructor(command: AnyCommand, parsed: ParsedWords, { tree, flags, ...names }: RunSettings) {
    this.#command = command
    this.#parsed = parsed
    this.#names = names
    this.#tree = tree
    this.#flags = flags
    this.common = parsed.values as OptionValues<typeof connectionOptions>
  }

  async run(context: Context): Promise<number> {
    const { values, words } = this.#parsed
    const shown = values.format as string | undefined
    checkWordCount(words, this.#command, this.#names)
    checkRequired(this.#parsed.given, this.#flags, this.#names.name)
    const print = new Printer(context, { quiet: this.common.quiet })
    for (const key of this.#parsed.given) {
      const { deprecated } = this.#flags[key] ?? {}
      if (deprecated !== undefined) print.notice(deprecated)
    }
    const options = Object.fromEntries(Object.keys(this.#command.options ?? {}).map((key) => [key, values[key]]))
    const format = this.#readFormat(options)
    this.#command.check?.({ ...this.#names, options, words, format: shown, flags: values })
    const sides = sidesOf(this.#command)
    const access = sides.some(({ side }) => side === '') ? await readAccess(values, context, '') : {}
    const { access: own, ...place } = access
    if (sides.length > 0) tuneEngine()
    const isForMachine = isMachineFormat(format)
    const client = new Client({ ...this.#clientOptions(context, print, isForMachine), ...own })
    const opening: Opening = {
      ...this.#names,
      client,
      values,
      notice: (text) => print.notice(text),
      access: (side) => (side === '' ? Promise.resolve(place) : readAccess(values, context, side)),
    }
    const base: CallBase<Options> = {
      ...this.#names,
      options,
      client,
      context,
      signal: context.signal,
      report: SILENT,
      print,
      format,
      isForMachine,
      isQuiet: this.common.quiet,
      flags: values,
      access: own ?? {},
      tree: this.#tree,
    }
    try {
      const call = { ...base, ...(await openArguments(this.#command.arguments ?? {}, words, opening)) }
      await this.#runWith(call)
      return 0
    } finally {
      await client.close()
    }
  }

  async #runWith(call: CommandCall<Arguments, Options>): Promise<void> {
    const report = await this.#reporterFor(call)
    let result: unknown
    try {
      result = await this.#command.run({ ...call, report })
    } catch (error) {
      if (!(error instanceof InterruptedList)) throw error
      await this.#show(error.result, call)
      throw error.cause
    } finally {
      report.stop()
    }
    await this.#show(result, call)
  }

  async #show(result: unknown, call: CommandCall<Arguments, Options>): Promise<void> {
    const { format, print } = call
    if (!call.isForMachine) {
      await this.#command.text?.(result, print, call)
      return
    }
    if (result === undefined) return
    const shown = this.#command.json?.(result, call) ?? (result as object)
    if (format.type === 'go-template') {
      const { renderTemplate } = await import('./output/template/render-template.js')
      print.text(renderTemplate(format.template, shown))
    } else {
      print.json(shown)
    }
  }

  async #reporterFor(call: CommandCall<Arguments, Options>): Promise<TransferReporter> {
    const { progress } = this.#command
    if (progress === undefined) return SILENT
    const { context, format, isQuiet } = call
    const { debug, verbose } = this.common
    // Whatever is told on the way must not mix with a result on stdout.
    const shown = progress.onStderr === true ? { ...context, stdout: context.stderr } : context
    const { createReporter } = await import('./output/create-reporter.js')
    const reporter = await createReporter(shown, {
      words: progress.words,
      format,
      quiet: isQuiet || progress.isSilent?.(call) === true,
      showsExistingGraphs: progress.showsExistingGraphs?.(call),
      debug,
      verbose,
      rows: this.#parsed.values.noTty !== true,
    })
    return reporter ?? SILENT
  }

  #readFormat(options: Record<string, unknown>): Format {
    const { formats = FORMATS } = this.#command
    const own = this.#command.formatFlag?.(options)
    return own === undefined ? readFormat(this.#parsed.values, formats) : readFormat({ format: own }, formats)
  }

  #clientOptions(context: Context, print: Printer, isForMachine: boolean) {
    const { debug, quiet } = this.common
    const warned = new Set<string>()
    return {
      ...clientOptionsOf(this.common),
      chunkSize: this.#parsed.values.chunkSize as number | undefined,
      onUnknownSetting: (problem: string) => {
        // Each side of a copy reads the file.
        if (!warned.has(problem)) print.notice(`WARNING: ${problem}`)
        warned.add(problem)
      },
      environment: context.environment,
      homeFolder: context.homeFolder,
      userAgent: `gantry/${VERSION}`,
      signal: context.signal,
      onSkippedFile: (_path: string, reason: string) => {
        if (debug) print.notice(`skipped: ${reason}`)
      },
      onRequestEvent: (event: Parameters<typeof formatTrace>[0]) => {
        const text = formatTrace(event, { debug, quiet, isForMachine })
        if (text !== undefined) print.notice(text)
      },
    }
  }
}

async function openArguments(
  taken: Arguments,
  words: readonly string[],
  opening: Opening,
): Promise<Record<string, unknown>> {
  const opened: Record<string, unknown> = {}
  let index = 0
  for (const [key, argument] of Object.entries(taken)) {
    const count = Math.min(argument.maximum, Math.max(words.length - index, 0))
    opened[key] = await argument.open(words.slice(index, index + count), opening)
    index += count
  }
  return opened
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
    throw new GantryError('timeout', `the command did not finish within ${milliseconds / 1000} s`, {
      details: { reason: 'whole-command' },
      cause,
    })
  }
}

function checkWordCount(words: readonly string[], command: AnyCommand, { name, usage }: Names): void {
  const taken: readonly Argument<unknown>[] = Object.values(command.arguments ?? {})
  const minimum = taken.reduce((sum, argument) => sum + argument.minimum, 0)
  const maximum = taken.reduce((sum, argument) => sum + argument.maximum, 0)
  if (words.length >= minimum && words.length <= maximum) return
  const isTooMany = words.length > maximum && maximum !== minimum
  const count = isTooMany ? maximum : minimum
  const bound = maximum === minimum ? 'exactly' : isTooMany ? 'at most' : 'at least'
  const limit = `${bound} ${count} argument${count === 1 ? '' : 's'}`
  throw new UsageError(`"${name}" requires ${limit} but got ${words.length}`, {
    usage,
    hint: `Please specify ${limit} as ${command.needs ?? 'nothing'}. Run "${name} -h" for more options and examples`,
  })
}

/** Shows nothing of a transfer. */
const SILENT: TransferReporter = {
  onEvent: () => undefined,
  preparing: () => undefined,
  note: () => undefined,
  stop: () => undefined,
}
