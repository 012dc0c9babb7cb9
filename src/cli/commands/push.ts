import { openBytes, pushFiles, type PushFilesResult } from '../../index.js'
import { defineCommand, type CommandCall } from '../define-command.js'
import { describeTarget, openSink, tagsOf, type Target, type WritableStore } from '../open-target.js'
import { declareConnection } from '../options/connection.js'
import { declareFormat, isMachineFormat, readFormat, type Format, type FormatValues } from '../options/format.js'
import { declarePack, readPack, type PackValues } from '../options/pack-flags.js'
import {
  checkPaths,
  declarePacker,
  parseFileArgument,
  readAnnotations,
  type FileArgument,
  type PackerValues,
} from '../options/packer.js'
import { declareTarget, readTarget } from '../options/target.js'
import { declareTransfer, type TransferValues } from '../options/transfer.js'
import { saveContent } from '../output/save-content.js'
import { showResult } from '../output/show-result.js'
import { contentResultOf } from '../output/content-result.js'
import { whileReporting } from '../output/create-reporter.js'
import { PUSH_WORDS } from '../output/transfer-words.js'
import { warnOfUnportableNames } from '../output/unportable-warning.js'
import { withSession } from '../with-session.js'

interface Values extends FormatValues, PackerValues, PackValues, TransferValues {
  readonly force?: boolean
}

export const push = defineCommand<Values>({
  usage: '<name>[:<tag>[,<tag>][...]] <file>[:<type>] [...]',
  description: `Push files to a registry or an OCI image layout, as one artifact.

A folder becomes one layer, a reproducible tar+gzip: the same files give the same digest. The manifest is annotated with
the time of its creation, or with SOURCE_DATE_EPOCH where the environment has it, which makes it reproducible too.

Example - Push a file with its media type, under two tags:
  gantry push localhost:5000/hello:v1,latest readme.md:application/markdown

Example - Push a file and a folder with an artifact type:
  gantry push localhost:5000/hello:v1 --artifact-type readme/example readme.md ./details

Example - Push to an OCI image layout:
  gantry push --oci-layout ./layout:v1 readme.md`,
  arguments: { minimum: 1, maximum: Infinity, as: 'the destination for pushing' },
  configure: (command) => {
    command
      .option('--artifact-type <type>', 'what kind of artifact this is')
      .option('--config <file[:type]>', 'file that becomes the config of the manifest')
      .option('--force', 'push every manifest again, also one that is there')
    declarePack(command)
    declarePacker(command)
    declareFormat(command)
    declareTarget(command)
    declareConnection(command)
    declareTransfer(command)
  },
  run: (call) =>
    withSession(call.context, call.values, async (session) => {
      const { context, values } = call
      const [typed = '', ...texts] = call.arguments
      const format = readFormat(values)
      const files = texts.map(parseFileArgument)
      checkPaths(files, values)
      const target = await openSink(session, typed, await readTarget({ ...values }, context))
      const result = await pushTo(target, files, { call, format })
      if (values.exportManifest !== undefined) await saveContent(values.exportManifest, openBytes(result.bytes)())
      if (values.quiet === true && !isMachineFormat(format)) return
      await showPushed(target, result, { call, format })
    }),
})

interface Work {
  readonly call: CommandCall<Values>
  readonly format: Format
}

async function pushTo(
  target: Target<WritableStore>,
  files: readonly FileArgument[],
  { call: { context, values }, format }: Work,
): Promise<PushFilesResult> {
  const annotations = await readAnnotations(values, context)
  const decision = readPack(values)
  const options = { words: PUSH_WORDS, format, showsExistingGraphs: target.type === 'oci-layout' }
  return whileReporting({ context, values }, options, (reporter) => {
    if (files.length === 0) reporter.note('Uploading empty artifact')
    return pushFiles(
      target.store,
      files.map((file) => ({ ...file, annotations: annotations.ofFile(file.path) })),
      {
        ...decision,
        annotations: annotations.manifest,
        configAnnotations: annotations.config,
        tags: tagsOf(target),
        digest: target.digest,
        force: values.force === true,
        concurrency: values.concurrency,
        onEvent: reporter.onEvent,
        onFile: (path) => reporter.preparing(path),
        onUnportableNames: warnOfUnportableNames(context, values),
        signal: context.signal,
      },
    )
  })
}

async function showPushed(target: Target, result: PushFilesResult, { call, format }: Work): Promise<void> {
  const { descriptor, artifactType, tags } = result
  const shown = {
    ...contentResultOf(target.path, { ...descriptor, artifactType }),
    referenceAsTags: tags.map((tag) => `${target.path}:${tag}`).sort(),
  }
  await showResult(call.context, format, shown, (printer) => {
    printer.line(`Pushed ${describeTarget(target)}`)
    for (const tag of target.extraTags) printer.line(`Tagged ${tag}`)
    printer.line(`ArtifactType: ${artifactType}`)
    printer.line(`Digest: ${descriptor.digest}`)
  })
}
