import {
  REGISTRY_SETTING_NAMES,
  registrySettingsFileOf,
  unsetRegistrySettings,
} from '../../../credentials/registry-settings.js'
import { word, words } from '../../arguments.js'
import { command } from '../../command.js'
import { withoutScheme } from '../../options/registry-name.js'
import { UsageError } from '../../usage-error.js'

export default command({
  summary: 'Take settings of a registry away',
  description: `Settings: ${REGISTRY_SETTING_NAMES.join(', ')}. Without one of them all are taken away.`,
  arguments: { registry: word('<registry>'), names: words('[<setting>...]') },
  needs: 'the registry',
  examples: [
    ['Take one setting away', 'registry unset registry.example.com chunkSize'],
    ['Take all settings away', 'registry unset registry.example.com'],
  ],
  async run({ registry: given, names, context, signal, print }) {
    const wanted = names.map((name) => {
      const known = REGISTRY_SETTING_NAMES.find((setting) => setting === name)
      if (known !== undefined) return known
      throw new UsageError(`unknown setting "${name}"`, { hint: `Settings: ${REGISTRY_SETTING_NAMES.join(', ')}` })
    })
    const registry = withoutScheme(given, (notice) => print.notice(notice))
    const changed = await unsetRegistrySettings(registrySettingsFileOf(context), registry, wanted, { signal })
    return { registry, changed }
  },
  text: ({ registry, changed }, print) =>
    print.line(changed ? `Settings of ${registry} were taken away` : `There was nothing to take away of ${registry}`),
})
