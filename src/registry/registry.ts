import { GantryError } from '../errors.js'
import { isRepositoryName } from '../oci/reference.js'
import { MAX_MANIFEST_SIZE } from '../oci/manifest.js'
import type { CallOptions } from '../store/store.js'
import { CATALOG_SCOPE } from './auth/scope.js'
import { catalogPath, PING_PATH } from './endpoints.js'
import type { RegistryTransport } from './http/transport.js'
import { readNamePages } from './name-list.js'
import { Repository, type RepositoryOptions } from './repository.js'
import { responseError } from './response-error.js'

export interface CatalogOptions extends CallOptions {
  /** List what comes after this repository. */
  readonly last?: string
  /** Repositories a page; default 1000. */
  readonly pageSize?: number
  /** Most repositories that are read; default 100 000. More are an error, after these were listed. */
  readonly maxListLength?: number
  /** Called with each entry that is no repository name, safe to print; default: the transport reports them. */
  readonly onInvalid?: (name: string) => void
}

/** A registry as a whole: whether it is there, and what repositories it has. */
export class Registry {
  readonly #transport: RegistryTransport

  constructor(transport: RegistryTransport) {
    this.#transport = transport
  }

  /** Host and port as in references. */
  get host(): string {
    return this.#transport.registry
  }

  /**
   * Asks whether this is a registry that accepts the credentials (distribution-spec, end-1).
   * @throws GantryError `unauthorized`; `unsupported` when there is something else at this address
   */
  async ping({ signal }: CallOptions = {}): Promise<void> {
    const answer = await this.#transport.request({
      method: 'GET',
      url: PING_PATH,
      scopes: [],
      retry: 'free',
      signal,
    })
    if (answer.status === 200) return answer.discard()
    if (answer.status !== 404) throw await responseError(answer)
    const { response } = await responseError(answer)
    throw new GantryError('unsupported', `${this.host} is no registry: it does not answer ${PING_PATH}`, {
      response,
    })
  }

  /**
   * Lists the repositories. Many registries do not offer this, or only to administrators. Entries that are no
   * repository names are left out and reported.
   * @throws GantryError `unsupported`, `unauthorized`, `denied`; `limit-exceeded` when there are more than wanted
   */
  async *catalog(options: CatalogOptions = {}): AsyncGenerator<string> {
    const { last, pageSize = 1000, maxListLength, onInvalid, signal } = options
    const pages = readNamePages(this.#transport, {
      path: catalogPath({ last, size: pageSize }),
      plainPath: catalogPath({ last }),
      scopes: [CATALOG_SCOPE],
      limit: MAX_MANIFEST_SIZE,
      what: `repositories of ${this.host}`,
      member: 'repositories',
      isName: isRepositoryName,
      maxListLength,
      onInvalid,
      signal,
    })
    try {
      for await (const names of pages) yield* names
    } catch (error) {
      throw this.#explainCatalog(error)
    }
  }

  /**
   * One repository of this registry.
   * @throws GantryError `invalid-reference` when `name` is no repository name
   */
  repository(name: string, options: RepositoryOptions = {}): Repository {
    return new Repository(this.#transport, name, options)
  }

  /** A missing endpoint reads better than "not found". */
  #explainCatalog(error: unknown): unknown {
    if (!(error instanceof GantryError) || error.response?.status !== 404) return error
    return new GantryError('unsupported', `${this.host} does not list its repositories`, {
      response: error.response,
      cause: error,
    })
  }
}
