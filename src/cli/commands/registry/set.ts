import { resolve } from 'node:path'
import {
  registrySettingsFileOf,
  setRegistrySettings,
  type RegistrySettings,
} from '../../../credentials/registry-settings.js'
import { word } from '../../arguments.js'
import { command } from '../../command.js'
import { decision, list, parseCount, parsed, parseSize, text } from '../../options/option.js'
import { withoutScheme } from '../../options/registry-name.js'
import { UsageError } from '../../usage-error.js'

export default command({
  summary: 'Keep settings of a registry',
  description: `Settings count for every later command that has no flag of its own for them. They are kept in
$XDG_CONFIG_HOME/gantry/registries.json, or in ~/.config/gantry/registries.json.`,
  arguments: { registry: word('<registry>') },
  needs: 'the registry',
  options: {
    authHost: list('--auth-host <host>', 'token service that may see the credentials'),
    plainHttp: decision('--plain-http', 'talk to the registry without TLS'),
    caFile: text('--ca-file <file>', "certificate authorities to trust instead of the system's"),
    chunkSize: parsed('--chunk-size <size>', 'largest body of an upload request', parseSize),
    concurrency: parsed('--concurrency <number>', 'requests in flight', parseCount),
    mirror: list('--mirror <host>', 'registry that is asked for content before this one'),
  },
  examples: [
    ['Trust a token service on another domain', 'registry set --auth-host auth.example.net registry.example.com'],
    ['Talk to a registry without TLS', 'registry set --plain-http registry.lab:5000'],
  ],
  async run({ registry: given, options, context, signal, print }) {
    const { authHost, plainHttp, caFile, chunkSize, concurrency, mirror } = options
    const change: RegistrySettings = {
      authHosts: authHost.length === 0 ? undefined : authHost,
      plainHttp,
      caFile: caFile === undefined ? undefined : resolve(caFile),
      chunkSize,
      concurrency,
      mirrors: mirror.length === 0 ? undefined : mirror,
    }
    if (Object.values(change).every((value) => value === undefined)) throw new UsageError('nothing to set')
    const registry = withoutScheme(given, (notice) => print.notice(notice))
    const settings = await setRegistrySettings(registrySettingsFileOf(context), registry, change, { signal })
    return { registry, settings }
  },
  text: ({ registry }, print) => print.line(`Settings of ${registry} are kept`),
})
