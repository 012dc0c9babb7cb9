import {
  readRegistrySettings,
  registrySettingsFileOf,
  settingsOfRegistry,
} from '../../../credentials/registry-settings.js'
import { optionalWord } from '../../arguments.js'
import { command } from '../../command.js'
import { withoutScheme } from '../../options/registry-name.js'

export default command({
  summary: 'Show the settings of registries',
  description: 'Those of one registry, or of all.',
  arguments: { registry: optionalWord('[<registry>]') },
  needs: 'the registry',
  examples: [['Show the settings of all registries', 'registry show']],
  async run({ registry: given, context, print }) {
    const all = await readRegistrySettings(registrySettingsFileOf(context), {
      onUnknownSetting: (problem) => print.notice(`WARNING: ${problem}`),
    })
    const registry = given === undefined ? undefined : withoutScheme(given, (notice) => print.notice(notice))
    const shown = registry === undefined ? [...all] : [[registry, settingsOfRegistry(all, registry)] as const]
    return { registries: Object.fromEntries(shown) }
  },
  text({ registries }, print) {
    for (const [registry, settings] of Object.entries(registries)) {
      for (const [name, value] of Object.entries(settings)) {
        print.line(`${registry}  ${name}: ${Array.isArray(value) ? value.join(', ') : String(value)}`)
      }
    }
  },
})
