import { CachedSource, LayoutStore, type Source } from '../index.js'

/** Opens the image layout that fetched content is kept in; it is made where there is none. */
export async function openCache(folder: string | undefined): Promise<LayoutStore | undefined> {
  return folder === undefined ? undefined : LayoutStore.open(folder, { create: true })
}

/** A source that takes from the cache what is there, and keeps there what it fetches. */
export async function openCachedSource(source: Source, folder: string): Promise<Source> {
  return new CachedSource(source, await LayoutStore.open(folder, { create: true }))
}
