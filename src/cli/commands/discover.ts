import { discover } from '../../graph/discover.js'
import { resolvePlatform } from '../../graph/select-platform.js'
import { source } from '../arguments.js'
import { command } from '../command.js'
import { checkExclusive } from '../options/exclusive.js'
import { decision, flag, text } from '../options/option.js'
import { platformOptions } from '../options/platform.js'
import { listOptions } from '../options/transfer.js'
import { paletteFor, PLAIN_PALETTE } from '../output/palette.js'
import { resultOfTree, withManifests } from '../output/referrer-result.js'
import { formatReferrerTable } from '../output/referrer-table.js'
import { formatReferrerTree } from '../output/referrer-tree.js'
import { UsageError } from '../usage-error.js'

export default command({
  summary: 'Show what refers to a manifest',
  stage: 'preview',
  description: `Signatures, SBOMs, documents, and what refers to those in turn.

The JSON of '--format json' has each node's referrers below it. That of '-o json' has the first level in a list 'manifests' too, as scripts that were written for earlier versions of such tools read it.`,
  arguments: { source: source({ referrers: true }) },
  needs: 'the target artifact to discover referrers from',
  options: {
    artifactType: text('--artifact-type <type>', 'only referrers of this type'),
    depth: text('--depth <levels>', 'how many levels of referrers to show (default: all)', { stage: 'experimental' }),
    output: text('-o, --output <format>', 'tree, table or json, as earlier versions of such tools had it'),
    noTty: flag('--no-tty', 'no colours', { group: 'output' }),
    verbose: decision('-v, --verbose', 'show annotations; --verbose=false leaves them out', {
      hidden: true,
      deprecated: 'Flag --verbose has been deprecated, and will be removed in a future release.',
    }),
    ...platformOptions,
    ...listOptions,
  },
  examples: [
    ['Show the tree', 'discover localhost:5000/hello:v1'],
    [
      'Find the SBOMs, for a script',
      "discover --format json --artifact-type sbom/example localhost:5000/hello:v1 | jq -r '.referrers[0].digest'",
    ],
  ],
  formats: ['tree', 'json', 'table', 'go-template'],
  formatFlag: ({ output }) => output,
  check({ options: { output, depth }, format }) {
    checkExclusive({ format, output })
    if (depth !== undefined && !/^[1-9]\d{0,5}$/.test(depth)) throw new UsageError('depth value should be at least 1')
  },
  async run({ source: { store, path, reference }, options, format, signal, print }) {
    if (options.output !== undefined && format.type !== 'table') {
      print.notice(`[DEPRECATED] --output is deprecated, try \`--format ${options.output}\` instead`)
    }
    const { artifactType, platform, maxListLength } = options
    const asked = options.depth === undefined ? undefined : Number(options.depth)
    const depth = format.type === 'table' ? 1 : asked
    const subject = await resolvePlatform(store, reference, { platform, signal })
    const { root, repeated } = await discover(store, subject, { depth, artifactType, maxListLength, signal })
    if (format.type === 'table') {
      print.notice('Format "table" is deprecated and will be removed in a future release.')
    }
    return { root, repeated, tree: resultOfTree(root, path) }
  },
  json: ({ tree }, { options }) => (options.output === 'json' ? withManifests(tree) : tree),
  async text({ root, repeated }, print, { source, format, options, context }) {
    const verbose = options.verbose !== false
    if (format.type === 'table') {
      print.line(formatReferrerTable(root, source.typed, { verbose }))
    } else {
      const palette = options.noTty ? PLAIN_PALETTE : await paletteFor(context.stdout, context)
      print.painted(formatReferrerTree(root, source.path, { verbose, palette }))
    }
    for (const { digest } of repeated) print.notice(`${digest} is listed more than once, shown once`)
  },
})
