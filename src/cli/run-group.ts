import type { CommandGroup, CommandNode } from './define-command.js'
import type { FoundCommand } from './find-command.js'
import type { Context } from './context.js'
import { UsageError } from './usage-error.js'

/** Prints what a group of commands offers; a word that is none of its commands is an error. */
export async function runGroup(
  found: FoundCommand & { readonly node: CommandGroup },
  context: Context,
): Promise<number> {
  const [word] = found.rest
  const name = found.path.join(' ')
  if (word === '--version' && found.node === found.root) {
    const { printVersion } = await import('./commands/version.js')
    printVersion(context)
    return 0
  }
  if (word === undefined || word === '-h' || word === '--help') {
    context.stdout.write(formatGroupHelp(found.node, found.path))
    return 0
  }
  if (word.startsWith('-')) throw new UsageError(`unknown flag: ${word}`, { hint: `Run '${name} --help' for usage.` })
  throw new UsageError(`unknown command "${word}" for "${name}"`, { hint: hintFor(word, found.node, name) })
}

/** The overview of a group: what it is for, its commands, where to read on. */
function formatGroupHelp(group: CommandGroup, path: readonly string[]): string {
  const name = path.join(' ')
  const width = Math.max(...group.commands.map((command) => command.name.length))
  const rows = [...group.commands]
    .sort((a, b) => a.name.localeCompare(b.name))
    .map((command) => `  ${command.name.padEnd(width + 2)}${command.summary}`)
  return [
    group.summary,
    '',
    'Usage:',
    `  ${name} [command]`,
    ...(group.aliases === undefined ? [] : ['', 'Aliases:', `  ${[group.name, ...group.aliases].join(', ')}`]),
    '',
    'Available Commands:',
    ...rows,
    '',
    'Flags:',
    `  -h, --help   help for ${group.name}`,
    '',
    `Use "${name} [command] --help" for more information about a command.`,
    '',
  ].join('\n')
}

function hintFor(word: string, group: CommandGroup, name: string): string {
  const near = group.commands.find((command) => isNear(word, command))
  const usage = `Run '${name} --help' for usage.`
  return near === undefined ? usage : `Did you mean "${near.name}"? ${usage}`
}

/** Whether a word is a slip of a command's name: a part of it, or one letter away. */
function isNear(word: string, { name, aliases = [] }: CommandNode): boolean {
  return [name, ...aliases].some((candidate) => {
    if (candidate.startsWith(word) || word.startsWith(candidate)) return true
    if (candidate.length !== word.length) return false
    return Array.from(candidate).filter((letter, index) => letter !== word[index]).length === 1
  })
}
