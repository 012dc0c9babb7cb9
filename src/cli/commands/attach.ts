import { attach as attachFiles, openBytes, type AttachResult } from '../../index.js'
import { defineCommand, type CommandCall } from '../define-command.js'
import { describeTarget, openSink, type Target, type WritableStore } from '../open-target.js'
import { declareConnection } from '../options/connection.js'
import { checkExclusive } from '../options/exclusive.js'
import { declareFormat, isMachineFormat, readFormat, type Format, type FormatValues } from '../options/format.js'
import {
  checkPaths,
  declarePacker,
  hasAnnotations,
  parseFileArgument,
  readAnnotations,
  type FileArgument,
  type PackerValues,
} from '../options/packer.js'
import { declarePlatform, readPlatform, type PlatformValues } from '../options/platform.js'
import { declareTarget, readTarget } from '../options/target.js'
import { declareTransfer, type TransferValues } from '../options/transfer.js'
import { saveContent } from '../output/save-content.js'
import { showResult } from '../output/show-result.js'
import { contentResultOf } from '../output/content-result.js'
import { whileReporting } from '../output/create-reporter.js'
import { PUSH_WORDS } from '../output/transfer-words.js'
import { warnOfUnportableNames } from '../output/unportable-warning.js'
import { requireReference } from '../require-reference.js'
import { UsageError } from '../usage-error.js'
import { withSession } from '../with-session.js'

interface Values extends FormatValues, PackerValues, PlatformValues, TransferValues {
  readonly artifactType: string
  readonly config?: string
}

export const attach = defineCommand<Values>({
  usage:
    '--artifact-type=<type> <name>{:<tag>|@<digest>} {<file>[:<layer_media_type>]|--annotation <key>=<value>} [...]',
  description: `Attach files to an artifact, an image or an index: they become an artifact that refers to it.

Example - Attach a signature and an SBOM:
  gantry attach localhost:5000/hello:v1 --artifact-type signature/example signature.json:application/json
  gantry attach localhost:5000/hello:v1 --artifact-type sbom/example sbom.json:application/json

Example - Attach an annotation alone:
  gantry attach localhost:5000/hello:v1 --artifact-type status/example --annotation tested=yes`,
  arguments: { minimum: 1, maximum: Infinity, as: 'the destination for attaching' },
  configure: (command) => {
    command
      .requiredOption('--artifact-type <type>', 'what kind of artifact is attached')
      .option('--config <file[:type]>', 'file that becomes the config of the manifest')
    declarePacker(command)
    declareFormat(command)
    declareTarget(command, { distributionSpec: true })
    declarePlatform(command)
    declareConnection(command)
    declareTransfer(command)
  },
  run: (call) =>
    withSession(call.context, call.values, async (session) => {
      const { context, values } = call
      const [typed = '', ...texts] = call.arguments
      const format = readFormat(values)
      checkExclusive({ config: values.config, platform: values.platform })
      const files = texts.map(parseFileArgument)
      checkSomethingToAttach(files, call)
      checkPaths(files, values)
      const target = await openSink(session, typed, await readTarget({ ...values }, context))
      const reference = requireReference(target, call)
      const result = await attachTo({ target, reference, files, format }, call)
      if (values.exportManifest !== undefined) await saveContent(values.exportManifest, openBytes(result.bytes)())
      if (values.quiet === true && !isMachineFormat(format)) return
      await showAttached(target, result, { call, format })
    }),
})

function checkSomethingToAttach(files: readonly FileArgument[], { usage, name, values }: CommandCall<Values>): void {
  if (files.length > 0 || hasAnnotations(values)) return
  throw new UsageError('neither file nor annotation provided in the command', {
    usage,
    hint: `To attach to an existing artifact, please provide files via argument or annotations via flag "--annotation". Run "${name} -h" for more options and examples`,
  })
}

interface Attachment {
  readonly target: Target<WritableStore>
  readonly reference: string
  readonly files: readonly FileArgument[]
  readonly format: Format
}

async function attachTo(
  { target, reference, files, format }: Attachment,
  { context, values }: CommandCall<Values>,
): Promise<AttachResult> {
  const annotations = await readAnnotations(values, context)
  const options = { words: PUSH_WORDS, format, showsExistingGraphs: target.type === 'oci-layout' }
  return whileReporting({ context, values }, options, (reporter) =>
    attachFiles(
      target.store,
      reference,
      files.map((file) => ({ ...file, annotations: annotations.ofFile(file.path) })),
      {
        artifactType: values.artifactType,
        ...(values.config === undefined ? {} : { config: parseFileArgument(values.config) }),
        annotations: annotations.manifest,
        configAnnotations: annotations.config,
        ...readPlatform(values),
        concurrency: values.concurrency,
        onEvent: reporter.onEvent,
        onFile: (path) => reporter.preparing(path),
        onUnportableNames: warnOfUnportableNames(context, values),
        signal: context.signal,
      },
    ),
  )
}

async function showAttached(
  target: Target,
  { descriptor, subject, artifactType }: AttachResult,
  { call, format }: { readonly call: CommandCall<Values>; readonly format: Format },
): Promise<void> {
  const shown = contentResultOf(target.path, { ...descriptor, artifactType })
  await showResult(call.context, format, shown, (printer) => {
    printer.line(`Attached to ${describeTarget(target, `${target.path}@${subject.digest}`)}`)
    printer.line(`Digest: ${descriptor.digest}`)
  })
}
