import { stat } from 'node:fs/promises'
import { GantryError } from '../errors.js'
import { planGraph } from '../graph/plan-copy.js'
import type { LayoutReader } from '../store/layout-reader.js'
import { MemoryStore } from '../store/memory.js'
import type { Sink } from '../store/store.js'
import { copyTags, resolveTags, type CopiedTag, type CopyTagsOptions, type TaggedManifest } from './copy-tags.js'
import { checkComplete, openBackup } from './open-backup.js'

export interface RestoreOptions extends CopyTagsOptions {
  /** Default: every tag of the backup. */
  readonly tags?: readonly string[] | undefined
  /** Find out what would be restored; the sink is not asked. */
  readonly dryRun?: boolean | undefined
  /** Called for each backup that is a tar, with its size in bytes, once it is open. */
  readonly onArchive?: ((path: string, size: number) => void) | undefined
  /** Called when the tags are known, before anything is copied. */
  readonly onTags?: ((tags: readonly string[]) => void) | undefined
}

/**
 * Restores tags of backups, folders or tars, to a repository.
 * @param paths of one backup, or of older ones and of those that were made since
 * @param options.referrers default true
 * @throws GantryError `not-found` for a backup, a tag or content that is not there, before anything is restored; as
 *   copying
 */
export async function restore(
  paths: readonly string[],
  sink: Sink,
  { tags: wanted = [], referrers = true, dryRun = false, onArchive, onTags, ...options }: RestoreOptions = {},
): Promise<readonly CopiedTag[]> {
  const backup = await openBackup(paths)
  for (const path of paths) {
    const found = await stat(path)
    if (!found.isDirectory()) onArchive?.(path, found.size)
  }
  const tags = await resolveTags(backup, wanted, options)
  if (tags.length === 0) {
    const path = paths.at(-1) ?? ''
    throw new GantryError('not-found', `no tags found in OCI layout "${path}"`, {
      hint: `If you want to list available tags in "${path}", use "gantry repo tags --oci-layout"`,
    })
  }
  onTags?.(tags.map(({ tag }) => tag))
  await checkComplete(
    backup,
    tags.map(({ descriptor }) => descriptor),
    options,
  )
  if (dryRun) return rehearse(backup, tags, { ...options, referrers })
  return copyTags(backup, sink, tags, { ...options, referrers, what: 'restore' })
}

/** What would be copied to an empty repository. */
async function rehearse(
  backup: LayoutReader,
  tags: readonly TaggedManifest[],
  { referrers = true, onTag, signal }: CopyTagsOptions,
): Promise<readonly CopiedTag[]> {
  const rehearsed: CopiedTag[] = []
  for (const { tag, descriptor } of tags) {
    const plan = await planGraph(backup, { descriptor }, new MemoryStore(), { referrers, signal })
    const copied = { nodes: plan.nodesToMove, bytes: plan.bytesToMove }
    const one = { tag, descriptor, referrers: referrers ? plan.referrers : 0, copied }
    onTag?.(one)
    rehearsed.push(one)
  }
  return rehearsed
}
