import { GantryError } from '../errors.js'
import { isTag } from '../oci/reference.js'
import type { TagListOptions } from '../store/store.js'
import type { JsonObject } from '../util/json.js'
import { visibleLine } from '../util/visible-text.js'
import { tagsPath } from './endpoints.js'
import { readPages } from './pages.js'
import { repositoryText, scopesOf, type RepositoryContext } from './repository-context.js'

/**
 * Lists the tags of a repository, page by page.
 * @param pageSize tags a page; a registry that refuses the number is asked without one
 * @throws GantryError `not-found` when there is no such repository; `invalid-content` for a tag that is none
 */
export async function* listTags(
  context: RepositoryContext,
  pageSize: number,
  options: TagListOptions = {},
): AsyncGenerator<string> {
  const { last, signal } = options
  const query = last === undefined ? {} : { last }
  const pages = readPages(context.transport, {
    path: tagsPath(context.name, { ...query, size: pageSize }),
    plainPath: tagsPath(context.name, query),
    scopes: scopesOf(context, 'pull'),
    limit: context.maxManifestSize,
    repetition: context.repetition,
    what: `tags of ${repositoryText(context)}`,
    isEmpty: ({ tags }) => !Array.isArray(tags) || tags.length === 0,
    signal,
  })
  let isFirst = true
  for await (const { document } of pages) {
    const tags = tagsIn(document, context)
    // The first page can hold the tag to go on after only where the registry does not know `last`.
    const isUnaware = isFirst && last !== undefined && tags.includes(last)
    yield* isUnaware ? tags.filter((tag) => tag > last) : tags
    isFirst = false
  }
}

function tagsIn(document: JsonObject, context: RepositoryContext): readonly string[] {
  const { tags } = document
  if (tags === null || tags === undefined) return []
  if (!Array.isArray(tags)) {
    throw new GantryError('invalid-content', `the tags of ${repositoryText(context)} are not a list`)
  }
  return tags.map((tag: unknown) => {
    if (typeof tag === 'string' && isTag(tag)) return tag
    const shown = visibleLine(String(tag).slice(0, 200))
    throw new GantryError(
      'invalid-content',
      `the registry lists "${shown}" among the tags of ${repositoryText(context)}`,
    )
  })
}
