import { GantryError, isGantryError } from '../../../errors.js'
import { LayoutStore } from '../../../store/layout.js'
import { word } from '../../arguments.js'
import { command } from '../../command.js'
import { flag, parsed, parseDuration } from '../../options/option.js'

export default command({
  summary: 'Remove what nothing in an image layout refers to',
  description: `Blobs that index.json does not lead to go, and what dead processes have left. What is listed stays, with a name or
without one. Nothing goes while a blob is being written; do not run it during a copy into the layout, which may count on
blobs that nothing refers to yet.`,
  arguments: { folder: word('<folder>') },
  needs: 'the folder of the layout',
  options: {
    dryRun: flag('--dry-run', 'only show what would go'),
    minAge: parsed(
      '--min-age <duration>',
      'how old a blob has to be, as other programs list theirs last (default: 1h)',
      parseDuration,
    ),
  },
  examples: [['Show what would go', 'layout gc --dry-run ./layout']],
  async run({ folder, options: { dryRun, minAge }, signal }) {
    const store = await openLayout(folder)
    return { ...(await store.collectGarbage({ dryRun, minAge, signal })), dryRun }
  },
  text({ removed, kept, dryRun }, print) {
    for (const { digest, size } of removed)
      print.line(`${dryRun ? 'Would remove' : 'Removed'} ${digest} (${size} bytes)`)
    if (kept.length > 0) print.notice(`${kept.length} others are not old enough: see --min-age`)
    const bytes = removed.reduce((sum, { size }) => sum + size, 0)
    print.status(`${dryRun ? 'Would free' : 'Freed'} ${bytes} bytes`)
  },
})

async function openLayout(folder: string): Promise<LayoutStore> {
  try {
    return await LayoutStore.open(folder)
  } catch (error) {
    if (isGantryError(error, 'not-found')) {
      throw new GantryError('not-found', `${folder}: there is no image layout`, { cause: error })
    }
    throw error
  }
}
