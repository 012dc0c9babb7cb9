import { MediaType } from '../../../oci/media-types.js'
import { describeTarget, sink, word } from '../../arguments.js'
import { command } from '../../command.js'
import { checkExclusive } from '../../options/exclusive.js'
import { flag, parsed, text } from '../../options/option.js'
import { checkStdinUse, readStdin } from '../../options/read-input.js'
import { uploadOptions } from '../../options/transfer.js'
import { contentResultOf } from '../../output/content-result.js'
import { PUSH_WORDS } from '../../output/transfer-words.js'
import { UsageError } from '../../usage-error.js'

export default command({
  summary: 'Push a blob',
  arguments: { target: sink({ usage: '<name>[@<digest>]' }), file: word('<file>') },
  needs: 'the destination to push to and the file to read blob content from',
  options: {
    ...uploadOptions,
    descriptor: flag('--descriptor', 'print the descriptor of the blob'),
    pretty: flag('--pretty', 'indent the JSON that is printed'),
    mediaType: text('--media-type <type>', `media type in the descriptor (default: ${MediaType.imageLayer})`),
    size: parsed('--size <bytes>', 'size of the blob; needed when it is read from stdin', parseBytes),
  },
  examples: [
    ['Push a file', 'blob push localhost:5000/hello layer.tar.gz'],
    [
      'Push a blob of 1024 bytes from stdin, and check its digest',
      'blob push --size 1024 localhost:5000/hello@sha256:… - < blob',
    ],
  ],
  progress: { words: PUSH_WORDS, isSilent: ({ options }) => options.descriptor },
  check({ words: [, file], options: { size, descriptor }, format, flags }) {
    if (file === '-') checkStdinUse(flags)
    if (file === '-' && size === undefined) {
      throw new UsageError('`--size` must be provided if the blob is read from stdin')
    }
    checkExclusive({ format, descriptor })
  },
  async run({ target, file, options: { mediaType, size }, client, context, signal, report }) {
    if (target.tag !== undefined && target.digest === undefined) {
      throw new UsageError(`"${target.typed}": a blob is pushed without a tag`, {
        hint: 'Leave the tag out, or name the digest that the blob has to have.',
      })
    }
    const content = file === '-' ? readStdin(context) : file
    const { descriptor } = await client.pushBlob(target, content, { mediaType, size, onEvent: report.onEvent, signal })
    return { ...contentResultOf(target.path, descriptor), descriptor }
  },
  json: ({ descriptor: _, ...result }) => result,
  text({ descriptor }, print, { target, options }) {
    if (options.descriptor) {
      print.compactJson(descriptor, options.pretty)
      return
    }
    print.status(`Pushed: ${describeTarget(target)}`)
    print.status(`Digest: ${descriptor.digest}`)
  },
})

function parseBytes(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new Error('not a number of bytes')
  return Number(value)
}
