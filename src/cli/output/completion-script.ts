import { isGroup, type CommandEntry, type CommandGroup } from '../command.js'
import { optionsOf } from '../command-options.js'

export type Shell = 'bash' | 'zsh' | 'fish' | 'powershell'

/** What may follow the words of a command: names of commands below it, or its flags. */
interface CompletionWords {
  /** The words that lead there, without the program's name; empty for the program itself. */
  readonly path: string
  readonly commands: readonly string[]
  readonly flags: readonly string[]
  /** Flags that take a value in the next word. */
  readonly valueFlags: readonly string[]
  /** What commands and flags are for. */
  readonly descriptions: ReadonlyMap<string, string>
}

export interface CompletionOptions {
  /** Whether shells that can show what a command or a flag is for do so; default true. */
  readonly descriptions?: boolean
}

/** The script that makes a shell complete commands and flags of gantry; file names where an argument is wanted. */
export async function formatCompletion(
  shell: Shell,
  tree: CommandGroup,
  { descriptions = true }: CompletionOptions = {},
): Promise<string> {
  const words = await collectWords(tree, '')
  switch (shell) {
    case 'bash':
      return formatBash(words)
    case 'zsh':
      return `#compdef gantry\nautoload -U +X bashcompinit && bashcompinit\n${formatBash(words)}`
    case 'fish':
      return formatFish(words, descriptions)
    case 'powershell':
      return formatPowerShell(words, descriptions)
  }
}

async function collectWords(group: CommandGroup, path: string): Promise<readonly CompletionWords[]> {
  const collected: CompletionWords[] = [
    {
      path,
      commands: group.commands.map(({ name }) => name),
      flags: ['--help'],
      valueFlags: [],
      descriptions: new Map(group.commands.map(({ name, summary }) => [name, summary])),
    },
  ]
  for (const node of group.commands) {
    const below = path === '' ? node.name : `${path} ${node.name}`
    collected.push(...(isGroup(node) ? await collectWords(node, below) : [await wordsOf(node, below)]))
  }
  return collected
}

async function wordsOf(entry: CommandEntry, path: string): Promise<CompletionWords> {
  const options = Object.values(optionsOf(await entry.load())).filter(({ hidden }) => hidden !== true)
  return {
    path,
    commands: [],
    flags: [...options.map(({ long }) => long), '--help'].sort(),
    valueFlags: options
      .filter(({ isBoolean }) => !isBoolean)
      .flatMap(({ long, short }) => [long, short ?? ''])
      .filter((flag) => flag !== ''),
    descriptions: new Map(options.map(({ long, help }) => [long, help])),
  }
}

function formatBash(words: readonly CompletionWords[]): string {
  const cases = words.map(
    ({ path, commands, flags, valueFlags }) =>
      `    "${path}") commands="${commands.join(' ')}" flags="${flags.join(' ')}" values=" ${valueFlags.join(' ')} " ;;`,
  )
  return `_gantry() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local path="" word commands flags values index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case " ${words.map(({ path }) => path.replaceAll(' ', '_')).join(' ')} " in
      *" \${path:+\${path// /_}_}$word "*) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=()
  case "$values" in *" $previous "*) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif [[ -n "$commands" ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _gantry gantry
`
}

function formatFish(words: readonly CompletionWords[], described: boolean): string {
  const lines = words.flatMap(({ path, commands, flags, valueFlags, descriptions }) => {
    const condition = `__gantry_at '${path}'`
    const about = (word: string): string => {
      const text = descriptions.get(word)
      return described && text !== undefined ? ` -d '${text.replace(/[\\']/g, '\\$&')}'` : ''
    }
    return [
      ...commands.map((command) => `complete -c gantry -n "${condition}" -f -a '${command}'${about(command)}`),
      ...flags.map((flag) => {
        const value = valueFlags.includes(flag) ? ' -r' : ''
        return `complete -c gantry -n "${condition}" -l '${flag.replace(/^--/, '')}'${value}${about(flag)}`
      }),
    ]
  })
  const paths = words.map(({ path }) => `'${path}'`).join(' ')
  return `function __gantry_at
  set -l path ''
  for word in (commandline -opc)[2..-1]
    set -l next (string trim -- "$path $word")
    contains -- "$next" ${paths}; and set path $next
  end
  test "$path" = "$argv[1]"
end
${lines.join('\n')}
`
}

function formatPowerShell(words: readonly CompletionWords[], described: boolean): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`
  const entries = words.map(
    ({ path, commands, flags, descriptions }) =>
      `    '${path}' = [ordered]@{${[...commands, ...flags]
        .map((word) => `${quoted(word)} = ${quoted((described ? descriptions.get(word) : undefined) ?? word)}`)
        .join('; ')}}`,
  )
  return `Register-ArgumentCompleter -Native -CommandName gantry -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @{
${entries.join('\n')}
  }
  $path = ''
  foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
    $next = "$path $($element.Extent.Text)".Trim()
    if ($words.ContainsKey($next)) { $path = $next }
  }
  $words[$path].GetEnumerator() | Where-Object { $_.Key -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_.Key, $_.Key, 'ParameterValue', $_.Value)
  }
}
`
}
