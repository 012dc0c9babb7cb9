import { discover as findReferrers, resolvePlatform, type DiscoverOptions, type ReferrerTree } from '../../index.js'
import { defineCommand, type CommandCall } from '../define-command.js'
import { openSource, type Target } from '../open-target.js'
import { declareConnection } from '../options/connection.js'
import { checkExclusive } from '../options/exclusive.js'
import { declareFormat, readFormat, type Format, type FormatValues } from '../options/format.js'
import { declarePlatform, readPlatform, type PlatformValues } from '../options/platform.js'
import { declareTarget, readTarget } from '../options/target.js'
import { paletteFor, PLAIN_PALETTE } from '../output/palette.js'
import { Printer } from '../output/printer.js'
import { showResult } from '../output/show-result.js'
import { formatReferrerTable } from '../output/referrer-table.js'
import { formatReferrerTree } from '../output/referrer-tree.js'
import { resultOfTree, withManifests } from '../output/referrer-result.js'
import { requireReference } from '../require-reference.js'
import { UsageError } from '../usage-error.js'
import { withSession } from '../with-session.js'

interface Values extends FormatValues, PlatformValues {
  readonly artifactType?: string
  readonly depth?: string
  readonly output?: string
  readonly verbose?: boolean
  readonly tty?: boolean
}

const FORMATS = ['tree', 'json', 'table', 'go-template'] as const

export const discover = defineCommand<Values>({
  usage: '<name>{:<tag>|@<digest>}',
  description: `Show what refers to a manifest: signatures, SBOMs, documents, and what refers to those in turn.

The JSON of '--format json' has each node's referrers below it. That of '-o json' has the first level in a list
'manifests' too, as scripts that were written for earlier versions of such tools read it.

Example - Show the tree:
  gantry discover localhost:5000/hello:v1

Example - Find the SBOMs, for a script:
  gantry discover -o json --artifact-type sbom/example localhost:5000/hello:v1 | jq -r '.manifests[0].digest'`,
  arguments: { minimum: 1, as: 'the target artifact to discover' },
  configure: (command) => {
    command
      .option('--artifact-type <type>', 'only referrers of this type')
      .option('--depth <levels>', 'how many levels of referrers to show (default: all)')
      .option('-o, --output <format>', 'tree, table or json, as earlier versions of such tools had it')
      .option('--no-tty', 'no colours')
    declareFormat(command, FORMATS)
    declareTarget(command, { distributionSpec: true })
    declarePlatform(command)
    declareConnection(command)
  },
  run: (call) =>
    withSession(call.context, call.values, async (session) => {
      const { context, values } = call
      checkExclusive({ output: values.output, format: values.format })
      const format = values.output === undefined ? readFormat(values, FORMATS) : readOutput(values.output)
      const depth = readDepth(values, format)
      const target = await openSource(session, call.arguments[0] ?? '', await readTarget({ ...values }, context))
      const { signal } = context
      const reference = requireReference(target, call)
      const subject = await resolvePlatform(target.store, reference, { ...readPlatform(values), signal })
      const options: DiscoverOptions = {
        ...(depth === undefined ? {} : { depth }),
        ...(values.artifactType === undefined ? {} : { artifactType: values.artifactType }),
        signal,
      }
      await showTree({ target, format, tree: await findReferrers(target.store, subject, options) }, call)
    }),
})

function readOutput(output: string): Format {
  if (output === 'tree' || output === 'table' || output === 'json') return { type: output }
  throw new UsageError(`invalid format type: "${output}"`, { hint: 'supported types: tree, json, table' })
}

function readDepth({ depth }: Values, format: Format): number | undefined {
  if (depth !== undefined && !/^[1-9]\d{0,5}$/.test(depth)) throw new UsageError('depth value should be at least 1')
  if (format.type === 'table') return 1
  return depth === undefined ? undefined : Number(depth)
}

interface Shown {
  readonly target: Target
  readonly format: Format
  readonly tree: ReferrerTree
}

async function showTree({ target, format, tree }: Shown, { context, values }: CommandCall<Values>): Promise<void> {
  const result = resultOfTree(tree.root, target.path)
  const shown = values.output === 'json' ? withManifests(result) : result
  const palette = values.tty === false ? PLAIN_PALETTE : await paletteFor(context.stdout, context)
  if (format.type === 'table') {
    new Printer(context).notice('Format "table" is deprecated and will be removed in a future release.')
  }
  await showResult(context, format, shown, (printer) => {
    const verbose = values.verbose !== false
    if (format.type === 'table') printer.line(formatReferrerTable(tree.root, target.typed, { verbose }))
    else printer.painted(formatReferrerTree(tree.root, target.path, { verbose, palette }))
  })
  for (const { digest } of tree.repeated) new Printer(context).notice(`${digest} is listed more than once, shown once`)
}
