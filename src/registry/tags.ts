import { isTag } from '../oci/reference.js'
import type { TagListOptions } from '../store/store.js'
import { tagsPath } from './endpoints.js'
import { readNamePages } from './name-list.js'
import { repositoryText, scopesOf, type RepositoryContext } from './repository-context.js'

/**
 * Lists the tags of a repository, page by page. Entries that are no tags are left out and reported.
 * @param pageSize tags a page; a registry that refuses the number is asked without one
 * @throws GantryError `not-found` when there is no such repository; `limit-exceeded` when there are more than wanted
 */
export async function* listTags(
  context: RepositoryContext,
  pageSize: number,
  { last, maxListLength, onInvalid, signal }: TagListOptions = {},
): AsyncGenerator<string> {
  const pages = readNamePages(context.transport, {
    path: tagsPath(context.name, { last, size: pageSize }),
    plainPath: tagsPath(context.name, { last }),
    scopes: scopesOf(context, 'pull'),
    limit: context.maxManifestSize,
    repetition: context.repetition,
    what: `tags of ${repositoryText(context)}`,
    member: 'tags',
    isName: isTag,
    maxListLength,
    onInvalid,
    signal,
  })
  let isFirst = true
  for await (const tags of pages) {
    // The first page can hold the tag to go on after only where the registry does not know `last`.
    const isUnaware = isFirst && last !== undefined && tags.includes(last)
    yield* isUnaware ? tags.filter((tag) => tag > last) : tags
    isFirst = false
  }
}
