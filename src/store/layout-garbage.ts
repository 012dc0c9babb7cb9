import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { GantryError, isGantryError } from '../errors.js'
import { isManifest, type Descriptor } from '../oci/descriptor.js'
import { DIGEST_ALGORITHMS, isDigest, type Digest } from '../oci/digest.js'
import { blobFolderOf } from '../oci/image-layout.js'
import type { LayoutIndex } from '../oci/layout-index.js'
import { parseManifest, successorsOf, type ManifestContent } from '../oci/manifest.js'
import { isSchema1Type } from '../oci/media-types.js'
import { schema1Layers } from '../oci/schema-1.js'
import { throwIfAborted } from '../util/abort.js'
import { isSystemError, withFileErrors } from '../util/file-error.js'
import { findLiveTempFile, sweepTempFiles } from '../util/temp-path.js'
import type { CallOptions } from './store.js'

const HOUR = 3_600_000

export interface GarbageOptions extends CallOptions {
  /** Only find out what would go. Default false. */
  readonly dryRun?: boolean
  /**
   * How old a blob has to be to go, in milliseconds: a program that knows nothing of our locks writes blobs before it
   * lists them. Default: an hour.
   */
  readonly minAge?: number
}

/** A file that nothing in a layout refers to. */
export interface GarbageBlob {
  readonly digest: Digest
  readonly size: number
}

export interface GarbageResult {
  /** What went, or would go. */
  readonly removed: readonly GarbageBlob[]
  /** What nothing refers to either, and is too young to go. */
  readonly kept: readonly GarbageBlob[]
}

/** What the collection needs to know of a layout. */
export interface LayoutView {
  readonly folder: string
  readonly index: LayoutIndex
  /** @throws GantryError `not-found` for a manifest that is not there */
  readManifest(descriptor: Descriptor): Promise<ManifestContent>
}

/**
 * Removes the blobs of a layout that `index.json` does not lead to, and what dead processes have left. The caller holds
 * the lock of the layout.
 * @throws GantryError `locked` while another process writes blobs; what is wrong with a manifest that is listed, and
 *   then nothing is removed
 */
export async function collectGarbage(layout: LayoutView, options: GarbageOptions = {}): Promise<GarbageResult> {
  const { dryRun = false, minAge = HOUR, signal } = options
  const folders = DIGEST_ALGORITHMS.map((algorithm) => ({
    algorithm,
    folder: join(layout.folder, blobFolderOf(algorithm)),
  }))
  for (const { folder } of folders) {
    const path = await findLiveTempFile(folder)
    if (path !== undefined) {
      throw new GantryError('locked', `another process writes to ${layout.folder}: ${path} is on its way`, {
        hint: 'Try again when that process has ended.',
      })
    }
  }
  const reached = await reachedFrom(layout, signal)
  const removed: (GarbageBlob & { readonly path: string })[] = []
  const kept: GarbageBlob[] = []
  const oldest = Date.now() - minAge
  for (const { algorithm, folder } of folders) {
    for (const name of await namesIn(folder)) {
      throwIfAborted(signal)
      const digest = `${algorithm}:${name}`
      if (!isDigest(digest) || reached.has(digest)) continue
      const path = join(folder, name)
      const { size, mtimeMs } = await withFileErrors('read', path, () => stat(path))
      if (mtimeMs > oldest) kept.push({ digest, size })
      else removed.push({ digest, size, path })
    }
  }
  if (!dryRun) {
    for (const { path } of removed) await withFileErrors('remove', path, () => rm(path, { force: true }))
    for (const folder of [layout.folder, ...folders.map((one) => one.folder)]) await sweepTempFiles(folder)
  }
  return { removed: removed.map(({ digest, size }) => ({ digest, size })), kept }
}

/** Everything that a layout lists, and what that needs, however deep. What is not there leads nowhere. */
async function reachedFrom(layout: LayoutView, signal: AbortSignal | undefined): Promise<ReadonlySet<Digest>> {
  const reached = new Set<Digest>()
  const pending = [...layout.index.entries].map(({ descriptor }) => descriptor)
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    throwIfAborted(signal)
    if (reached.has(next.digest)) continue
    reached.add(next.digest)
    if (isManifest(next)) pending.push(...(await neededBy(layout, next, reached)))
  }
  return reached
}

async function neededBy(
  layout: LayoutView,
  descriptor: Descriptor,
  reached: Set<Digest>,
): Promise<readonly Descriptor[]> {
  try {
    const content = await layout.readManifest(descriptor)
    if (!isSchema1Type(descriptor.mediaType)) return successorsOf(parseManifest(content))
    for (const layer of schema1Layers(content.bytes, `manifest ${descriptor.digest}`)) reached.add(layer)
    return []
  } catch (error) {
    if (isGantryError(error, 'not-found')) return []
    throw error
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await withFileErrors('list', folder, () => readdir(folder))
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return []
    throw error
  }
}
