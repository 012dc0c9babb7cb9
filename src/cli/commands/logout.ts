import { eraseCredential } from '../../index.js'
import { defineCommand } from '../define-command.js'
import { credentialSettings } from '../options/environment.js'
import { withoutScheme } from '../options/registry-name.js'
import { repeatable } from '../options/repeatable.js'
import { Printer } from '../output/printer.js'

interface Values {
  readonly registryConfig?: readonly string[]
}

export const logout = defineCommand<Values>({
  usage: '<registry>',
  description: `Log out of a registry: what is stored for it is removed.

Example - Log out:
  gantry logout localhost:5000`,
  arguments: { minimum: 1, as: 'the registry you want to log out' },
  configure: (command) => {
    command
      .option('--registry-config <file>', 'file with credentials', repeatable)
      .option('-d, --debug', 'accepted for scripts; there is nothing to log')
  },
  run: async ({ context, arguments: [registry = ''], values }) => {
    const printer = new Printer(context)
    const name = withoutScheme(registry, (text) => printer.notice(text))
    await eraseCredential(credentialSettings(context, values.registryConfig ?? []), name)
  },
})
