import { word } from '../arguments.js'
import { command } from '../command.js'
import { SHELLS, type Shell } from '../output/completion-script.js'
import { UsageError } from '../usage-error.js'

export default command({
  summary: 'Print the completion script for a shell',
  description: 'The script completes commands and flags of gantry in a shell.',
  arguments: { shell: word('bash|zsh|fish|powershell') },
  needs: 'the shell to write the script for',
  examples: [
    ['Load completion into the running bash', 'completion bash > ~/.gantry-completion && source ~/.gantry-completion'],
    ['Install it for every zsh', 'completion zsh > "${fpath[1]}/_gantry"'],
  ],
  check({ words: [shell = ''] }) {
    if (SHELLS.some((name) => name === shell)) return
    throw new UsageError(`there is no completion for "${shell}"`, { hint: `Available shells: ${SHELLS.join(', ')}` })
  },
  async run({ shell, tree }) {
    const { formatCompletion } = await import('../output/completion-script.js')
    return { shell, script: await formatCompletion(shell as Shell, tree) }
  },
  text: ({ script }, _print, { context }) => void context.stdout.write(script),
})
