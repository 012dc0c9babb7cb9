import { GantryError } from '../../../errors.js'
import { readPlatformManifest } from '../../../graph/select-platform.js'
import type { Descriptor } from '../../../oci/descriptor.js'
import { parseManifest, type ManifestContent } from '../../../oci/manifest.js'
import { readContent } from '../../../store/verify.js'
import { openBytes } from '../../../util/bytes.js'
import { parseJsonObject } from '../../../util/json.js'
import { source } from '../../arguments.js'
import { command } from '../../command.js'
import { checkExclusive } from '../../options/exclusive.js'
import { UsageError } from '../../usage-error.js'
import { flag, text } from '../../options/option.js'
import { platformOptions } from '../../options/platform.js'
import { indentJson } from '../../output/indent-json.js'
import { saveContent } from '../../output/save-content.js'

export default command({
  summary: 'Fetch the config of a manifest',
  aliases: ['get-config'],
  description: 'The config that a manifest names, byte for byte.',
  arguments: { source: source() },
  needs: 'the manifest config to fetch',
  options: {
    ...platformOptions,
    descriptor: flag('--descriptor', 'print the descriptor of the config'),
    pretty: flag('--pretty', 'indent the JSON that is printed'),
    output: text('-o, --output <file>', 'write the config to a file, or to stdout with -'),
  },
  examples: [
    ['Fetch the config of an image', 'manifest fetch-config localhost:5000/hello:v1'],
    [
      'Fetch the config of one platform and indent it',
      'manifest fetch-config --platform linux/arm64 --pretty localhost:5000/hello:v1',
    ],
  ],
  check({ options: { output, descriptor }, format }) {
    if (output === '-' && descriptor) {
      throw new UsageError('`--output -` cannot be used with `--descriptor` at the same time')
    }
    checkExclusive({ format, descriptor })
  },
  async run({ source: { store, path, reference }, options, client, signal, isForMachine }) {
    const { platform, output, descriptor: onlyDescriptor } = options
    const cached = await client.withCache(store)
    const config = configOf(await readPlatformManifest(cached, reference, { platform, signal }))
    const isWanted = isForMachine || output !== undefined || !onlyDescriptor
    const bytes = isWanted ? await readContent(cached, config, { signal }) : undefined
    if (bytes !== undefined && output !== undefined && output !== '-') await saveContent(output, openBytes(bytes)())
    return { reference: `${path}@${config.digest}`, descriptor: config, bytes }
  },
  json: ({ reference, descriptor, bytes = new Uint8Array() }) => ({
    reference,
    ...descriptor,
    content: parseJsonObject(bytes, `config ${descriptor.digest}`),
  }),
  text({ descriptor, bytes }, print, { options: { descriptor: isAsked, output, pretty } }) {
    if (bytes !== undefined && (output === undefined || output === '-')) {
      if (pretty) print.line(indentJson(bytes))
      else print.bytes(bytes)
    }
    if (isAsked) print.compactJson(descriptor, pretty)
  },
})

function configOf(content: ManifestContent): Descriptor {
  const manifest = parseManifest(content)
  if (manifest.kind === 'image') return manifest.config
  const { digest } = content.descriptor
  throw new GantryError('unsupported', `"${digest}" is not an image manifest and does not have a config`, {
    hint:
      manifest.kind === 'index'
        ? 'Choose one of its images with --platform.'
        : `It is of type "${manifest.mediaType}".`,
  })
}
