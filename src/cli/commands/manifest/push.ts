import { isGantryError } from '../../../errors.js'
import { detectMediaType } from '../../../oci/manifest.js'
import { parseJsonObject } from '../../../util/json.js'
import { describeTarget, sink, word } from '../../arguments.js'
import { command } from '../../command.js'
import { flag, text } from '../../options/option.js'
import { readManifestFile } from '../../options/read-input.js'
import { transferOptions } from '../../options/transfer.js'
import { contentResultOf } from '../../output/content-result.js'
import { PUSH_WORDS } from '../../output/transfer-words.js'
import { checkExclusive } from '../../options/exclusive.js'
import { UsageError } from '../../usage-error.js'

export default command({
  summary: 'Push a manifest',
  description: 'A manifest that was made elsewhere, byte for byte. What it names has to be in the repository.',
  arguments: {
    target: sink({ usage: '<name>[:<tag>[,<tag>][...]|@<digest>]', referrers: true }),
    file: word('<file>'),
  },
  needs: 'the destination to push to and the file to read manifest content from',
  options: {
    ...transferOptions,
    descriptor: flag('--descriptor', 'print the descriptor of the manifest'),
    pretty: flag('--pretty', 'indent the JSON that is printed'),
    mediaType: text('--media-type <type>', "media type of the manifest; its own field's when not given"),
  },
  examples: [
    ['Push a manifest under two tags', 'manifest push localhost:5000/hello:v1,latest manifest.json'],
    ['Push a manifest from stdin', 'manifest push localhost:5000/hello:v1 - < manifest.json'],
  ],
  progress: { words: PUSH_WORDS, isSilent: ({ options }) => options.descriptor },
  check({ options: { descriptor }, format }) {
    checkExclusive({ format, descriptor })
  },
  async run({ target, file, options: { mediaType }, client, context, signal, report, flags, usage }) {
    const bytes = await readManifestFile(file, context, flags)
    if (mediaType === undefined) checkMediaType(bytes, file, usage)
    return client.pushManifest(target, bytes, { mediaType, onEvent: report.onEvent, signal })
  },
  json: ({ descriptor, tags }, { target: { path } }) => ({
    ...contentResultOf(path, descriptor),
    referenceAsTags: tags.map((tag) => `${path}:${tag}`),
  }),
  text({ descriptor }, print, { target, options }) {
    if (options.descriptor) {
      print.compactJson(descriptor, options.pretty)
      return
    }
    print.status(`Pushed: ${describeTarget(target)}`)
    for (const tag of target.extraTags) print.status(`Tagged ${tag}`)
    print.status(`Digest: ${descriptor.digest}`)
  },
})

/** Refuses what does not say what it is. */
function checkMediaType(bytes: Uint8Array, file: string, usage: string): void {
  if (detectMediaType(bytes) !== undefined) return
  try {
    parseJsonObject(bytes, file)
  } catch (cause) {
    throw new UsageError('not a valid json file', {
      hint: isGantryError(cause) ? cause.message : undefined,
    })
  }
  throw new UsageError(`media type is not specified via the flag "--media-type" nor in "${file}"`, {
    usage,
    hint: 'Please specify a valid media type in the manifest JSON or via the "--media-type" flag',
  })
}
