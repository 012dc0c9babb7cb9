import { GantryError } from '../errors.js'
import type { RepositoryOptions } from '../registry/repository.js'
import type { RegistryTransport } from '../registry/http/transport.js'
import type { LayoutStore } from '../store/layout.js'
import type { Source } from '../store/store.js'
import { checkArgument, checkOptions, type Kinds } from './check-arguments.js'
import { cacheFolderOf, Connections, surroundingsOf, type ConnectOptions, type RegistryAccess } from './connect.js'
import {
  openCopySink,
  openSink,
  openSource,
  withoutSteps,
  type CopyTarget,
  type Target,
  type WritableStore,
} from './open-target.js'
import { parseTargetName, type TargetNameOptions } from './target.js'

export interface ClientOptions extends ConnectOptions {
  /** Image layout that fetched content is kept in and taken from. Default: GANTRY_CACHE or ORAS_CACHE, else none. */
  readonly cacheFolder?: string
}

export interface OpenOptions extends TargetNameOptions {
  /** Another way to reach the registry than the client's own; connections for it are made anew. */
  readonly access?: RegistryAccess
  readonly repository?: RepositoryOptions
}

const OPEN_OPTIONS: Kinds<OpenOptions> = { access: 'object', repository: 'object', scheme: 'text', layoutPath: 'text' }

const CLIENT_OPTIONS: Kinds<ClientOptions> = {
  signal: 'object',
  credentials: 'any',
  plainHttp: 'flag',
  tls: 'object',
  resolve: 'list',
  headers: 'object',
  trustedAuthHosts: 'texts',
  referrers: 'text',
  chunkSize: 'number',
  environment: 'object',
  homeFolder: 'text',
  proxy: 'object',
  retry: 'object',
  timeouts: 'object',
  maxManifestSize: 'number',
  userAgent: 'text',
  onRequestEvent: 'function',
  trace: 'flag',
  onSkippedFile: 'function',
  onUnknownSetting: 'function',
  cacheFolder: 'text',
}

interface Closable {
  close(): Promise<void>
}

/** Opens references, finds credentials and keeps connections, one for each registry. */
export class Opener implements AsyncDisposable {
  readonly #options: ClientOptions
  readonly #connections: Connections
  readonly #open: Closable[] = []

  constructor(options: ClientOptions = {}) {
    checkOptions('client', options, CLIENT_OPTIONS)
    this.#options = options
    this.#connections = this.closeLater(new Connections(options))
  }

  /**
   * Opens a reference for reading.
   * @param reference `registry.example.com/team/app:v1`, or with a scheme such as `oci-layout:./folder:v1`; a target
   *   that is open is returned unchanged
   * @throws GantryError `invalid-reference`; `invalid-argument` when the path of a layout does not exist
   */
  async open(reference: string | Target, options: OpenOptions = {}): Promise<Target> {
    if (isTarget(reference)) return reference
    checkOptions('open', options, OPEN_OPTIONS)
    return openSource(parseTargetName(reference, options), this.connections(options.access), options.repository)
  }

  /**
   * Opens a reference for writing; a layout folder is made where there is none.
   * @throws GantryError `invalid-reference`
   */
  async openSink(reference: string | Target<WritableStore>, options: OpenOptions = {}): Promise<Target<WritableStore>> {
    if (isTarget(reference)) return reference
    checkOptions('open', options, OPEN_OPTIONS)
    return openSink(parseTargetName(reference, options), this.connections(options.access), options.repository)
  }

  /**
   * Opens the destination of a copy: like {@link openSink}, and a path that ends in `.tar` is written as one file.
   * @throws GantryError `invalid-reference`; `already-exists` for a tar, which is written once
   */
  async openCopySink(
    reference: string | CopyTarget | Target<WritableStore>,
    options: OpenOptions = {},
  ): Promise<CopyTarget> {
    if (isTarget(reference)) return 'complete' in reference ? reference : withoutSteps(reference)
    checkOptions('open', options, OPEN_OPTIONS)
    return openCopySink(parseTargetName(reference, options), this.connections(options.access))
  }

  /**
   * The connections to registries; with `access` others that are made for it, and closed with the client. What `access`
   * leaves open is as for the client.
   * @internal
   */
  connections(access?: RegistryAccess): Connections {
    return access === undefined
      ? this.#connections
      : this.closeLater(new Connections(optionsWith(this.#options, access)))
  }

  /** The connection to a registry, `host[:port]`; the same one each time. */
  async transport(registry: string): Promise<RegistryTransport> {
    checkArgument('the registry', 'text', registry)
    return this.#connections.transport(registry)
  }

  /** Largest manifest that is read, in bytes, where the client was told. */
  get maxManifestSize(): number | undefined {
    return this.#options.maxManifestSize
  }

  /** The image layout that fetched content is kept in; undefined where none is named. It is made where there is none. */
  async openCache(): Promise<LayoutStore | undefined> {
    const folder = this.#options.cacheFolder ?? cacheFolderOf(surroundingsOf(this.#options))
    if (folder === undefined) return undefined
    const { LayoutStore } = await import('../store/layout.js')
    return LayoutStore.open(folder, { create: true })
  }

  /** The source itself, or with the cache before it where there is one. */
  async withCache(source: Source): Promise<Source> {
    const cache = await this.openCache()
    if (cache === undefined) return source
    const { CachedSource } = await import('../graph/cached-source.js')
    return new CachedSource(source, cache)
  }

  /**
   * Has something closed together with the client.
   * @internal
   */
  closeLater<Opened extends Closable>(opened: Opened): Opened {
    this.#open.push(opened)
    return opened
  }

  /** Closes everything that was opened, whatever fails on the way. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#open.splice(0).map((opened) => opened.close()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

function optionsWith(own: ClientOptions, access: RegistryAccess): ClientOptions {
  const {
    credentials = own.credentials,
    plainHttp = own.plainHttp,
    tls = own.tls,
    resolve = own.resolve,
    headers = own.headers,
    trustedAuthHosts = own.trustedAuthHosts,
    referrers = own.referrers,
    chunkSize = own.chunkSize,
  } = access
  return { ...own, credentials, plainHttp, tls, resolve, headers, trustedAuthHosts, referrers, chunkSize }
}

/** Whether a verb was given a target that is open, and no reference. */
function isTarget<Opened extends object>(reference: string | Opened): reference is Opened {
  if (typeof reference === 'string') return false
  checkArgument('the reference', 'object', reference)
  if ('store' in reference) return true
  throw new GantryError('invalid-argument', 'the reference is an object, and no target that was opened')
}
