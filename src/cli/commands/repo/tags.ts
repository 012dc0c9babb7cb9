import type { Descriptor } from '../../../oci/descriptor.js'
import { isDigestTag } from '../../../oci/referrers-tag.js'
import type { Target } from '../../../client/open-target.js'
import { place } from '../../arguments.js'
import { command } from '../../command.js'
import { decision, text } from '../../options/option.js'
import { listOptions } from '../../options/transfer.js'
import { InterruptedList } from '../../output/interrupted-list.js'

export default command({
  summary: 'List the tags of a repository',
  aliases: ['show-tags'],
  description: `With a tag or a digest, only those that stand for the same manifest.

Tags that a registry without the referrers API needs for its lists of referrers (sha256-<hex>) are left out; they are
listed with --exclude-digest-tags=false. Signatures beside an image (sha256-<hex>.sig) are left out with
--exclude-digest-tags.`,
  arguments: { target: place() },
  needs: 'the target repository to list tags from',
  options: {
    last: text('--last <last>', 'start after this tag'),
    excludeDigestTags: decision('--exclude-digest-tags', 'leave out every tag that is made from a digest', {
      stage: 'preview',
    }),
    ...listOptions,
  },
  examples: [
    ['List the tags of a repository', 'repo tags localhost:5000/hello'],
    ["List the tags that stand for the same manifest as 'v1'", 'repo tags localhost:5000/hello:v1'],
  ],
  async run({ target, options, signal, print, isForMachine, isQuiet, flags }) {
    const prefix = flags.ociLayoutPath === undefined ? '' : `${target.typed}:`
    const tags: string[] = []
    const onFound = ({ digest }: Descriptor) => {
      if (isQuiet) return
      print.notice(
        `[${new Date().toISOString()}][WARNING]: [Experimental] querying tags associated to ${digest}, it may take a while...\n\n\n`,
      )
    }
    try {
      for await (const tag of listTags({ target, prefix, ...options, onFound, signal })) {
        if (isForMachine) tags.push(tag)
        else print.line(tag)
      }
    } catch (error) {
      throw tags.length === 0 ? error : new InterruptedList({ tags }, error)
    }
    return { tags }
  },
})

interface Listing {
  readonly target: Target
  /** Names in a layout start with this, and are shown without it. */
  readonly prefix: string
  readonly last: string | undefined
  readonly maxListLength: number | undefined
  readonly excludeDigestTags: boolean | undefined
  /** Told of the manifest whose tags alone are listed: each tag is looked up for it. */
  readonly onFound: (descriptor: Descriptor) => void
  readonly signal: AbortSignal
}

async function* listTags({
  target,
  prefix,
  last,
  maxListLength,
  excludeDigestTags,
  onFound,
  signal,
}: Listing): AsyncIterable<string> {
  const { store } = target
  const reference = prefix === '' ? target.reference : undefined
  const wanted = reference === undefined ? undefined : await store.resolve(reference, { signal })
  if (wanted !== undefined) onFound(wanted)
  for await (const tag of store.tags({ signal, last, maxListLength })) {
    if (!tag.startsWith(prefix) || isLeftOut(tag, excludeDigestTags)) continue
    if (wanted !== undefined && (await store.resolve(tag, { signal })).digest !== wanted.digest) continue
    yield tag.slice(prefix.length)
  }
}

/** Lists of referrers are no tags that people set; signatures in tags are shown unless they are unwanted. */
function isLeftOut(tag: string, excludeDigestTags: boolean | undefined): boolean {
  if (excludeDigestTags === false || !isDigestTag(tag)) return false
  return excludeDigestTags === true || !tag.includes('.')
}
