import { isGantryError } from '../../../errors.js'
import { readPlatformManifest, resolvePlatform } from '../../../graph/select-platform.js'
import { openBytes } from '../../../util/bytes.js'
import { parseJsonObject } from '../../../util/json.js'
import { source } from '../../arguments.js'
import { command } from '../../command.js'
import { checkExclusive } from '../../options/exclusive.js'
import { flag, list, text } from '../../options/option.js'
import { platformOptions } from '../../options/platform.js'
import { indentJson } from '../../output/indent-json.js'
import { saveContent } from '../../output/save-content.js'
import { sortedKeys } from '../../output/sorted-keys.js'
import { PrefixedError } from '../../prefixed-error.js'
import { UsageError } from '../../usage-error.js'

export default command({
  summary: 'Fetch a manifest',
  aliases: ['get', 'show'],
  description: 'Byte for byte as it is stored.',
  arguments: {
    source: source({
      repository: ({ mediaType }, { scheme, layoutPath }) => {
        const types = mediaType as readonly string[]
        if (types.length === 0) return {}
        if (scheme === undefined && layoutPath === undefined) {
          return { manifestTypes: types.flatMap((type) => type.split(',')) }
        }
        throw new UsageError('`--media-type` cannot be used with `--oci-layout` at the same time')
      },
    }),
  },
  needs: 'the manifest to fetch',
  options: {
    ...platformOptions,
    descriptor: flag('--descriptor', 'print the descriptor of the manifest'),
    pretty: flag('--pretty', 'indent the JSON that is printed'),
    mediaType: list('--media-type <type>', 'ask the registry for this type, several with commas'),
    output: text('-o, --output <file>', 'write the manifest to a file, or to stdout with -'),
  },
  examples: [
    ['Fetch a manifest and indent it', 'manifest fetch --pretty localhost:5000/hello:v1'],
    [
      'Fetch the manifest of one platform into a file',
      'manifest fetch --platform linux/arm64 -o manifest.json localhost:5000/hello:v1',
    ],
    ['Fetch only the descriptor', 'manifest fetch --descriptor localhost:5000/hello:v1'],
  ],
  check({ options: { output, pretty, descriptor }, format }) {
    checkExclusive({ format, pretty })
    checkExclusive({ format, descriptor })
    if (output === '-' && descriptor) {
      throw new UsageError('`--descriptor` cannot be used with `--output -` at the same time')
    }
    if (output === '-' && format !== undefined && format !== 'text') {
      throw new UsageError(`\`--output -\` cannot be used with \`--format ${format}\` at the same time`)
    }
  },
  async run({ source: { store, path, typed, reference }, options, client, signal }) {
    const { platform, descriptor: onlyDescriptor, output } = options
    if (onlyDescriptor && output === undefined) {
      const found = await resolvePlatform(store, reference, { platform, signal })
      return { reference: `${path}@${found.digest}`, descriptor: found, bytes: undefined }
    }
    const content = await readPlatformManifest(await client.withCache(store), reference, { platform, signal }).catch(
      (error: unknown) => {
        if (!isGantryError(error, 'not-found')) throw error
        throw new PrefixedError(`failed to fetch the content of "${typed}": `, error)
      },
    )
    if (output !== undefined && output !== '-') await saveContent(output, openBytes(content.bytes)())
    return { ...content, reference: `${path}@${content.descriptor.digest}` }
  },
  json: ({ reference, descriptor, bytes = new Uint8Array() }) => ({
    reference,
    ...descriptor,
    content: sortedKeys(parseJsonObject(bytes, `manifest ${descriptor.digest}`)),
  }),
  text({ descriptor, bytes }, print, { options: { descriptor: onlyDescriptor, output, pretty } }) {
    if (onlyDescriptor) print.compactJson(descriptor, pretty)
    if (onlyDescriptor || bytes === undefined || (output !== undefined && output !== '-')) return
    if (pretty) print.line(indentJson(bytes))
    else print.bytes(bytes)
  },
})
