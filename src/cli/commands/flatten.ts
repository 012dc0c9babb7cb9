import { flatten } from '../../image/flatten.js'
import { source, targetFlags } from '../arguments.js'
import { command } from '../command.js'
import { imageResultOptions, pushResult } from '../options/image-result.js'
import { createdAt } from '../options/packer.js'
import { platformOptions } from '../options/platform.js'
import { transferOptions } from '../options/transfer.js'
import { PUSH_WORDS } from '../output/transfer-words.js'

export default command({
  summary: 'Make one layer of all layers of an image',
  description: `Merges the layers of an image, or of every image of an index, and pushes the result. Prints the digest reference of the new image.

Without --tag the new image takes the place of the old one. The image is created now, or at SOURCE_DATE_EPOCH, which makes it reproducible. The layer is put into the folder for temporary files first.`,
  arguments: { access: targetFlags(), source: source() },
  needs: 'the image to flatten',
  options: { ...imageResultOptions, ...platformOptions, ...transferOptions },
  examples: [['Flatten an image, under another tag', 'flatten -t localhost:5000/app:flat localhost:5000/app:v1']],
  // The digest reference alone is the result on stdout.
  progress: { words: PUSH_WORDS, onStderr: true },
  run: async ({ access, source, options: { tag, platform, concurrency }, client, context, signal, report }) =>
    pushResult({ client, source, access, target: tag }, (sink, naming) =>
      flatten({ source: source.store, reference: source.reference }, sink, {
        ...naming,
        created: createdAt(context.environment),
        platform,
        concurrency,
        onEvent: report.onEvent,
        signal,
      }),
    ),
  text: ({ reference }, print) => print.line(reference),
})
