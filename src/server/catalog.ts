import type { Exchange } from './exchange.js'
import { cutPage, parsePageRequest } from './page.js'
import type { RegistryStorage } from './storage/storage.js'

/** GET of the repositories: no part of the distribution-spec, but of the API that it comes from. */
export function sendCatalog(exchange: Exchange, storage: RegistryStorage): void {
  const page = cutPage(storage.repositories(), parsePageRequest(exchange.query), exchange.path)
  exchange.sendJson(200, { repositories: page.names }, { Link: page.link })
}
