import {
  certificateRootsOf,
  createCredentialLookup,
  createTransport,
  readHttpHeaders,
  readRegistryCertificates,
  Repository,
  type RegistryTransport,
  type RepositoryOptions,
  type TransportEvent,
} from '../index.js'
import { settledAccess } from '../client/settled-access.js'
import type { OnSkippedFile } from '../credentials/credential-settings.js'
import {
  readRegistrySettings,
  registrySettingsFileOf,
  settingsOfRegistry,
  type RegistrySettings,
} from '../credentials/registry-settings.js'
import type { Context } from './context.js'
import type { ConnectionOptions } from './options/connection.js'
import { credentialSettings, proxyOf } from './options/environment.js'
import { usesPlainHttp } from './options/plain-http.js'
import type { RemoteOptions } from './options/remote.js'
import { formatTrace } from './output/trace.js'
import { Printer } from './output/printer.js'
import { tuneEngine } from './tune-engine.js'
import { VERSION } from './version.js'

interface Closable {
  close(): Promise<void>
}

/**
 * What one command call has opened: connections to registries, one for each registry and set of flags, and local
 * stores. Closed as a whole at the end.
 */
export class Session {
  readonly #context: Context
  readonly #connection: ConnectionOptions
  readonly #printer: Printer
  readonly #transports = new Map<RemoteOptions, Map<string, Promise<RegistryTransport & Closable>>>()
  readonly #open: Closable[] = []
  /** What the user has settled for registries, read when the first connection is made. */
  #settled: Promise<ReadonlyMap<string, RegistrySettings>> | undefined

  constructor(context: Context, connection: ConnectionOptions) {
    this.#context = context
    this.#connection = connection
    this.#printer = new Printer(context)
  }

  get connection(): ConnectionOptions {
    return this.#connection
  }

  /** The connection to a registry; the same one for the same registry and flags. */
  transport(registry: string, remote: RemoteOptions): Promise<RegistryTransport> {
    const ofRemote = this.#transports.get(remote) ?? new Map<string, Promise<RegistryTransport & Closable>>()
    this.#transports.set(remote, ofRemote)
    const transport = ofRemote.get(registry) ?? this.#connect(registry, remote)
    ofRemote.set(registry, transport)
    return transport
  }

  /** A repository of a registry. */
  async repository(
    registry: string,
    name: string,
    remote: RemoteOptions,
    options: RepositoryOptions = {},
  ): Promise<Repository> {
    const { maxManifestSize } = this.#connection
    return new Repository(await this.transport(registry, remote), name, {
      referrers: remote.referrers,
      ...options,
      ...(maxManifestSize === undefined ? {} : { maxManifestSize }),
    })
  }

  /** Has something closed together with the session. */
  closeLater<Opened extends Closable>(opened: Opened): Opened {
    this.#open.push(opened)
    return opened
  }

  /** Closes everything that was opened, whatever fails on the way. */
  async close(): Promise<void> {
    const transports = [...this.#transports.values()].flatMap((ofRemote) => [...ofRemote.values()])
    await Promise.allSettled([
      ...transports.map(async (transport) => (await transport).close()),
      ...this.#open.map((opened) => opened.close()),
    ])
  }

  async #connect(registry: string, remote: RemoteOptions): Promise<RegistryTransport & Closable> {
    tuneEngine()
    const { environment, homeFolder } = this.#context
    const onSkippedFile: OnSkippedFile = (_path, reason) => {
      if (this.#connection.debug) this.#printer.notice(`skipped: ${reason}`)
    }
    const roots = certificateRootsOf(homeFolder)
    const { ca, ...certificates } = await readRegistryCertificates(registry, roots, { onSkippedFile })
    const settings = { ...credentialSettings(this.#context, remote.registryConfig), onSkippedFile }
    this.#settled ??= readRegistrySettings(registrySettingsFileOf({ environment, homeFolder }), { onSkippedFile })
    const settled = await settledAccess(remote, settingsOfRegistry(await this.#settled, registry))
    const { tls = {}, trustedAuthHosts, plainHttp, chunkSize, concurrency } = settled
    const hasCertificates = ca.length > 0 || certificates.certificate !== undefined
    const { credential } = remote
    const lookup = credential === undefined ? createCredentialLookup(settings) : () => Promise.resolve(credential)
    const { attempts, maxRetryAfter, connectTimeout, headersTimeout, idleTimeout } = this.#connection
    return createTransport({
      registry,
      plainHttp: await usesPlainHttp(registry, { plainHttp, tls }, hasCertificates),
      tls: { ...certificates, ...tls, ca: [...ca, ...(tls.ca ?? [])] },
      chunkSize,
      concurrency,
      proxy: proxyOf(environment),
      resolve: remote.resolve,
      headers: { ...(await readHttpHeaders(settings)), ...remote.headers },
      credentials: lookup,
      trustedAuthHosts,
      userAgent: `gantry/${VERSION}`,
      retry: {
        ...(attempts === undefined ? {} : { attempts }),
        ...(maxRetryAfter === undefined ? {} : { maxRetryAfter }),
      },
      timeouts: {
        ...(connectTimeout === undefined ? {} : { connect: connectTimeout }),
        ...(headersTimeout === undefined ? {} : { headers: headersTimeout }),
        ...(idleTimeout === undefined ? {} : { body: idleTimeout }),
      },
      onEvent: (event) => this.#report(event),
      trace: this.#connection.debug,
    })
  }

  #report(event: TransportEvent): void {
    const text = formatTrace(event, this.#connection)
    if (text !== undefined) this.#printer.notice(text)
  }
}
