import { pullFiles, type PullFilesResult } from '../../index.js'
import { defineCommand, type CommandCall } from '../define-command.js'
import { openCache } from '../open-cache.js'
import { describeTarget, openSource, type Target } from '../open-target.js'
import { declareConnection, parseSize } from '../options/connection.js'
import { cacheFolderOf } from '../options/environment.js'
import { declareFormat, isMachineFormat, readFormat, type Format, type FormatValues } from '../options/format.js'
import { parseFileArgument } from '../options/packer.js'
import { declarePlatform, readPlatform, type PlatformValues } from '../options/platform.js'
import { declareTarget, readTarget } from '../options/target.js'
import { declareTransfer, type TransferValues } from '../options/transfer.js'
import { showResult } from '../output/show-result.js'
import { contentResultOf } from '../output/content-result.js'
import { whileReporting } from '../output/create-reporter.js'
import { PULL_WORDS } from '../output/transfer-words.js'
import { requireReference } from '../require-reference.js'
import { withSession } from '../with-session.js'

interface Values extends FormatValues, PlatformValues, TransferValues {
  readonly output: string
  readonly keepOldFiles?: boolean
  readonly allowPathTraversal?: boolean
  readonly allowUnportableNames?: boolean
  readonly includeSubject?: boolean
  readonly config?: string
  readonly maxUnpackedSize?: number
}

export const pull = defineCommand<Values>({
  usage: '<name>{:<tag>|@<digest>}',
  description: `Pull the files of an artifact. All of them are fetched and checked before the first one gets its name, and after a
failure the folder is as it was.

Example - Pull into a folder:
  gantry pull -o ./download localhost:5000/hello:v1

Example - Pull one platform of an index, and leave files alone that are there:
  gantry pull --platform linux/arm64 --keep-old-files localhost:5000/hello:v1`,
  arguments: { minimum: 1, as: 'the artifact reference you want to pull' },
  configure: (command) => {
    command
      .option('-o, --output <folder>', 'folder for the files', '.')
      .option('-k, --keep-old-files', 'refuse to replace files that are there')
      .option('-T, --allow-path-traversal', 'allow names that lead out of the folder')
      .option('--allow-unportable-names', 'allow names that not every system can have, such as those with a colon')
      .option('--include-subject', 'pull the subject of the artifact too, and its subject in turn')
      .option('--config <file[:type]>', 'save the config under this name, if it has the type')
      .option('--max-unpacked-size <size>', 'most that folders may unpack to (default: what the disk holds)', parseSize)
    declareFormat(command)
    declareTarget(command)
    declarePlatform(command)
    declareConnection(command)
    declareTransfer(command)
  },
  run: (call) =>
    withSession(call.context, call.values, async (session) => {
      const { context, values } = call
      const format = readFormat(values)
      const target = await openSource(session, call.arguments[0] ?? '', await readTarget({ ...values }, context))
      const reference = requireReference(target, call)
      const result = await pullFrom(target, reference, { call, format })
      if (values.quiet === true && !isMachineFormat(format)) return
      await showPulled(target, result, { call, format })
    }),
})

interface Work {
  readonly call: CommandCall<Values>
  readonly format: Format
}

async function pullFrom(
  target: Target,
  reference: string,
  { call: { context, values }, format }: Work,
): Promise<PullFilesResult> {
  const cache = await openCache(cacheFolderOf(context.environment))
  return whileReporting({ context, values }, { words: PULL_WORDS, format }, (reporter) =>
    pullFiles(target.store, reference, values.output, {
      ...readPlatform(values),
      keepOldFiles: values.keepOldFiles === true,
      allowPathTraversal: values.allowPathTraversal === true,
      allowUnportableNames: values.allowUnportableNames === true,
      includeSubject: values.includeSubject === true,
      ...(values.config === undefined ? {} : { config: parseFileArgument(values.config) }),
      maxUnpackedSize: values.maxUnpackedSize,
      cache,
      concurrency: values.concurrency,
      onEvent: reporter.onEvent,
      signal: context.signal,
    }),
  )
}

async function showPulled(target: Target, result: PullFilesResult, { call, format }: Work): Promise<void> {
  const files = result.files.map(({ path, descriptor }) => ({ path, ...contentResultOf(target.path, descriptor) }))
  const { digest } = result.descriptor
  await showResult(call.context, format, { reference: `${target.path}@${digest}`, files }, (printer) => {
    if (result.skippedUnnamed.length > 0) {
      printer.line('Skipped pulling layers without file name in "org.opencontainers.image.title"')
      printer.line(`Use 'gantry copy ${target.typed} --to-oci-layout <layout-dir>' to pull all layers.`)
    } else {
      printer.line(`Pulled ${describeTarget(target)}`)
      printer.line(`Digest: ${digest}`)
    }
  })
}
