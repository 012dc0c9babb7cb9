import { stat } from 'node:fs/promises'
import { GantryError, isGantryError } from '../errors.js'
import { readGraph } from '../graph/read-graph.js'
import { isManifest, type Descriptor } from '../oci/descriptor.js'
import { parseManifest, successorsOf } from '../oci/manifest.js'
import { isSchema1Type } from '../oci/media-types.js'
import { LayoutStore } from '../store/layout.js'
import type { LayoutReader } from '../store/layout-reader.js'
import { stackLayouts } from '../store/layout-stack.js'
import { LayoutTar } from '../store/layout-tar.js'
import type { CallOptions } from '../store/store.js'
import { reasonOf } from '../util/file-error.js'

/** Annotation in `index.json` of a backup that leaves out what older ones have: their names. */
export const SINCE = 'gantry.backup.since'

/**
 * Opens backups, folders and tars, as one: later ones add to earlier ones.
 * @throws GantryError `not-found` when one is not there; as opening a layout
 */
export async function openBackup(paths: readonly string[]): Promise<LayoutReader> {
  const layouts: LayoutReader[] = []
  for (const path of paths) layouts.push(await openOne(path))
  return stackLayouts(layouts, (index) => index.annotations[SINCE] !== undefined)
}

async function openOne(path: string): Promise<LayoutReader> {
  const isFolder = await kindOf(path)
  try {
    return isFolder ? await LayoutStore.open(path) : await LayoutTar.open(path)
  } catch (error) {
    if (!isGantryError(error)) throw error
    const what = isFolder ? 'directory' : 'tar archive'
    throw new GantryError(
      error.code,
      `failed to prepare OCI store from ${what} "${path}": ${error.message}`,
      error.options,
    )
  }
}

async function kindOf(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (cause) {
    const reason = `failed to access input path "${path}": stat ${path}: ${reasonOf(cause)}`
    throw new GantryError('not-found', reason, { cause })
  }
}

/**
 * Makes sure that a backup holds everything that manifests need, before the first one is restored.
 * @throws GantryError `not-found` that names what is missing, and the older backups that hold it
 */
export async function checkComplete(
  backup: LayoutReader,
  roots: readonly Descriptor[],
  { signal }: CallOptions = {},
): Promise<void> {
  const missing: Descriptor[] = []
  await readGraph(
    roots,
    async (descriptor) => {
      try {
        await backup.checkBlob(descriptor, { signal })
      } catch (error) {
        if (!isGantryError(error, 'not-found')) throw error
        if (!isLeftOut(descriptor)) missing.push(descriptor)
        return undefined
      }
      if (!isManifest(descriptor) || isSchema1Type(descriptor.mediaType)) return undefined
      const content = await backup.readManifest(descriptor.digest, { signal })
      return { needs: successorsOf(parseManifest({ ...content, descriptor })) }
    },
    { signal },
  )
  if (missing.length === 0) return
  const since = await sinceOf(backup)
  const shown = missing.slice(0, 3).map(({ digest }) => digest)
  const more = missing.length > shown.length ? ` and ${missing.length - shown.length} more` : ''
  throw new GantryError('not-found', `the backup is incomplete: it does not hold ${shown.join(', ')}${more}`, {
    hint:
      since === undefined
        ? 'Nothing was restored.'
        : `It holds only what is newer than ${since}. Name that backup too, before this one. Nothing was restored.`,
  })
}

/** Layers that are fetched from their owner are in no backup. */
function isLeftOut({ urls = [] }: Descriptor): boolean {
  return urls.length > 0
}

async function sinceOf(backup: LayoutReader): Promise<string | undefined> {
  return (await backup.annotations())[SINCE]
}
