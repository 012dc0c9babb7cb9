import type { CommandEntry, CommandGroup, CommandNode } from '../../../src/cli/command.js'
import { optionsOf } from '../../../src/cli/command-options.js'

/** The commands of another tool, by their words. */
export interface ToolCommands {
  readonly name: string
  readonly version: string
  readonly commands: Readonly<Record<string, ToolCommand>>
}

interface ToolCommand {
  readonly aliases?: readonly string[]
  /** `-o, --output`, or `--output` where it has no letter. */
  readonly flags: readonly string[]
}

/** What somebody has looked at and decided. */
export interface Review {
  /** The command of ours that does what one of theirs does, where it has other words. */
  readonly commands?: Readonly<Record<string, string>>
  /** Commands of theirs that we do not have, and why. */
  readonly missing?: Readonly<Record<string, string>>
  /** Flags that we do not take, `command --flag` or `* --flag` for every command, and why. */
  readonly flags?: Readonly<Record<string, string>>
}

/** One command of theirs, and what we make of it. */
export interface ComparedCommand {
  readonly command: string
  /** The command of ours; undefined when there is none. */
  readonly ours: string | undefined
  /** Why there is none. */
  readonly why: string | undefined
  readonly taken: readonly string[]
  /** Flags that are not taken, with the reason; undefined when nobody has looked at it. */
  readonly left: readonly { readonly flag: string; readonly why: string | undefined }[]
  /** Aliases of theirs that do not lead to the command of ours. */
  readonly aliases: readonly string[]
}

export interface Comparison {
  readonly commands: readonly ComparedCommand[]
  /** What is neither taken nor reviewed, and entries of the review that decide nothing any more. */
  readonly open: readonly string[]
}

/** Compares the commands of another tool with the tree of ours. */
export async function compareCommands(tool: ToolCommands, tree: CommandGroup, review: Review): Promise<Comparison> {
  const used = new Set<string>()
  const commands: ComparedCommand[] = []
  const decide = (kind: keyof Review, ...keys: readonly string[]): string | undefined => {
    const key = keys.find((one) => review[kind]?.[one] !== undefined)
    if (key !== undefined) used.add(`${kind} ${key}`)
    return key === undefined ? undefined : review[kind]?.[key]
  }
  for (const [command, { aliases = [], flags }] of Object.entries(tool.commands)) {
    const renamed = decide('commands', command)
    const node = findNode(
      tree,
      (renamed ?? command).split(' ').filter((word) => word !== ''),
    )
    if (node === undefined) {
      const why = decide('missing', command)
      commands.push({ command, ours: undefined, why, taken: [], left: [], aliases: [] })
      continue
    }
    const known = command === '' ? await flagsOfAll(tree) : await flagsOf(node)
    const left = flags
      .filter((flag) => !isKnown(flag, known))
      .map((flag) => ({ flag, why: decide('flags', `${command} ${longOf(flag)}`.trim(), `* ${longOf(flag)}`) }))
    commands.push({
      command,
      ours: renamed ?? command,
      why: undefined,
      taken: flags.filter((flag) => isKnown(flag, known)),
      left,
      aliases: aliases.filter((alias) => findNode(tree, [...command.split(' ').slice(0, -1), alias]) !== node),
    })
  }
  const all = (Object.keys(review) as (keyof Review)[]).flatMap((kind) =>
    Object.keys(review[kind] ?? {}).map((key) => `${kind} ${key}`),
  )
  const stale = all.filter((key) => !used.has(key)).map((key) => `the review of "${key}" decides nothing any more`)
  return { commands, open: [...commands.flatMap(openOf), ...stale] }
}

function openOf({ command, ours, why, left, aliases }: ComparedCommand): readonly string[] {
  if (ours === undefined) return why === undefined ? [`the command "${command}" is not there`] : []
  return [
    ...left.filter((flag) => flag.why === undefined).map(({ flag }) => `"${command}" does not take ${flag}`),
    ...aliases.map((alias) => `"${alias}" does not lead to "${command}"`),
  ]
}

/** A comparison as a section of a document. */
export function describeComparison({ name, version, commands }: ToolCommands, comparison: Comparison): string {
  const rows = comparison.commands
    .filter(({ ours, left, taken }) => ours !== '' || left.length + taken.length > 0)
    .map(({ command, ours, why, taken, left }) => {
      const of = commands[command]?.flags.length ?? 0
      const gantry = ours === undefined ? '-' : ours === '' ? 'every command' : `\`${ours}\``
      const reasons = left.map((flag) => `\`${longOf(flag.flag)}\`: ${flag.why ?? 'open'}`)
      return `| \`${`${name} ${command}`.trim()}\` | ${gantry} | ${of === 0 ? '' : `${taken.length} of ${of}`} | ${[why ?? '', ...reasons].filter((text) => text !== '').join('; ')} |`
    })
  return `## ${name} ${version}

| ${name} | gantry | flags | otherwise |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}

function findNode(tree: CommandGroup, words: readonly string[]): CommandNode | undefined {
  let node: CommandNode = tree
  for (const word of words) {
    const next: CommandNode | undefined =
      'commands' in node
        ? node.commands.find(({ name, aliases }) => name === word || aliases?.includes(word) === true)
        : undefined
    if (next === undefined) return undefined
    node = next
  }
  return node
}

/** Long flags, and the letters that are theirs. */
type Flags = ReadonlyMap<string, string | undefined>

async function flagsOf(node: CommandNode): Promise<Flags> {
  if ('commands' in node) return new Map()
  const options = Object.values(optionsOf(await node.load()))
  return new Map(options.map(({ long, short }) => [long, short]))
}

/** Flags that every command takes. */
async function flagsOfAll(tree: CommandGroup): Promise<Flags> {
  const all = await Promise.all(entriesOf(tree).map(flagsOf))
  const [first = new Map<string, undefined>(), ...others] = all
  return new Map([...first].filter(([long]) => others.every((flags) => flags.has(long))))
}

function entriesOf(group: CommandGroup): readonly CommandEntry[] {
  return group.commands.flatMap((node) => ('commands' in node ? entriesOf(node) : [node]))
}

function isKnown(flag: string, known: Flags): boolean {
  const long = longOf(flag)
  if (!known.has(long)) return false
  const short = /^(-\w), /.exec(flag)?.[1]
  return short === undefined || known.get(long) === short
}

function longOf(flag: string): string {
  return flag.replace(/^-\w, /, '')
}
