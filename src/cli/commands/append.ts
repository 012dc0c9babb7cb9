import { appendLayers, formatReference, type AppendBase, type AppendResult } from '../../index.js'
import { defineCommand, type CommandCall } from '../define-command.js'
import { openSink, openSource, referenceOf, tagsOf, type Target, type WritableStore } from '../open-target.js'
import { declareConnection } from '../options/connection.js'
import { checkExclusive } from '../options/exclusive.js'
import { parseImageReference } from '../options/image-reference.js'
import { declarePlatform, readPlatform, type PlatformValues } from '../options/platform.js'
import { checkStdinUse } from '../options/read-input.js'
import { repeatable } from '../options/repeatable.js'
import { spoolStdin } from '../options/spool-stdin.js'
import { declareTarget, readTarget, type TargetOptions } from '../options/target.js'
import { declareTransfer, type TransferValues } from '../options/transfer.js'
import { Printer } from '../output/printer.js'
import { whileReporting } from '../output/create-reporter.js'
import { PUSH_WORDS } from '../output/transfer-words.js'
import type { Session } from '../session.js'
import { withSession } from '../with-session.js'

interface Values extends PlatformValues, TransferValues {
  readonly base?: string
  readonly new_layer: readonly string[]
  readonly new_tag: string
  readonly setBaseImageAnnotations?: boolean
  readonly ociEmptyBase?: boolean
  readonly allowNondistributableArtifacts?: boolean
}

export const append = defineCommand<Values>({
  usage: '-f <tar> [-f <tar> ...] -t <name>[:<tag>]',
  description: `Append tar files to an image, each as a layer, and push the result. Prints the digest reference of the new image.

A tar that is compressed with gzip or zstd goes in byte for byte; another is compressed, the same tar always to the same
layer. The platform of an index is linux/amd64 unless another is chosen.

Example - Make an image with one layer:
  gantry append -f files.tar -t localhost:5000/files:v1

Example - Put a layer on top of an image:
  gantry append -b localhost:5000/base:v1 -f app.tar.gz -t localhost:5000/app:v1`,
  arguments: { minimum: 0, as: 'nothing' },
  configure: (command) => {
    command
      .option('-b, --base <image>', 'image to append to (default: an empty image)')
      .requiredOption('-f, --new_layer <tar>', 'tar to append, several with commas; - for stdin', repeatable)
      .requiredOption('-t, --new_tag <image>', 'what the new image is called')
      .option('--set-base-image-annotations', 'annotate the image with the name and digest of its base')
      .option('--oci-empty-base', "the empty image has OCI media types instead of Docker's")
      .option('--allow-nondistributable-artifacts', 'push layers too that their owner wants fetched from elsewhere')
    declareTarget(command)
    declarePlatform(command)
    declareConnection(command)
    declareTransfer(command)
  },
  run: (call) =>
    withSession(call.context, call.values, async (session) => {
      const { context, values } = call
      checkExclusive({ base: values.base, 'oci-empty-base': values.ociEmptyBase })
      const options = await readTarget({ ...values }, context)
      const target = await openSink(session, imageNameOf(values.new_tag, options), options)
      const files = await openLayers(session, call)
      const result = await appendTo(target, files, { call, base: await openBase(session, call, options) })
      new Printer(context).line(`${target.path}@${result.descriptor.digest}`)
    }),
})

/** Names of images may leave out the registry and the tag, as `docker` and `crane` have it; paths may not. */
function imageNameOf(text: string, options: TargetOptions): string {
  return options.type === 'registry' ? formatReference(parseImageReference(text)) : text
}

async function openLayers(session: Session, { context, values }: CommandCall<Values>): Promise<readonly string[]> {
  const files = values.new_layer.flatMap((text) => text.split(','))
  if (!files.includes('-')) return files
  checkStdinUse(values)
  const spooled = await spoolStdin(context, session)
  return files.map((file) => (file === '-' ? spooled : file))
}

async function openBase(
  session: Session,
  { context, values }: CommandCall<Values>,
  options: TargetOptions,
): Promise<AppendBase | undefined> {
  if (values.base === undefined) {
    if (values.quiet !== true) new Printer(context).notice('base unspecified, using empty image')
    return undefined
  }
  const source = await openSource(session, imageNameOf(values.base, options), options)
  return {
    source: source.store,
    reference: referenceOf(source) ?? 'latest',
    ...readPlatform(values),
    // A digest is no name that the image could be found by again.
    ...(source.digest === undefined ? { name: source.typed } : {}),
  }
}

async function appendTo(
  target: Target<WritableStore>,
  files: readonly string[],
  { call, base }: { readonly call: CommandCall<Values>; readonly base: AppendBase | undefined },
): Promise<AppendResult> {
  const { context, values } = call
  // Whatever is told on the way must not mix with the result on stdout.
  const chatter = { ...context, stdout: context.stderr }
  return whileReporting({ context: chatter, values }, { words: PUSH_WORDS }, (reporter) =>
    appendLayers(target.store, files, {
      ...(base === undefined ? {} : { base }),
      ociEmptyBase: values.ociEmptyBase === true,
      setBaseImageAnnotations: values.setBaseImageAnnotations === true,
      nonDistributable: values.allowNondistributableArtifacts === true,
      tags: tagsOf(target),
      concurrency: values.concurrency,
      onEvent: reporter.onEvent,
      signal: context.signal,
    }),
  )
}
