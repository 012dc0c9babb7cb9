import type { Descriptor } from '../oci/descriptor.js'
import { MediaType } from '../oci/media-types.js'
import type { Exchange } from './exchange.js'
import { MAX_PAGE_LENGTH } from './page.js'
import type { Route } from './route.js'
import type { RegistryStorage } from './storage/storage.js'

/** Clients accept lists of 4 MiB; annotations can make a few entries that large. */
const MAX_PAGE_SIZE = 2 * 1024 * 1024

/**
 * GET of the referrers of a manifest, which need not be there (distribution-spec, "Listing Referrers"). A list that
 * does not fit on one page is sorted by digest, so that a page can begin after the last entry of the one before.
 */
export function sendReferrers(
  exchange: Exchange,
  { repository, digest }: Extract<Route, { kind: 'referrers' }>,
  storage: RegistryStorage,
): void {
  const artifactType = exchange.query.get('artifactType')
  const all = storage.referrers(repository, digest)
  const wanted = artifactType === null ? all : all.filter((referrer) => referrer.artifactType === artifactType)
  const last = exchange.query.get('last')
  const page = last === null && fits(wanted) === wanted.length ? wanted : pageAfter(wanted, last ?? '')
  const end = page.at(-1)
  const more =
    last === null ? page.length < wanted.length : end !== undefined && wanted.some((one) => one.digest > end.digest)
  const next = new URLSearchParams(artifactType === null ? {} : { artifactType })
  next.set('last', end?.digest ?? '')
  exchange.sendJson(
    200,
    { schemaVersion: 2, mediaType: MediaType.imageIndex, manifests: page },
    {
      'Content-Type': MediaType.imageIndex,
      'OCI-Filters-Applied': artifactType === null ? undefined : 'artifactType',
      Link: more ? `<${exchange.path}?${next.toString()}>; rel="next"` : undefined,
    },
  )
}

function pageAfter(referrers: readonly Descriptor[], last: string): readonly Descriptor[] {
  const rest = referrers
    .filter(({ digest }) => digest > last)
    .sort((one, other) => (one.digest < other.digest ? -1 : 1))
  return rest.slice(0, fits(rest))
}

/** How many of the entries fit on a page; always one. */
function fits(referrers: readonly Descriptor[]): number {
  let size = 0
  for (const [index, referrer] of referrers.entries()) {
    size += Buffer.byteLength(JSON.stringify(referrer))
    if (index > 0 && (index >= MAX_PAGE_LENGTH || size > MAX_PAGE_SIZE)) return index
  }
  return referrers.length
}
