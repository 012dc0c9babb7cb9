import { readImage, objectIn } from '../../image/image.js'
import { rebase } from '../../image/rebase.js'
import { Annotation } from '../../oci/annotations.js'
import { source, targetFlags, withReference } from '../arguments.js'
import { command } from '../command.js'
import { imageResultOptions, pushResult } from '../options/image-result.js'
import { text } from '../options/option.js'
import { platformOptions } from '../options/platform.js'
import { transferOptions } from '../options/transfer.js'
import { PUSH_WORDS } from '../output/transfer-words.js'
import { UsageError } from '../usage-error.js'

export default command({
  summary: 'Put an image on another base',
  description: `Replaces the layers that an image, or every image of an index, has of its base by those of a new base, and pushes the result. Prints the digest reference of the new image.

Bases that are not named are those of the annotations org.opencontainers.image.base.name and org.opencontainers.image.base.digest, which the new image gets too.`,
  arguments: { access: targetFlags(), source: source() },
  needs: 'the image to put on another base',
  options: {
    oldBase: text('--old_base <image>', 'the base that the image has'),
    newBase: text('--new_base <image>', 'the base that it gets'),
    ...imageResultOptions,
    ...platformOptions,
    ...transferOptions,
  },
  examples: [
    [
      'Put an image on a newer base',
      'rebase --old_base localhost:5000/base:v1 --new_base localhost:5000/base:v2 localhost:5000/app:v1',
    ],
  ],
  // The digest reference alone is the result on stdout.
  progress: { words: PUSH_WORDS, onStderr: true },
  async run({ access, source, options, client, name, usage, signal, report }) {
    const { oldBase, newBase, tag, platform, concurrency } = options
    const from = { source: source.store, reference: source.reference }
    const { manifest } = await readImage(from.source, from.reference, { platform, signal })
    const { [Annotation.baseName]: known, [Annotation.baseDigest]: digest } = objectIn(manifest, 'annotations')
    const next = newBase ?? known
    if (typeof next !== 'string') throw missing('new base', '--new_base')
    const opened = withReference(await client.open(next, access), { name, usage })
    if (oldBase === undefined && typeof digest !== 'string') throw missing('old base', '--old_base')
    const old =
      oldBase === undefined
        ? { store: opened.store, reference: String(digest) }
        : withReference(await client.open(oldBase, access), { name, usage })
    return pushResult({ client, source, access, target: tag }, (sink, naming) =>
      rebase(from, sink, {
        ...naming,
        oldBase: { source: old.store, reference: old.reference },
        newBase: { source: opened.store, reference: opened.reference, name: next },
        platform,
        concurrency,
        onEvent: report.onEvent,
        signal,
      }),
    )
  },
  text: ({ reference }, print) => print.line(reference),
})

function missing(what: string, flag: string): UsageError {
  return new UsageError(`could not determine the ${what} from annotations`, { hint: `Name it with ${flag}.` })
}
