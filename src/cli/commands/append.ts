import type { Client } from '../../client/client.js'
import type { Target } from '../../client/open-target.js'
import type { OpenOptions } from '../../client/opener.js'
import { formatReference } from '../../oci/reference.js'
import { command } from '../command.js'
import { targetFlags } from '../arguments.js'
import { checkExclusive } from '../options/exclusive.js'
import { parseImageReference } from '../options/image-reference.js'
import { flag, list, requiredText, text } from '../options/option.js'
import { platformOptions } from '../options/platform.js'
import { checkStdinUse, readStdin } from '../options/read-input.js'
import { foreignLayerOptions, uploadOptions } from '../options/transfer.js'
import { contentResultOf } from '../output/content-result.js'
import { PUSH_WORDS } from '../output/transfer-words.js'

export default command({
  summary: 'Append layers to an image',
  description: `Appends tar files to an image, each as a layer, and pushes the result. Prints the digest reference of the new image.

A tar that is compressed with gzip or zstd goes in byte for byte; another is compressed, the same tar always to the same layer. The platform of an index is linux/amd64 unless another is chosen.`,
  arguments: { access: targetFlags() },
  usage: '-f <tar> [-f <tar> ...] -t <name>[:<tag>]',
  options: {
    base: text('-b, --base <image>', 'image to append to (default: an empty image)'),
    newLayer: list('-f, --new_layer <tar>', 'tar to append, several with commas; - for stdin', {
      required: true,
    }),
    newTag: requiredText('-t, --new_tag <image>', 'what the new image is called'),
    setBaseImageAnnotations: flag(
      '--set-base-image-annotations',
      'annotate the image with the name and digest of its base',
    ),
    allPlatforms: flag('--all-platforms', 'append to every image of a base that is an index, and push an index'),
    ociEmptyBase: flag('--oci-empty-base', "the empty image has OCI media types instead of Docker's"),
    ...foreignLayerOptions,
    ...platformOptions,
    ...uploadOptions,
  },
  examples: [
    ['Make an image with one layer', 'append -f files.tar -t localhost:5000/files:v1'],
    ['Put a layer on top of an image', 'append -b localhost:5000/base:v1 -f app.tar.gz -t localhost:5000/app:v1'],
  ],
  // The digest reference alone is the result on stdout.
  progress: { words: PUSH_WORDS, onStderr: true },
  check({ options: { base, ociEmptyBase, platform, allPlatforms } }) {
    checkExclusive({ base, 'oci-empty-base': ociEmptyBase })
    checkExclusive({ platform, 'all-platforms': allPlatforms })
  },
  async run({ access, options, flags, client, context, signal, report, print, isQuiet }) {
    const target = await client.openSink(imageNameOf(options.newTag, access), access)
    const files = options.newLayer.flatMap((file) => file.split(','))
    if (files.includes('-')) checkStdinUse(flags)
    const stdin = readStdin(context)
    if (options.base === undefined && !isQuiet) print.notice('base unspecified, using empty image')
    const { descriptor, tags } = await client.append(
      target,
      files.map((file) => (file === '-' ? stdin : file)),
      {
        base: options.base === undefined ? undefined : await openBase(client, options.base, access),
        platform: options.platform,
        allPlatforms: options.allPlatforms,
        ociEmptyBase: options.ociEmptyBase,
        setBaseImageAnnotations: options.setBaseImageAnnotations,
        nonDistributable: options.allowNondistributableArtifacts,
        concurrency: options.concurrency,
        onEvent: report.onEvent,
        signal,
      },
    )
    const referenceAsTags = tags.map((tag) => `${target.path}:${tag}`)
    return { ...contentResultOf(target.path, descriptor), referenceAsTags }
  },
  text: ({ reference }, print) => print.line(reference),
})

/** Names of images may leave out the registry and the tag, as `docker` and `crane` have it; paths may not. */
function imageNameOf(name: string, { scheme, layoutPath }: OpenOptions): string {
  const isImage = scheme === undefined && layoutPath === undefined && !/^[a-z-]+:(?!\d)[./]/.test(name)
  return isImage ? formatReference(parseImageReference(name)) : name
}

async function openBase(client: Client, name: string, access: OpenOptions): Promise<Target> {
  const { reference = 'latest', ...target } = await client.open(imageNameOf(name, access), access)
  return { ...target, reference }
}
