import { algorithmOf, hexOf, isDigest, type Digest } from './digest.js'
import { isTag } from './reference.js'

/**
 * The tag under which a registry without the referrers API keeps the list of referrers
 * (distribution-spec, "Referrers Tag Schema"): the algorithm cut at 32 characters, the hex at 64.
 */
export function referrersTagOf(digest: Digest): string {
  return `${algorithmOf(digest)}-${hexOf(digest).slice(0, 64)}`
}

/**
 * The tags under which signing tools that predate referrers keep what belongs to a manifest; none where the digest is too
 * long for a tag, as sha512 is.
 */
export function digestTagsOf(digest: Digest): readonly string[] {
  const stem = `${algorithmOf(digest)}-${hexOf(digest)}`
  return DIGEST_TAG_SUFFIXES.map((suffix) => `${stem}${suffix}`).filter(isTag)
}

const DIGEST_TAG_SUFFIXES = ['.sig', '.att', '.sbom'] as const

/** Whether a tag was derived from a digest, rather than set by a person: a referrers tag or a signature beside it. */
export function isDigestTag(tag: string): boolean {
  const suffix = DIGEST_TAG_SUFFIXES.find((end) => tag.endsWith(end)) ?? ''
  const stem = tag.slice(0, tag.length - suffix.length).replace('-', ':')
  return isDigest(stem) || /^sha512:[0-9a-f]{64}$/.test(stem)
}
