import { MediaType } from '../../../oci/media-types.js'
import { verifyContent } from '../../../store/verify.js'
import type { Bytes } from '../../../util/bytes.js'
import { blobSource } from '../../arguments.js'
import { command } from '../../command.js'
import { checkExclusive } from '../../options/exclusive.js'
import { flag, text } from '../../options/option.js'
import { transferOptions } from '../../options/transfer.js'
import { contentResultOf } from '../../output/content-result.js'
import { saveContent } from '../../output/save-content.js'
import { PULL_WORDS } from '../../output/transfer-words.js'
import { writeToStdout } from '../../output/write-to-stdout.js'
import { UsageError } from '../../usage-error.js'

export default command({
  summary: 'Fetch a blob',
  aliases: ['get'],
  description: 'What is written has been checked against its digest.',
  arguments: { source: blobSource() },
  needs: 'the target blob to fetch',
  options: {
    ...transferOptions,
    output: text('-o, --output <file>', 'write the blob to a file, or to stdout with -'),
    descriptor: flag('--descriptor', 'print the descriptor of the blob'),
    pretty: flag('--pretty', 'indent the JSON that is printed'),
  },
  examples: [
    ['Fetch a blob into a file', 'blob fetch -o blob.tar.gz localhost:5000/hello@sha256:…'],
    ['Fetch only the descriptor', 'blob fetch --descriptor localhost:5000/hello@sha256:…'],
  ],
  // Off a terminal a fetched blob is all that is wanted.
  progress: {
    words: PULL_WORDS,
    isSilent: ({ context, options }) =>
      context.stderr.isTTY !== true || options.descriptor || options.output === undefined || options.output === '-',
  },
  check({ options: { output, descriptor }, format }) {
    if (output === undefined && !descriptor && (format === undefined || format === 'text')) {
      throw new UsageError('either `--output` or `--descriptor` must be provided')
    }
    if (output === '-' && descriptor) {
      throw new UsageError('`--output -` cannot be used with `--descriptor` at the same time')
    }
    checkExclusive({ 'output -': output === '-', format })
    checkExclusive({ format, descriptor })
  },
  async run({ source: { store, path, digest }, options: { output }, client, context, signal, report }) {
    const descriptor = { ...(await store.resolveBlob(digest, { signal })), mediaType: MediaType.octetStream }
    if (output !== undefined) {
      const cached = await client.withCache(store)
      const content = verifyContent(descriptor, cached.fetch(descriptor, { signal }))
      if (output === '-') {
        await writeToStdout(content, context)
      } else {
        report.onEvent({ type: 'started', descriptor })
        await saveContent(
          output,
          counted(content, (offset) => report.onEvent({ type: 'progress', descriptor, offset })),
        )
        report.onEvent({ type: 'finished', descriptor })
      }
    }
    return { ...contentResultOf(path, descriptor), path: output, descriptor }
  },
  json: ({ descriptor: _, ...result }) => result,
  text({ descriptor }, print, { options }) {
    if (options.descriptor) print.compactJson(descriptor, options.pretty)
  },
})

async function* counted(content: Bytes, onProgress: (offset: number) => void): Bytes {
  let offset = 0
  for await (const chunk of content) {
    yield chunk
    offset += chunk.byteLength
    onProgress(offset)
  }
}
