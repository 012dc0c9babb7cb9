import type { AnyCommand, CommandEntry, CommandGroup } from '../command.js'
import type { Context } from '../context.js'
import type { FoundCommand } from '../find-command.js'
import type { Option, OptionGroup, Stage } from '../options/option.js'
import { optionsOf, usageOf } from '../command-options.js'

/** Widest help, on whatever terminal: longer lines are hard to read. */
const MAX_WIDTH = 110
/** Width where nobody says how wide the terminal is. */
const DEFAULT_WIDTH = 100
/** Widest column of flags; a longer one has its text on the next line. */
const MAX_FLAG_WIDTH = 34

const GROUP_TITLES: Readonly<Record<OptionGroup, string>> = {
  command: 'Flags',
  output: 'Output',
  registry: 'Registry and credentials',
  tls: 'TLS',
  network: 'Retries and limits',
}

const STAGES: Readonly<Record<Stage, string>> = {
  preview: 'This command is a preview: its output may still change.',
  experimental: 'This command is experimental: it may still change.',
}

/** A text with the stage of what it is about before it, as `oras` has it. */
function marked(text: string, stage: Stage | undefined): string {
  if (stage === undefined) return text
  return `[${stage === 'preview' ? 'Preview' : 'Experimental'}] ${text}`
}

/** The help of a command: what it does, how it is written, its flags in groups, examples. */
export function formatCommandHelp(
  command: AnyCommand,
  { path, node }: FoundCommand & { readonly node: CommandEntry },
  context: Context,
): string {
  const name = path.join(' ')
  const width = widthOf(context)
  const usage = usageOf(command)
  const { summary, description, examples = [] } = command
  const aliases = node.aliases ?? []
  const parts = [
    wrap(`${marked(summary, command.stage)}${/[.!?]$/.test(summary) ? '' : '.'}`, width),
    ...(command.stage === undefined ? [] : [STAGES[command.stage]]),
    ...(description === undefined ? [] : description.split('\n\n').map((paragraph) => wrap(paragraph, width))),
    `Usage:\n  ${name} [flags]${usage === '' ? '' : ` ${usage}`}`,
    ...(aliases.length === 0 ? [] : [`Aliases:\n  ${[node.name, ...aliases].join(', ')}`]),
    // Examples are pasted: they are never wrapped.
    ...(examples.length === 0
      ? []
      : [`Examples:\n${examples.map((example) => formatExample(example, path[0] ?? '')).join('\n\n')}`]),
    ...formatFlags(command, node.name, width),
  ]
  return `${parts.join('\n\n')}\n`
}

/** The overview of a group: what it is for, its commands, where to read on. */
export function formatGroupHelp(group: CommandGroup, { path, root }: FoundCommand): string {
  const name = path.join(' ')
  const width = Math.max(...group.commands.map((command) => command.name.length))
  const rows = [...group.commands]
    .sort((a, b) => a.name.localeCompare(b.name))
    .map((command) => `  ${command.name.padEnd(width + 2)}${marked(command.summary, command.stage)}`)
  const flags =
    group === root
      ? [`  -h, --help      help for ${root.name}`, '      --version   show the version']
      : [`  -h, --help   help for ${group.name}`]
  return [
    marked(group.summary, group.stage),
    '',
    'Usage:',
    `  ${name} [command]`,
    ...(group.aliases === undefined ? [] : ['', 'Aliases:', `  ${[group.name, ...group.aliases].join(', ')}`]),
    '',
    'Available Commands:',
    ...rows,
    '',
    'Flags:',
    ...flags,
    '',
    `Use "${name} [command] --help" for more information about a command.`,
    '',
  ].join('\n')
}

function widthOf({ stdout }: Context): number {
  const { isTTY, columns = 0 } = stdout
  return isTTY === true && columns > 0 ? Math.min(Math.max(columns - 1, 40), MAX_WIDTH) : DEFAULT_WIDTH
}

function formatExample([what, line]: readonly [string, string], program: string): string {
  return `  # ${what}\n  ${program} ${line.replaceAll('\n', `\n  ${program} `)}`
}

function formatFlags(command: AnyCommand, name: string, width: number): string[] {
  const options = Object.values(optionsOf(command)).filter(({ hidden }) => hidden !== true)
  return (Object.keys(GROUP_TITLES) as OptionGroup[]).flatMap((group) => {
    const rows = options
      .filter((option) => (option.group ?? 'command') === group)
      .map((option) => ({ flag: spellingOf(option), help: marked(option.help, option.stage) }))
    if (group === 'command') rows.push({ flag: '-h, --help', help: `help for ${name}` })
    if (rows.length === 0) return []
    return [`${GROUP_TITLES[group]}:\n${formatRows(rows, width).join('\n')}`]
  })
}

function spellingOf({ short, long, placeholder }: Option<unknown>): string {
  return `${short === undefined ? '    ' : `${short}, `}${long}${placeholder === undefined ? '' : ` ${placeholder}`}`
}

function formatRows(rows: readonly { readonly flag: string; readonly help: string }[], width: number): string[] {
  const column = Math.min(Math.max(...rows.map(({ flag }) => flag.length)), MAX_FLAG_WIDTH)
  const indent = ' '.repeat(column + 5)
  return rows.map(({ flag, help }) => {
    const text = wrap(help, Math.max(width - indent.length, 20)).replaceAll('\n', `\n${indent}`)
    return flag.length <= column ? `  ${flag.padEnd(column)}   ${text}` : `  ${flag}\n${indent}${text}`
  })
}

/** Breaks text between words so that no line is wider, except for a word that is. */
function wrap(text: string, width: number): string {
  const lines = ['']
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) ?? ''
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines.join('\n')
}
