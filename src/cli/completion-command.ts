import { command } from './command.js'
import { flag } from './options/option.js'
import type { Shell } from './output/completion-script.js'

/** How the script of each shell is loaded, for the running shell and for later ones. */
const EXAMPLES: Readonly<Record<Shell, readonly (readonly [string, string])[]>> = {
  bash: [
    ['Load completion into the running bash', 'completion bash > ~/.gantry-completion && source ~/.gantry-completion'],
  ],
  fish: [['Install it for every fish', 'completion fish > ~/.config/fish/completions/gantry.fish']],
  powershell: [
    ['Load completion into the running PowerShell', 'completion powershell | Out-String | Invoke-Expression'],
  ],
  zsh: [['Install it for every zsh', 'completion zsh > "${fpath[1]}/_gantry"']],
}

/** The command that prints the completion script of one shell. */
export function completionCommand(shell: Shell) {
  return command({
    summary: `Print the completion script for ${shell}`,
    description: `The script completes commands and flags of gantry in ${shell}.`,
    needs: 'nothing',
    options: { noDescriptions: flag('--no-descriptions', 'leave out what commands and flags are for') },
    examples: EXAMPLES[shell],
    async run({ options: { noDescriptions }, tree }) {
      const { formatCompletion } = await import('./output/completion-script.js')
      return { shell, script: await formatCompletion(shell, tree, { descriptions: !noDescriptions }) }
    },
    text: ({ script }, _print, { context }) => void context.stdout.write(script),
  })
}
