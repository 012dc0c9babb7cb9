import { isGantryError } from '../errors.js'
import type { Digest } from '../oci/digest.js'
import type { ManifestContent } from '../oci/manifest.js'
import type { CallOptions } from '../store/store.js'
import { deniesWhatIsAbsent } from './denied-lookup.js'
import { relationOf, type ReferrerRelation } from './referrer-relation.js'
import { hasReferrersApi, type ReferrersMode } from './referrers.js'
import { readReferrersTag, requireWritable } from './referrers-fallback.js'
import { referrersSupport } from './referrers-support.js'
import { changeReferrersTag } from './referrers-tag-writer.js'
import type { RepositoryContext } from './repository-context.js'

/** Reasons not to learn what a manifest refers to that are no reason not to delete it. */
const UNREADABLE = [
  'digest-mismatch',
  'invalid-content',
  'invalid-digest',
  'ambiguous-manifest',
  'unsupported',
  'limit-exceeded',
  'denied',
] as const

export interface RecordOptions extends CallOptions {
  /** Whether the registry has said that it has indexed the subject. */
  readonly announced: boolean
}

/**
 * Enters a manifest that was just stored in the list of its subject's referrers, where the registry does not do so.
 * @returns whether the registry keeps the list itself
 */
export async function recordReferrer(
  context: RepositoryContext,
  mode: ReferrersMode,
  { subject, referrer }: ReferrerRelation,
  { signal, announced }: RecordOptions,
): Promise<boolean> {
  if (mode === 'api') return true
  if (mode === 'auto') {
    const hasApi = await hasReferrersApi(context, subject.digest, { signal }).catch((error: unknown) => {
      // The registry's word counts where the question itself fails.
      if (announced && isGantryError(error) && error.code !== 'aborted') return true
      if (deniesWhatIsAbsent(context, error)) return false
      throw error
    })
    if (hasApi) return true
  }
  await changeReferrersTag(context, subject.digest, { kind: 'add', descriptor: referrer }, { signal })
  return false
}

/**
 * Makes sure, before a manifest is pushed, that it can be entered in the list of its subject's referrers, as far as
 * reading the list shows that.
 * @throws GantryError `conflict` when something else stands where the list has to be
 */
export async function checkReferrersList(
  context: RepositoryContext,
  mode: ReferrersMode,
  subject: Digest,
  options: CallOptions,
): Promise<void> {
  if (mode === 'api') return
  if (mode === 'auto') {
    const hasApi = await hasReferrersApi(context, subject, options).catch((error: unknown) => {
      if (deniesWhatIsAbsent(context, error)) return false
      throw error
    })
    if (hasApi) return
  }
  requireWritable(context, subject, await readReferrersTag(context, subject, options))
}

/**
 * What a manifest that is about to be deleted refers to, where it has to be taken off the list of referrers by hand.
 * @param read reads the manifest; not called where the registry keeps the list
 */
export async function relationToForget(
  context: RepositoryContext,
  mode: ReferrersMode,
  read: () => Promise<ManifestContent>,
  options: CallOptions,
): Promise<ReferrerRelation | undefined> {
  if (mode === 'api') return undefined
  if (mode === 'auto' && referrersSupport(context.transport) === 'supported') return undefined
  let relation: ReferrerRelation | undefined
  try {
    relation = relationOf(await read())
  } catch (error) {
    if (isGantryError(error, ...UNREADABLE)) return undefined
    throw error
  }
  if (relation === undefined || mode === 'tag') return relation
  return (await hasReferrersApi(context, relation.subject.digest, options)) ? undefined : relation
}
