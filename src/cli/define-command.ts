import type { Command } from 'commander'
import type { Context } from './context.js'

/** How many positional arguments a command takes. */
export interface ArgumentCount {
  readonly minimum: number
  /** Default: the minimum. */
  readonly maximum?: number
  /** Completes "Please specify exactly 1 argument as …". */
  readonly as: string
}

/** One call of a command, parsed. */
export interface CommandCall<Values> {
  readonly context: Context
  readonly arguments: readonly string[]
  readonly values: Values
  /** Full name, such as `gantry manifest fetch`. */
  readonly name: string
  /** The usage line without its label. */
  readonly usage: string
  /** All commands there are. */
  readonly tree: CommandGroup
}

/** A command, in a file of its own that is loaded when the command is called. */
export interface CommandDefinition<Values = Record<string, unknown>> {
  /** The positional arguments as the usage line shows them. */
  readonly usage: string
  /** Long help: what it does, then examples. */
  readonly description: string
  readonly arguments: ArgumentCount
  /** Declares the flags. */
  readonly configure?: (command: Command) => void
  /** @returns the exit code; anything but a number is 0 */
  readonly run: (call: CommandCall<Values>) => Promise<unknown>
}

/** A command of the tree: what the overview shows of it, and how to load the rest. */
export interface CommandEntry {
  readonly name: string
  readonly aliases?: readonly string[]
  readonly summary: string
  readonly load: () => Promise<CommandDefinition<never>>
}

/** Commands that share a first word. */
export interface CommandGroup {
  readonly name: string
  readonly aliases?: readonly string[]
  readonly summary: string
  readonly commands: readonly CommandNode[]
}

export type CommandNode = CommandEntry | CommandGroup

export function isGroup(node: CommandNode): node is CommandGroup {
  return 'commands' in node
}

/** Keeps the type of the values between declaration and use. */
export function defineCommand<Values>(definition: CommandDefinition<Values>): CommandDefinition<Values> {
  return definition
}
