import { copy, isGantryError, type CopyResult, type GantryError } from '../../index.js'
import { defineCommand, type CommandCall } from '../define-command.js'
import { describeTarget, openCopySink, openSource, tagsOf, type CopyStore, type Target } from '../open-target.js'
import { declareConnection } from '../options/connection.js'
import { declareFormat, isMachineFormat, readFormat, type Format, type FormatValues } from '../options/format.js'
import { declarePlatforms, readPlatforms } from '../options/platform.js'
import { repeatable } from '../options/repeatable.js'
import { declareTarget, readTarget } from '../options/target.js'
import { declareTransfer, type TransferValues } from '../options/transfer.js'
import { Printer } from '../output/printer.js'
import { showResult } from '../output/show-result.js'
import { contentResultOf } from '../output/content-result.js'
import { whileReporting } from '../output/create-reporter.js'
import { COPY_WORDS } from '../output/transfer-words.js'
import { SideError } from '../prefixed-error.js'
import { requireReference } from '../require-reference.js'
import { UsageError } from '../usage-error.js'
import { withSession } from '../with-session.js'

interface Values extends FormatValues, TransferValues {
  readonly platform?: readonly string[]
  readonly recursive?: boolean
  readonly artifactType?: readonly string[]
  readonly force?: boolean
  readonly includeNonDistributable?: boolean
}

export const copyCommand = defineCommand<Values>({
  usage: '<from>{:<tag>|@<digest>} <to>[:<tag>[,<tag>][...]]',
  description: `Copy an artifact, an image or an index from one target to another, with everything that it needs. What the
destination has already does not move.

Example - Copy an artifact between registries:
  gantry copy localhost:5000/hello:v1 registry.example.com/team/hello:v1

Example - Copy it together with its signatures, SBOMs and everything else that refers to it:
  gantry copy -r localhost:5000/hello:v1 registry.example.com/team/hello:v1

Example - Copy an index with two of its platforms:
  gantry copy --platform linux/amd64,linux/arm64 localhost:5000/hello:v1 registry.example.com/team/hello:v1

Example - Copy into an OCI image layout, and back:
  gantry copy localhost:5000/hello:v1 --to-oci-layout ./layout:v1
  gantry copy --from-oci-layout ./layout:v1 localhost:5000/hello:v2

Example - Copy a whole graph into one file, to carry it across:
  gantry copy -r localhost:5000/hello:v1 --to-oci-layout ./hello.tar:v1`,
  arguments: { minimum: 2, as: 'the source and destination for copying' },
  configure: (command) => {
    command
      .option('-r, --recursive', 'copy everything that refers to the artifact too')
      .option('--artifact-type <type>', 'with -r: only referrers of this type', repeatable)
      .option('--force', 'push every manifest again, also those that are there')
      .option('--include-non-distributable', 'copy layers too that their owner wants fetched from elsewhere')
    declareFormat(command)
    declareTarget(command, { prefix: 'from-', distributionSpec: true })
    declareTarget(command, { prefix: 'to-', distributionSpec: true })
    command.option('--resolve <host:port:address[:port]>', 'connect to another address, on both sides', repeatable)
    declarePlatforms(command)
    declareConnection(command)
    declareTransfer(command)
  },
  run: (call) =>
    withSession(call.context, call.values, async (session) => {
      const { context } = call
      const values = withBaseResolve(call.values)
      const [from = '', to = ''] = call.arguments
      const format = readFormat(call.values)
      const sourceOptions = await readTarget(values, context, 'from-')
      const sinkOptions = await readTarget(values, context, 'to-')
      const source = await openSource(session, from, sourceOptions)
      const reference = requireReference(source, call)
      const sinkEnd = await openCopySink(session, to, sinkOptions)
      const sink = sinkEnd.target
      const result = await copyTarget({ source, reference, sink, format }, call).catch(async (error: unknown) => {
        await sinkEnd.abandon()
        throw error
      })
      await sinkEnd.complete()
      if (call.values.quiet === true && !isMachineFormat(format)) return
      await showCopied({ source, sink, result, format }, call)
    }),
})

interface Ends {
  readonly source: Target
  readonly sink: Target<CopyStore>
  readonly format: Format
}

async function copyTarget(
  { source, reference, sink, format }: Ends & { readonly reference: string },
  { context, values }: CommandCall<Values>,
): Promise<CopyResult> {
  checkDigest(sink, reference)
  const options = { words: COPY_WORDS, format }
  try {
    return await whileReporting({ context, values }, options, (reporter) =>
      copy(source.store, reference, sink.store, {
        tags: sink.digest === undefined ? tagsOf(sink) : sink.extraTags,
        platforms: readPlatforms(values),
        referrers: values.recursive === true,
        ...(values.artifactType === undefined ? {} : { artifactTypes: values.artifactType }),
        force: values.force === true,
        nonDistributable: values.includeNonDistributable === true,
        concurrency: values.concurrency,
        onEvent: reporter.onEvent,
        signal: context.signal,
      }),
    )
  } catch (error) {
    throw namedSide(error, source, sink)
  }
}

/** A copy keeps the digest, so a destination that names another one cannot be meant. */
function checkDigest(sink: Target<CopyStore>, reference: string): void {
  if (sink.digest === undefined || !reference.includes(':') || sink.digest === reference) return
  throw new UsageError(`"${sink.typed}" cannot be the copy of ${reference}: the digests differ`)
}

/** Says which of the two references failed. */
function namedSide(error: unknown, source: Target, sink: Target<CopyStore>): unknown {
  if (!isGantryError(error) || error.side === undefined) return error
  const end = error.side === 'source' ? source : sink
  return new SideError(`${error.side} ${end.type} for "${end.typed}"`, error satisfies GantryError)
}

async function showCopied(
  { source, sink, result, format }: Ends & { readonly result: CopyResult },
  { context }: CommandCall<Values>,
): Promise<void> {
  const { digest } = result.root
  // The platform of an index has another digest than the one that was typed.
  const from = source.digest === undefined || source.digest === digest ? source.typed : `${source.path}@${digest}`
  const shown = {
    ...contentResultOf(sink.path, result.root),
    referenceAsTags: result.tags.map((tag) => `${sink.path}:${tag}`),
    digestTags: result.digestTags,
    referrers: result.referrers,
    copied: result.copied,
    mounted: result.mounted,
    existing: result.existing,
    skipped: result.skipped.map(({ descriptor, reason }) => ({ ...descriptor, reason })),
    unlisted: result.unlisted,
  }
  const notices = new Printer(context)
  for (const { descriptor, reason } of result.skipped) notices.notice(`skipped ${descriptor.digest}: ${reason}`)
  for (const { digest: unlisted } of result.unlisted) {
    notices.notice(`${unlisted} was copied, and the destination does not list it among the referrers of its subject`)
  }
  await showResult(context, format, shown, (printer) => {
    printer.line(`Copied ${describeTarget(source, from)} => ${describeTarget(sink)}`)
    for (const tag of sink.extraTags) printer.line(`Tagged ${tag}`)
    printer.line(`Digest: ${digest}`)
  })
}

/** What `--resolve` says holds for both sides, and what they say themselves comes after it. */
function withBaseResolve(values: Values): Record<string, unknown> {
  const all = { ...values } as Record<string, unknown>
  const base = (all.resolve ?? []) as readonly string[]
  for (const key of ['fromResolve', 'toResolve']) all[key] = [...base, ...((all[key] ?? []) as readonly string[])]
  return all
}
