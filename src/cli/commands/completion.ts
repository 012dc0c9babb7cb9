import { defineCommand } from '../define-command.js'
import { UsageError } from '../usage-error.js'

const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const

export const completion = defineCommand<object>({
  usage: 'bash|zsh|fish|powershell',
  description: `Print a script that completes commands and flags of gantry in a shell.

Example - Load completion into the running bash:
  source <(gantry completion bash)

Example - Install it for every zsh:
  gantry completion zsh > "\${fpath[1]}/_gantry"`,
  arguments: { minimum: 1, as: 'the shell to write the script for' },
  run: async ({ context, tree, arguments: [shell = ''] }) => {
    const known = SHELLS.find((name) => name === shell)
    if (known === undefined) {
      throw new UsageError(`there is no completion for "${shell}"`, { hint: `Available shells: ${SHELLS.join(', ')}` })
    }
    const { formatCompletion } = await import('../output/completion-script.js')
    context.stdout.write(await formatCompletion(known, tree, context))
  },
})
