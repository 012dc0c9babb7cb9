import { restore } from '../../artifact/restore.js'
import { tagsOf } from '../../client/target.js'
import { wordsAndSink } from '../arguments.js'
import { command } from '../command.js'
import { flag, list } from '../options/option.js'
import { uploadOptions } from '../options/transfer.js'
import { formatDuration, formatSize } from '../output/format-amount.js'
import { foundTags, tagResultOf } from '../output/tag-result.js'
import { RESTORE_WORDS } from '../output/transfer-words.js'
import { UsageError } from '../usage-error.js'

export default command({
  summary: 'Restore a repository from a backup',
  stage: 'experimental',
  description: `The layout is a folder or a tar. Without tags, everything in it that has a tag is restored, under the same tag. What refers to it is restored too.

A backup that was made with --since is restored together with the older ones: name the oldest first. Nothing is restored when something is missing.`,
  arguments: {
    target: wordsAndSink({
      usage: '[<older.tar> <newer.tar> ...] <registry>/<repository>[:<ref1>[,<ref2>...]]',
      referrers: true,
    }),
  },
  usage: '{--input <path>|<older.tar> <newer.tar> ...} <registry>/<repository>[:<ref1>[,<ref2>...]]',
  needs: 'the targets to restore to',
  options: {
    input: list('--input <path>', 'backup to restore; may be given for several'),
    excludeReferrers: flag('--exclude-referrers', 'leave out what refers to the artifacts'),
    dryRun: flag('--dry-run', 'show what would be restored, and push nothing'),
    ...uploadOptions,
  },
  examples: [
    ['Restore a repository', 'restore --input hello.tar localhost:5000/hello'],
    [
      'Restore two tags without what refers to them',
      'restore --input hello --exclude-referrers localhost:5000/hello:v1,v2',
    ],
    ['Restore a backup and what was backed up since', 'restore monday.tar tuesday.tar localhost:5000/hello'],
  ],
  progress: { words: RESTORE_WORDS, showsExistingGraphs: ({ options }) => !options.excludeReferrers },
  check({ words, options: { input }, usage }) {
    const reference = words.at(-1) ?? ''
    if (reference.includes('@')) throw new UsageError(`digest references are not supported: "${reference}"`)
    if (input.length === 0 && words.length === 1) {
      throw new UsageError('required flag(s) "input" not set', {
        usage,
        hint: 'Name the backup with --input.',
      })
    }
    if (input.includes('')) throw new UsageError('the input path cannot be empty')
  },
  async run({ target: { words, sink }, options, signal, report, print, isForMachine }) {
    const { input, excludeReferrers, dryRun, concurrency } = options
    const startedAt = performance.now()
    const say = (text: string): void => {
      if (!isForMachine) print.status(text)
    }
    const tags = await restore([...input, ...words], sink.store, {
      tags: tagsOf(sink),
      referrers: !excludeReferrers,
      dryRun,
      concurrency,
      onArchive: (path, size) => say(`Loaded backup archive: ${path} (${formatSize(size)})`),
      onTags: (found) => say(foundTags(found, 'in the backup')),
      onTag: ({ tag, referrers }) =>
        say(`${dryRun ? 'Dry run: would push' : 'Pushed'} tag ${tag} with ${referrers} referrer(s)`),
      onEvent: report.onEvent,
      signal,
    })
    return { repository: sink.path, dryRun, tags: tags.map(tagResultOf), time: performance.now() - startedAt }
  },
  json: ({ time: _, ...result }) => result,
  text({ repository, dryRun, tags: { length }, time }, print) {
    print.status(
      dryRun
        ? `Dry run complete: ${length} tag(s) would be restored to "${repository}" (no data pushed)`
        : `Successfully restored ${length} tag(s) to "${repository}" in ${formatDuration(time)}`,
    )
  },
})
