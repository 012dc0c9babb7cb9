import type { CopiedTag } from '../../artifact/copy-tags.js'

/** More tags than these are listed one a line. */
const MAX_ON_ONE_LINE = 5

/** What is said of the tags that were found: `Found 2 tag(s) in localhost:5000/hello: v1, v2`. */
export function foundTags(tags: readonly string[], where: string): string {
  const lead = `Found ${tags.length} tag(s) ${where}:`
  return tags.length > MAX_ON_ONE_LINE ? [lead, ...tags].join('\n') : `${lead} ${tags.join(', ')}`
}

/** A tag that was copied, as results show it. */
export function tagResultOf({ tag, descriptor: { mediaType, digest, size }, referrers, copied }: CopiedTag) {
  return { tag, mediaType, digest, size, referrers, copied }
}
