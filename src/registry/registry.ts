import { GantryError } from '../errors.js'
import { isRepositoryName } from '../oci/reference.js'
import { MAX_MANIFEST_SIZE } from '../oci/manifest.js'
import type { CallOptions } from '../store/store.js'
import type { JsonObject } from '../util/json.js'
import { visibleLine } from '../util/visible-text.js'
import { CATALOG_SCOPE } from './auth/scope.js'
import { catalogPath, PING_PATH } from './endpoints.js'
import type { RegistryTransport } from './http/transport.js'
import { readPages } from './pages.js'
import { Repository, type RepositoryOptions } from './repository.js'
import { responseError } from './response-error.js'

export interface CatalogOptions extends CallOptions {
  /** List what comes after this repository. */
  readonly last?: string
  /** Repositories a page; default 1000. */
  readonly pageSize?: number
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
   * Lists the repositories. Many registries do not offer this, or only to administrators.
   * @throws GantryError `unsupported`, `unauthorized`, `denied`; `invalid-content` for a name that is none
   */
  async *catalog({ last, pageSize = 1000, signal }: CatalogOptions = {}): AsyncGenerator<string> {
    const query = last === undefined ? {} : { last }
    const pages = readPages(this.#transport, {
      path: catalogPath({ ...query, size: pageSize }),
      plainPath: catalogPath(query),
      scopes: [CATALOG_SCOPE],
      limit: MAX_MANIFEST_SIZE,
      what: `repositories of ${this.host}`,
      isEmpty: ({ repositories }) => !Array.isArray(repositories) || repositories.length === 0,
      signal,
    })
    try {
      for await (const { document } of pages) yield* this.#namesIn(document)
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

  #namesIn({ repositories }: JsonObject): readonly string[] {
    if (repositories === null || repositories === undefined) return []
    if (!Array.isArray(repositories)) {
      throw new GantryError('invalid-content', `the repositories of ${this.host} are not a list`)
    }
    return repositories.map((name: unknown) => {
      if (typeof name === 'string' && isRepositoryName(name)) return name
      const shown = visibleLine(String(name).slice(0, 300))
      throw new GantryError('invalid-content', `${this.host} lists the invalid repository "${shown}"`)
    })
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
