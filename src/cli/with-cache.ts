import { CachedSource, LayoutStore, type Source } from '../index.js'
import type { Context } from './context.js'

/**
 * The image layout that fetched content is kept in, when the environment names one: GANTRY_CACHE, or ORAS_CACHE, which
 * scripts set.
 */
export async function openCache({ environment }: Context): Promise<LayoutStore | undefined> {
  const folder = environment.GANTRY_CACHE ?? environment.ORAS_CACHE
  return folder === undefined || folder === '' ? undefined : LayoutStore.open(folder, { create: true })
}

/** A source that takes from the cache what is there, and keeps there what it fetches. */
export async function withCache(source: Source, context: Context): Promise<Source> {
  const cache = await openCache(context)
  return cache === undefined ? source : new CachedSource(source, cache)
}
