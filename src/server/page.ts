import { Refusal } from './refusal.js'
import { compareNames } from './storage/compare-names.js'

/** The most names that one page lists. */
export const MAX_PAGE_LENGTH = 1000

export interface PageRequest {
  /** How many names are wanted: at most {@link MAX_PAGE_LENGTH}, which is also the default. */
  readonly limit: number
  /** The name after which the page starts. */
  readonly last?: string
}

export interface Page {
  readonly names: readonly string[]
  /** Value of the Link header when there is more. */
  readonly link?: string
}

/**
 * Reads `n` and `last` (distribution-spec, "Listing Tags").
 * @throws Refusal `PAGINATION_NUMBER_INVALID` when `n` is no natural number
 */
export function parsePageRequest(query: URLSearchParams): PageRequest {
  const n = query.get('n')
  const last = query.get('last')
  if (n !== null && !/^\d+$/.test(n)) {
    throw new Refusal('PAGINATION_NUMBER_INVALID', 'n is not a natural number')
  }
  return {
    limit: n === null ? MAX_PAGE_LENGTH : Math.min(Number(n), MAX_PAGE_LENGTH),
    last: last ?? undefined,
  }
}

/** Cuts a page out of sorted names; `path` is the address of the list, for the link to the next page. */
export function cutPage(names: readonly string[], { limit, last }: PageRequest, path: string): Page {
  const start = last === undefined ? 0 : firstAfter(names, last)
  const page = names.slice(start, start + limit)
  const end = page.at(-1)
  if (end === undefined || start + limit >= names.length) return { names: page }
  const next = new URLSearchParams({ n: String(limit), last: end })
  return { names: page, link: `<${path}?${next.toString()}>; rel="next"` }
}

function firstAfter(names: readonly string[], last: string): number {
  let low = 0
  let high = names.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareNames(names[middle] ?? '', last) <= 0) low = middle + 1
    else high = middle
  }
  return low
}
