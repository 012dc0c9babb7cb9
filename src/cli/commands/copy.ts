import type { CopyTarget, Target } from '../../client/open-target.js'
import { tagsOf } from '../../client/target.js'
import { isGantryError } from '../../errors.js'
import { copy } from '../../graph/copy.js'
import type { CopyOptions } from '../../graph/plan-copy.js'
import type { CopyResult } from '../../graph/run-copy.js'
import type { Gate, VerifiedCopyResult } from '../../signature/verified-copy.js'
import { copySink, describeTarget, source, type NamedTarget } from '../arguments.js'
import { command } from '../command.js'
import { flag, list } from '../options/option.js'
import { platformsOptions, readPlatforms } from '../options/platform.js'
import { uploadOptions } from '../options/transfer.js'
import { checkGate, gateOptions, readGate, wantsGate } from '../options/trust.js'
import { contentResultOf } from '../output/content-result.js'
import { describeSignatures, signatureResultOf } from '../output/signature-result.js'
import { COPY_WORDS } from '../output/transfer-words.js'
import { SideError } from '../prefixed-error.js'

export default command({
  summary: 'Copy artifacts from one target to another',
  aliases: ['cp'],
  description:
    'An artifact, an image or an index is copied with everything that it needs. What the destination has already does not move.',
  arguments: {
    source: source({ usage: '<from>{:<tag>|@<digest>}', side: 'from-', referrers: true }),
    sink: copySink({ usage: '<to>[:<tag>[,<tag>][...]]', side: 'to-', referrers: true }),
  },
  needs: 'the source and destination for copying',
  options: {
    recursive: flag('-r, --recursive', 'copy everything that refers to the artifact too', { stage: 'preview' }),
    artifactType: list('--artifact-type <type>', 'with -r: only referrers of this type'),
    force: flag('--force', 'push every manifest again, also those that are there'),
    includeNonDistributable: flag(
      '--include-non-distributable',
      'copy layers too that their owner wants fetched from elsewhere',
    ),
    ...gateOptions,
    ...platformsOptions,
    ...uploadOptions,
  },
  examples: [
    ['Copy an artifact between registries', 'copy localhost:5000/hello:v1 registry.example.com/team/hello:v1'],
    [
      'Copy it together with its signatures, SBOMs and everything else that refers to it',
      'copy -r localhost:5000/hello:v1 registry.example.com/team/hello:v1',
    ],
    [
      'Copy an index with two of its platforms',
      'copy --platform linux/amd64,linux/arm64 localhost:5000/hello:v1 registry.example.com/team/hello:v1',
    ],
    [
      'Copy into an OCI image layout, and back',
      'copy localhost:5000/hello:v1 oci-layout:./layout:v1\ncopy oci-layout:./layout:v1 localhost:5000/hello:v2',
    ],
    [
      'Promote an image that a key has signed, together with its signatures',
      'copy --verify-key cosign.pub localhost:5000/hello:v1 registry.example.com/team/hello:v1',
    ],
    [
      'Copy a whole graph into one file, to carry it across',
      'copy -r localhost:5000/hello:v1 oci-layout-tar:./hello.tar:v1',
    ],
  ],
  progress: {
    words: COPY_WORDS,
    showsExistingGraphs: ({ options, sink }) =>
      options.recursive || sink.type === 'oci-layout' || sink.reference === undefined,
  },
  check({ options, usage }) {
    checkGate(options, usage)
  },
  async run({ source, sink, options, signal, report, print, context }) {
    try {
      const copyOptions: CopyOptions = {
        tags: tagsOf(sink),
        digest: sink.digest,
        platforms: readPlatforms(options.platform),
        referrers: options.recursive,
        artifactTypes: options.artifactType.length === 0 ? undefined : options.artifactType,
        force: options.force,
        nonDistributable: options.includeNonDistributable,
        concurrency: options.concurrency,
        onEvent: report.onEvent,
        signal,
      }
      const result: CopyResult & Partial<VerifiedCopyResult> = wantsGate(options)
        ? await copyThroughGate(source, sink, await readGate(options, context), copyOptions)
        : await copy(source.store, source.reference, sink.store, copyOptions)
      await sink.complete()
      if (result.isVerifiedAtDestination === false) {
        print.notice(`${sink.path} is written once: the signatures were verified at the source alone`)
      }
      tellOfGaps(result, (text) => print.notice(text))
      return result
    } catch (error) {
      await sink.abandon()
      throw namedSide(error, source, sink)
    }
  },
  json: (result, { sink: { path } }) => ({
    ...contentResultOf(path, result.descriptor),
    referenceAsTags: result.tags.map((tag) => `${path}:${tag}`),
    digestTags: result.digestTags,
    referrers: result.referrers,
    copied: result.copied,
    mounted: result.mounted,
    existing: result.existing,
    skipped: result.skipped.map(({ descriptor, reason }) => ({ ...descriptor, reason })),
    unlisted: result.unlisted,
    signatures: result.signatures?.map(signatureResultOf),
  }),
  text({ descriptor: { digest }, signatures = [] }, print, { source, sink }) {
    describeSignatures(signatures, print)
    // The platform of an index has another digest than the one that was typed.
    const from = source.digest === undefined || source.digest === digest ? source.typed : `${source.path}@${digest}`
    print.status(`Copied ${describeTarget(source, from)} => ${describeTarget(sink)}`)
    for (const tag of sink.extraTags) print.status(`Tagged ${tag}`)
    print.status(`Digest: ${digest}`)
  },
})

async function copyThroughGate(
  source: NamedTarget<Target['store']>,
  sink: CopyTarget,
  gate: Gate,
  options: CopyOptions,
): Promise<VerifiedCopyResult> {
  const { copyVerified } = await import('../../signature/verified-copy.js')
  return copyVerified(source.store, source.reference, sink.store, { ...options, gate })
}

function tellOfGaps({ skipped, unlisted }: CopyResult, notice: (text: string) => void): void {
  for (const { descriptor, reason } of skipped) notice(`skipped ${descriptor.digest}: ${reason}`)
  for (const { digest } of unlisted) {
    notice(`${digest} was copied, and the destination does not list it among the referrers of its subject`)
  }
}

/** Says which of the two references failed. */
function namedSide(error: unknown, source: Target, sink: CopyTarget): unknown {
  if (!isGantryError(error) || error.side === undefined) return error
  const end = error.side === 'source' ? source : sink
  return new SideError(`${error.side} ${end.type} for "${end.typed}"`, error)
}
