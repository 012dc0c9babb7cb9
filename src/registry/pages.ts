import { GantryError, isGantryError } from '../errors.js'
import { parseJsonObject, type JsonObject } from '../util/json.js'
import type { JsonShape } from '../util/json-structure.js'
import type { Scope } from './auth/scope.js'
import { requestBounded } from './bounded-request.js'
import type { RegistryAnswer, RegistryTransport, Repetition } from './http/transport.js'
import { nextTarget } from './link-header.js'
import { resolveRegistryAddress } from './registry-address.js'

/** Pages of one list that are followed at least. */
const MAX_PAGES = 10_000
/** Pages in a row that may be empty and still lead on. */
const MAX_EMPTY_PAGES = 3

export interface PageRequest {
  /** Path and query of the first page. */
  readonly path: string
  /** The same without a page size, for registries that answer 400 or 405 to sizes above their own bound. */
  readonly plainPath?: string
  readonly scopes: readonly Scope[]
  /** Largest page, in bytes. */
  readonly limit: number
  /** Names the list in errors, such as `tags of localhost:5000/app`. */
  readonly what: string
  readonly accept?: string
  /** The keys that a specification gives a page. */
  readonly shape?: JsonShape
  readonly repetition?: Repetition
  readonly signal?: AbortSignal
  /** Pages that are followed, where that is more than 10 000. */
  readonly maxPages?: number
  /** Whether a page has no entries. */
  readonly isEmpty: (document: JsonObject) => boolean
  /** Looks at each answer before its document is used. */
  readonly check?: (answer: RegistryAnswer) => void
}

export interface Page {
  readonly document: JsonObject
  readonly answer: RegistryAnswer
}

/**
 * Reads a list page by page, by the Link header of each (distribution-spec, "Listing Tags"; RFC 8288).
 * @throws GantryError `untrusted-destination` when a next page is not on the registry; `invalid-content` when a page
 *   comes twice, or when a page or the link to the next one is malformed; `limit-exceeded` when the list does not end.
 *   What came before has been handed on then.
 */
export async function* readPages(transport: RegistryTransport, request: PageRequest): AsyncGenerator<Page> {
  const first = new URL(request.path, transport.origin)
  const maxPages = Math.max(MAX_PAGES, request.maxPages ?? 0)
  const seen = new Set<string>()
  let address: string | undefined = first.href
  let emptyPages = 0
  while (address !== undefined) {
    if (seen.has(address))
      throw new GantryError('invalid-content', `the registry repeated a page of the ${request.what}`)
    if (seen.size === maxPages) {
      throw new GantryError('limit-exceeded', `the ${request.what} fill more than ${maxPages} pages`, {
        details: { reason: 'list-length' },
      })
    }
    seen.add(address)
    const page = await (seen.size === 1 ? readFirstPage : readPage)(transport, address, request)
    emptyPages = request.isEmpty(page.document) ? emptyPages + 1 : 0
    yield page
    const target = nextPage(page, request.what)
    if (target !== undefined && emptyPages > MAX_EMPTY_PAGES) {
      throw new GantryError('limit-exceeded', `the ${request.what} go on with empty pages`)
    }
    address = target === undefined ? undefined : nextAddress(target, address, { transport, first })
  }
}

function nextPage({ answer }: Page, what: string): string | undefined {
  try {
    return nextTarget(answer.headerList('link'))
  } catch (error) {
    if (!isGantryError(error)) throw error
    throw new GantryError(error.code, `the ${what} may be incomplete: ${error.message}`, error.options)
  }
}

async function readFirstPage(transport: RegistryTransport, address: string, request: PageRequest): Promise<Page> {
  try {
    return await readPage(transport, address, request)
  } catch (error) {
    const status = isGantryError(error) ? error.response?.status : undefined
    if (request.plainPath === undefined || (status !== 400 && status !== 405)) throw error
    return readPage(transport, new URL(request.plainPath, transport.origin).href, request)
  }
}

async function readPage(transport: RegistryTransport, address: string, request: PageRequest): Promise<Page> {
  const { answer, bytes } = await requestBounded(
    transport,
    {
      method: 'GET',
      url: address,
      scopes: request.scopes,
      retry: 'free',
      followRedirects: true,
      headers: request.accept === undefined ? undefined : { accept: request.accept },
      signal: request.signal,
    },
    { limit: request.limit, what: `a page of the ${request.what}`, repetition: request.repetition },
  )
  request.check?.(answer)
  return { document: parseJsonObject(bytes, `a page of the ${request.what}`, request.shape), answer }
}

/**
 * Registries behind a path prefix send links without it, or with a wrong one: a link that ends like the list itself
 * leads to the list, with the link's query.
 */
function nextAddress(target: string, base: string, list: { transport: RegistryTransport; first: URL }): string {
  const { origin, shown: mask } = list.transport
  const next = new URL(resolveRegistryAddress(target, { origin, base, what: 'next page', mask }))
  const ending = list.first.pathname.split('/').slice(-2).join('/')
  if (next.pathname !== list.first.pathname && next.pathname.endsWith(`/${ending}`)) next.pathname = list.first.pathname
  return next.href
}
