import type { Client } from '../client/client.js'
import type { RegistryAccess } from '../client/connect.js'
import type { Arguments, ArgumentValues } from './arguments.js'
import type { Context } from './context.js'
import type { Format } from './options/format.js'
import type { Options, OptionValues, Stage } from './options/option.js'
import type { Printer } from './output/printer.js'
import type { TransferReporter } from './output/transfer-reporter.js'
import type { TransferWords } from './output/transfer-words.js'

/** Ways to show a result; the first one of a command is its default. */
export type FormatType = Format['type']

/** What every command finds in its call, beside its own arguments. */
export interface CallBase<Declared extends Options> {
  /** The flags of the command itself. */
  readonly options: OptionValues<Declared>
  /** Opens references; made from the connection flags and closed after the command. */
  readonly client: Client
  readonly context: Context
  /** Fires on ctrl-C, on termination and when `--timeout` is over. */
  readonly signal: AbortSignal
  /** Shows what a transfer does while it runs; says nothing in commands that declare no `progress`. */
  readonly report: TransferReporter
  /** Prints at once, for what must not wait for the end: long lists, questions, notices. */
  readonly print: Printer
  readonly format: Format
  /** Whether the result is for a program: then nothing but the result is printed on stdout. */
  readonly isForMachine: boolean
  readonly isQuiet: boolean
  /** Full name, such as `gantry manifest fetch`. */
  readonly name: string
  /** The usage line without its label. */
  readonly usage: string
  /** Every flag that the command takes, also those of all commands. */
  readonly flags: Readonly<Record<string, unknown>>
  /** All commands there are. */
  readonly tree: CommandGroup
  /** How the flags without a prefix say that a registry is reached. */
  readonly access: RegistryAccess
}

export type CommandCall<Taken extends Arguments, Declared extends Options> = CallBase<Declared> & ArgumentValues<Taken>

/** What is known before anything is opened. */
export interface CheckedCall<Declared extends Options> {
  readonly options: OptionValues<Declared>
  /** The words of the command line that are no flags. */
  readonly words: readonly string[]
  readonly name: string
  readonly usage: string
  /** `--format` as it was given. */
  readonly format: string | undefined
  readonly flags: Readonly<Record<string, unknown>>
}

/** How a command shows what it moves. */
export interface ProgressSettings<Call> {
  readonly words: TransferWords
  /** Lines go to stderr, because stdout is for the result. */
  readonly onStderr?: boolean
  /** Whether a manifest that is there with everything below it gets a line. */
  showsExistingGraphs?(call: Call): boolean
  /** Whether this call shows nothing. */
  isSilent?(call: Call): boolean
}

/**
 * A command, as a value: what it takes, what it does, and how its result is read. The types of its arguments, flags and
 * result follow from the declaration.
 */
export interface Command<Taken extends Arguments, Declared extends Options, Result> {
  /** One line, for the overview. */
  readonly summary: string
  readonly aliases?: readonly string[]
  /** Shown with the summary; default: it does not change any more. */
  readonly stage?: Stage
  /** What more there is to say, in paragraphs. */
  readonly description?: string
  /** The positional arguments, in their order; the runner opens them. */
  readonly arguments?: Taken
  /** Completes "Please specify exactly 1 argument as …". */
  readonly needs?: string
  /** The usage line behind the flags; default: that of the arguments. */
  readonly usage?: string
  readonly options?: Declared
  /** What it is an example of, and the command line behind the name of the program. */
  readonly examples?: readonly (readonly [string, string])[]
  /** Default: text, json, go-template. */
  readonly formats?: readonly FormatType[]
  /** The format by a flag of the command's own, where that was given instead of `--format`. */
  formatFlag?(options: OptionValues<Declared>): string | undefined
  readonly progress?: ProgressSettings<CommandCall<Taken, Declared>>
  /** Refuses a command line before anything is opened or read. */
  check?(call: CheckedCall<Declared>): void
  /** Does the work and returns a plain object, which JSON and templates show unless `json` makes another. */
  run(call: CommandCall<Taken, Declared>): Promise<Result>
  /** The object for JSON and templates, where the result holds more than they show. */
  json?(result: Result, call: CommandCall<Taken, Declared>): object
  /** Prints the result for people. */
  text?(result: Result, print: Printer, call: CommandCall<Taken, Declared>): void | Promise<void>
}

/** A command whose types nobody needs any more. */
export type AnyCommand = Command<Arguments, Options, unknown>

/** A command of the tree: what the overview shows of it, and how to load the rest. */
export interface CommandEntry {
  readonly name: string
  readonly aliases?: readonly string[]
  readonly stage?: Stage
  readonly summary: string
  readonly load: () => Promise<AnyCommand>
}

/** Commands that share a first word. */
export interface CommandGroup {
  readonly name: string
  readonly aliases?: readonly string[]
  readonly stage?: Stage
  readonly summary: string
  readonly commands: readonly CommandNode[]
}

/** The name of the program in the full name of a command: `gantry` in `gantry manifest fetch`. */
export function programOf(name: string): string {
  return name.split(' ', 1)[0] ?? name
}

export type CommandNode = CommandEntry | CommandGroup

export function isGroup(node: CommandNode): node is CommandGroup {
  return 'commands' in node
}

/** A command without arguments, or without flags. */
// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- nothing is declared, and nothing inferred
type None = Record<never, never>

/** Declares a command, and has the types of its parts follow from each other. */
export function command<const Taken extends Arguments = None, const Declared extends Options = None, Result = void>(
  definition: Command<Taken, Declared, Result>,
): Command<Taken, Declared, Result> {
  return definition
}
