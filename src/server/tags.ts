import type { Exchange } from './exchange.js'
import { cutPage, parsePageRequest } from './page.js'
import { Refusal } from './refusal.js'
import type { Route } from './route.js'
import type { RegistryStorage } from './storage/storage.js'

/**
 * GET of the tags of a repository (distribution-spec, "Listing Tags").
 * @throws Refusal `NAME_UNKNOWN`
 */
export function sendTags(
  exchange: Exchange,
  { repository }: Extract<Route, { kind: 'tags' }>,
  storage: RegistryStorage,
): void {
  const tags = storage.tags(repository)
  if (tags === undefined) throw new Refusal('NAME_UNKNOWN', 'there is no such repository')
  const page = cutPage(tags, parsePageRequest(exchange.query), exchange.path)
  exchange.sendJson(200, { name: repository, tags: page.names }, { Link: page.link })
}
