import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { GantryError } from '../errors.js'
import { LayoutStore } from '../store/layout.js'
import { LayoutTarWriter } from '../store/layout-tar-writer.js'
import type { Sink, Source, TagSource } from '../store/store.js'
import { isSystemError } from '../util/file-error.js'
import { copyTags, resolveTags, type CopiedTag, type CopyTagsOptions } from './copy-tags.js'
import { openBackup, SINCE } from './open-backup.js'

export interface BackupOptions extends CopyTagsOptions {
  /** Default: every tag that is there. */
  readonly tags?: readonly string[] | undefined
  /**
   * Older backups whose content is left out: only together with them can the new one, which has to be a tar, be
   * restored. Later ones were made after earlier ones.
   */
  readonly since?: readonly string[] | undefined
  /** Called when the tags are known, before anything is copied. */
  readonly onTags?: ((tags: readonly string[]) => void) | undefined
  /** Called when everything is in a tar that only lacks its end. */
  readonly onComplete?: (() => void) | undefined
}

export interface BackupResult {
  readonly tags: readonly CopiedTag[]
  /** Of the tar, in bytes; undefined for a folder. */
  readonly size: number | undefined
}

/**
 * Backs up tags of a repository into an image layout: a tar where the path ends in `.tar`, which appears complete or not
 * at all and replaces one that is there, else a folder, which keeps what it has.
 * @throws GantryError `not-found` for a tag, and when there is none; `already-exists` for a folder that ends in `.tar`;
 *   `file-error`; and as copying
 */
export async function backup(
  source: Source & TagSource,
  path: string,
  { tags: wanted = [], since = [], onTags, onComplete, ...options }: BackupOptions = {},
): Promise<BackupResult> {
  const output = await openOutput(path, since)
  try {
    const found = await resolveTags(source, wanted, options)
    if (found.length === 0) throw new GantryError('not-found', 'no tags found in the repository')
    onTags?.(found.map(({ tag }) => tag))
    const tags = await copyTags(source, output.sink, found, { ...options, what: 'back up' })
    if (output.writer === undefined) return { tags, size: undefined }
    onComplete?.()
    await output.writer.close()
    return { tags, size: (await stat(path)).size }
  } catch (error) {
    await output.writer?.abort()
    throw error
  }
}

interface Output {
  readonly sink: Sink
  /** Set where the output is a tar, which has to be closed. */
  readonly writer?: LayoutTarWriter | undefined
}

async function openOutput(path: string, since: readonly string[]): Promise<Output> {
  if (!/\.tar$/i.test(path)) {
    if (since.length === 0) return { sink: await LayoutStore.open(path, { create: true }) }
    throw new GantryError('invalid-argument', `"${path}" is a folder, which keeps what it has`, {
      hint: 'What an older backup has can be left out of a tar: name one that ends in .tar.',
    })
  }
  if (await isFolder(path)) {
    throw new GantryError('already-exists', `the output path "${path}" already exists and is a directory`, {
      hint: 'To back up to a tar archive, please specify a different output file name or remove the existing directory.',
    })
  }
  const older = since.length === 0 ? undefined : await openBackup(since)
  const writer = await LayoutTarWriter.create(path, {
    older,
    annotations: older === undefined ? undefined : { [SINCE]: since.map((file) => basename(file)).join(', ') },
  })
  return { sink: writer, writer }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (cause) {
    // Whatever else keeps it from being seen, making the archive will tell.
    if (isSystemError(cause, 'ENOENT', 'ENOTDIR', 'EACCES')) return false
    throw cause
  }
}
