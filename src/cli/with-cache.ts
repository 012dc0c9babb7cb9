import type { Source } from '../index.js'
import type { Context } from './context.js'
import { cacheFolderOf } from './options/environment.js'

/** The source itself, or with a cache before it where the environment names one: most calls load nothing for it. */
export async function withCache(source: Source, { environment }: Context): Promise<Source> {
  const folder = cacheFolderOf(environment)
  if (folder === undefined) return source
  const { openCachedSource } = await import('./open-cache.js')
  return openCachedSource(source, folder)
}
