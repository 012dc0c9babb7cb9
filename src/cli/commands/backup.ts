import { backup } from '../../artifact/backup.js'
import { tagsOf } from '../../client/target.js'
import { place } from '../arguments.js'
import { command } from '../command.js'
import { flag, list, requiredText } from '../options/option.js'
import { transferOptions } from '../options/transfer.js'
import { formatDuration, formatSize } from '../output/format-amount.js'
import { foundTags, tagResultOf } from '../output/tag-result.js'
import { BACKUP_WORDS } from '../output/transfer-words.js'
import { UsageError } from '../usage-error.js'

export default command({
  summary: 'Back up a repository into a folder or a tar',
  stage: 'experimental',
  description: `A path that ends in .tar becomes one file, which replaces one that is there; any other path becomes a folder, which keeps what it has. Without tags, everything in the repository that has a tag is backed up.

With --since, a tar leaves out what an older backup has. Both of them are needed to restore it.`,
  arguments: { source: place({ usage: '<registry>/<repository>[:<ref1>[,<ref2>...]]', referrers: true }) },
  usage: '--output <path> <registry>/<repository>[:<ref1>[,<ref2>...]]',
  needs: 'the artifacts to back up',
  options: {
    output: requiredText('-o, --output <path>', 'folder, or file that ends in .tar'),
    includeReferrers: flag('--include-referrers', 'back up everything that refers to the artifacts too'),
    since: list('--since <path>', 'leave out what this older backup has; may be given for several'),
    ...transferOptions,
  },
  examples: [
    [
      'Back up two tags with their signatures and SBOMs',
      'backup --output hello.tar --include-referrers localhost:5000/hello:v1,v2',
    ],
    ['Back up a whole repository into a folder', 'backup --output hello localhost:5000/hello'],
    ['Back up what is new since then', 'backup --output tuesday.tar --since monday.tar localhost:5000/hello'],
  ],
  progress: { words: BACKUP_WORDS, showsExistingGraphs: () => true },
  check({ words: [reference = ''], options: { output } }) {
    if (reference.includes('@')) throw new UsageError(`digest references are not supported: "${reference}"`)
    if (output === '') throw new UsageError('the output path cannot be empty')
  },
  async run({ source, options, signal, report, print, isForMachine }) {
    const { output, includeReferrers, since, concurrency } = options
    const startedAt = performance.now()
    const say = (text: string): void => {
      if (!isForMachine) print.status(text)
    }
    const { tags, size } = await backup(source.store, output, {
      tags: tagsOf(source),
      referrers: includeReferrers,
      since,
      concurrency,
      onTags: (found) => say(foundTags(found, `in ${source.path}`)),
      onTag: ({ tag, referrers }) => say(`Pulled tag ${tag} with ${referrers} referrer(s)`),
      onComplete: () => say(`Exporting to ${output}`),
      onEvent: report.onEvent,
      signal,
    })
    if (size !== undefined) say(`Exported to ${output} (${formatSize(size)})`)
    return { repository: source.path, output, size, tags: tags.map(tagResultOf), time: performance.now() - startedAt }
  },
  json: ({ time: _, ...result }) => result,
  text({ repository, output, tags, time }, print) {
    print.status(
      `Successfully backed up ${tags.length} tag(s) from "${repository}" to "${output}" in ${formatDuration(time)}.`,
    )
  },
})
