import { word } from '../arguments.js'
import { command } from '../command.js'
import { list } from '../options/option.js'
import { withoutScheme } from '../options/registry-name.js'

export default command({
  summary: 'Log out of a registry',
  description: 'What is stored for it is removed.',
  arguments: { registry: word('<registry>') },
  needs: 'the registry you want to log out',
  options: { registryConfig: list('--registry-config <file>', 'file with credentials') },
  examples: [['Log out', 'logout localhost:5000']],
  async run({ registry: typed, options: { registryConfig }, client, print }) {
    const registry = withoutScheme(typed, (text) => print.notice(text))
    const credentials = registryConfig.length === 0 ? undefined : { files: registryConfig }
    await client.logout(registry, { credentials })
    return { registry }
  },
})
