import { certificateRootsOf, readRegistryCertificates } from '../credentials/certs-d.js'
import { createCredentialLookup } from '../credentials/credential-lookup.js'
import { credentialSettingsOf, type CredentialSettings } from '../credentials/credential-settings.js'
import type { Environment } from '../credentials/helper-program.js'
import { readHttpHeaders } from '../credentials/http-headers.js'
import type { OnSkippedFile } from '../credentials/optional-file.js'
import {
  readRegistrySettings,
  registrySettingsFileOf,
  settingsOfRegistry,
  type RegistrySettings,
} from '../credentials/registry-settings.js'
import type { Credential, CredentialLookup } from '../registry/auth/credential.js'
import { createTransport } from '../registry/http/create-transport.js'
import { greetInTls } from '../registry/http/tls-greeting.js'
import type { RegistryTransport } from '../registry/http/transport.js'
import type { TransportEvent } from '../registry/http/transport-event.js'
import type {
  HostOverride,
  ProxyOptions,
  RetryOptions,
  TimeoutOptions,
  TlsOptions,
} from '../registry/http/transport-options.js'
import type { ReferrersMode } from '../registry/referrers.js'
import { Repository, type RepositoryOptions } from '../registry/repository.js'
import { ownHomeFolder } from '../util/home-folder.js'
import { settledAccess } from './settled-access.js'

/** Files that hold credentials in Docker's form; the first is where logins are written. */
export interface CredentialFiles {
  readonly files: readonly string[]
}

/** How to reach registries, and who to be there. */
export interface RegistryAccess {
  /**
   * A credential, a function that finds one, files to look in, or `false` for nobody. Default: what Docker and Podman
   * have stored, their helpers, and what a CI system hands to its jobs.
   */
  readonly credentials?: Credential | CredentialLookup | CredentialFiles | false
  /** Speak HTTP instead of HTTPS. Default: HTTP for `localhost`, and for loopback addresses that speak no TLS. */
  readonly plainHttp?: boolean
  /** Added to what `certs.d` holds for the registry. */
  readonly tls?: TlsOptions
  /** Static name resolution. */
  readonly resolve?: readonly HostOverride[]
  /** Sent with every request to the registry's own origin, and never anywhere else. */
  readonly headers?: Readonly<Record<string, string>>
  /** Token services (`host[:port]`) that may see the credentials, besides those of the registry's own domain. */
  readonly trustedAuthHosts?: readonly string[]
  /** How referrers are found and recorded. Default: found out. */
  readonly referrers?: ReferrersMode
  /** Largest body of an upload request, in bytes; larger blobs are sent in chunks. Default: adapts to the registry. */
  readonly chunkSize?: number
}

/** What connections to all registries have in common. */
export interface ConnectOptions extends RegistryAccess {
  /** Default: that of this process. */
  readonly environment?: Environment
  /** Default: the user's, or what an `environment` that is given names as HOME; none when that names none. */
  readonly homeFolder?: string
  /** Default: the proxies that the environment names. */
  readonly proxy?: ProxyOptions
  readonly retry?: RetryOptions
  readonly timeouts?: TimeoutOptions
  /** Largest manifest, index or list page that is read, in bytes. Default 4 MiB. */
  readonly maxManifestSize?: number
  /** Default `gantry`. */
  readonly userAgent?: string
  /** Told of retries and warnings, and with `trace` of every request and response, without secrets. */
  readonly onRequestEvent?: (event: TransportEvent) => void
  /** Whether requests and responses are events too. Default false. */
  readonly trace?: boolean
  /** Told of optional files that are left out because they may not be read. */
  readonly onSkippedFile?: OnSkippedFile
  /** Told of unknown settings in the file with the settings of registries, which are left out. */
  readonly onUnknownSetting?: (problem: string) => void
  /** Ends credential helpers that run, and waiting for files that others write. */
  readonly signal?: AbortSignal
}

/** What of this process a client works with. This file alone in the library reads the environment and the home folder. */
export interface Surroundings {
  readonly environment: Environment
  readonly homeFolder: string | undefined
}

/** Fills in what was not given from this process. */
export function surroundingsOf({ environment, homeFolder }: ConnectOptions): Surroundings {
  // eslint-disable-next-line no-restricted-properties -- the one place of the library where the environment comes in
  if (environment === undefined) return { environment: process.env, homeFolder: homeFolder ?? ownHomeFolder() }
  const named = environment.HOME ?? environment.USERPROFILE
  return { environment, homeFolder: homeFolder ?? (named === '' ? undefined : named) }
}

/** The folder of the cache for fetched content: GANTRY_CACHE, or ORAS_CACHE, which scripts set. */
export function cacheFolderOf({ environment }: Surroundings): string | undefined {
  const folder = environment.GANTRY_CACHE ?? environment.ORAS_CACHE
  return folder === '' ? undefined : folder
}

/** Connections to registries that are reached in one way: one for each registry, closed together. */
export class Connections {
  readonly #options: ConnectOptions
  readonly #surroundings: Surroundings
  #settings: ReturnType<typeof readRegistrySettings> | undefined
  readonly #transports = new Map<string, Promise<RegistryTransport & { close(): Promise<void> }>>()

  constructor(options: ConnectOptions) {
    this.#options = options
    this.#surroundings = surroundingsOf(options)
  }

  /** Where credentials are looked up and stored. */
  credentialSettings(): CredentialSettings {
    const { credentials, signal, onSkippedFile } = this.#options
    const { environment, homeFolder } = this.#surroundings
    const registryConfig = isFiles(credentials) ? credentials.files : []
    const userId = process.getuid?.()
    return credentialSettingsOf({ env: environment, homeFolder, registryConfig, signal, userId, onSkippedFile })
  }

  /** The file with what the user has settled for registries; undefined where the user has no place for it. */
  settingsFile(): string | undefined {
    return registrySettingsFileOf(this.#surroundings)
  }

  /** Token services that may see the credentials, as these connections were told. */
  get trustedAuthHosts(): readonly string[] {
    return this.#options.trustedAuthHosts ?? []
  }

  /** The connection to a registry; the same one each time. */
  transport(registry: string): Promise<RegistryTransport> {
    const transport = this.#transports.get(registry) ?? this.#connect(registry)
    this.#transports.set(registry, transport)
    return transport
  }

  /**
   * A repository of a registry.
   * @param use `read` asks the mirrors that the user has settled for the registry before the registry itself
   */
  async repository(
    registry: string,
    name: string,
    options: RepositoryOptions = {},
    use: 'read' | 'write' = 'write',
  ): Promise<Repository> {
    const { maxManifestSize = this.#options.maxManifestSize, referrers = this.#options.referrers } = options
    const transport = use === 'read' ? await this.#readingTransport(registry) : await this.transport(registry)
    return new Repository(transport, name, { ...options, maxManifestSize, referrers })
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#transports.values()].map(async (transport) => (await transport).close()))
  }

  async #connect(registry: string): Promise<RegistryTransport & { close(): Promise<void> }> {
    const { environment, homeFolder } = this.#surroundings
    const { proxy = proxyOf(environment), headers, userAgent = 'gantry', trace = false } = this.#options
    const { resolve, retry, timeouts, onRequestEvent, onSkippedFile } = this.#options
    const roots = certificateRootsOf(homeFolder)
    const { ca, ...certificates } = await readRegistryCertificates(registry, roots, { onSkippedFile })
    const settled = await settledAccess(this.#options, await this.#settingsOf(registry))
    const { tls = {}, trustedAuthHosts, plainHttp, chunkSize, concurrency } = settled
    const hasCertificates = ca.length > 0 || certificates.certificate !== undefined
    return createTransport({
      registry,
      plainHttp: await usesPlainHttp(registry, { plainHttp, tls }, hasCertificates),
      tls: { ...tls, ...clientCertificateOf(tls, certificates), ca: [...ca, ...(tls.ca ?? [])] },
      proxy,
      resolve,
      headers: { ...(await readHttpHeaders(this.credentialSettings())), ...headers },
      credentials: this.#credentialLookup(),
      trustedAuthHosts,
      chunkSize,
      concurrency,
      userAgent,
      retry,
      timeouts,
      onEvent: onRequestEvent,
      trace,
    })
  }

  async #readingTransport(registry: string): Promise<RegistryTransport> {
    const { mirrors = [] } = await this.#settingsOf(registry)
    const transport = await this.transport(registry)
    if (mirrors.length === 0) return transport
    const { MirroredTransport } = await import('../registry/http/mirrored-transport.js')
    return new MirroredTransport(transport, await Promise.all(mirrors.map((mirror) => this.transport(mirror))))
  }

  /** What the user has settled for a registry; the file is read once. */
  async #settingsOf(registry: string): Promise<RegistrySettings> {
    const { onSkippedFile, onUnknownSetting } = this.#options
    this.#settings ??= readRegistrySettings(this.settingsFile(), { onSkippedFile, onUnknownSetting })
    return settingsOfRegistry(await this.#settings, registry)
  }

  #credentialLookup(): CredentialLookup | undefined {
    const { credentials } = this.#options
    if (credentials === false) return undefined
    if (typeof credentials === 'function') return credentials
    if (credentials === undefined || isFiles(credentials)) return createCredentialLookup(this.credentialSettings())
    return () => Promise.resolve(credentials)
  }
}

/** The client certificate that was given, else the one that certs.d has; never the key of one with the other. */
function clientCertificateOf(given: TlsOptions, stored: TlsOptions): Pick<TlsOptions, 'certificate' | 'key'> {
  const { certificate, key } = given.certificate === undefined ? stored : given
  return { certificate, key }
}

function isFiles(credentials: RegistryAccess['credentials']): credentials is CredentialFiles {
  return typeof credentials === 'object' && 'files' in credentials
}

/** The proxies that the environment names; lower-case names win, as in curl. */
function proxyOf(environment: Environment): ProxyOptions {
  // Behind a CGI gateway HTTP_PROXY is a header of the request and not a setting.
  const upperCaseHttp = environment.REQUEST_METHOD === undefined ? environment.HTTP_PROXY : undefined
  const variables: Environment = { ...environment, HTTP_PROXY: upperCaseHttp }
  const nameOf = (...names: string[]): string | undefined => names.find((name) => variables[name] !== undefined)
  const http = nameOf('http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY')
  const https = nameOf('https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY')
  const valueOf = (name: string | undefined): string | undefined =>
    name === undefined || variables[name] === '' ? undefined : variables[name]
  return {
    http: valueOf(http),
    https: valueOf(https),
    noProxy: environment.no_proxy ?? environment.NO_PROXY,
    origin: { http, https },
  }
}

/**
 * Decides between HTTPS and plain HTTP: the option decides; `localhost` is plain, as `oras` has it; other loopback
 * addresses are asked, without sending anything secret; everything else is HTTPS and never falls back.
 */
async function usesPlainHttp(
  registry: string,
  { plainHttp, tls = {} }: RegistryAccess,
  hasCertificates: boolean,
): Promise<boolean> {
  if (plainHttp !== undefined) return plainHttp
  const origin = new URL(`https://${registry}`)
  const { hostname } = origin
  const namesCertificates = hasCertificates || tls.ca !== undefined || tls.certificate !== undefined
  if (hostname === 'localhost') return !namesCertificates
  const isLoopback = hostname === '[::1]' || hostname.startsWith('127.')
  if (!isLoopback || namesCertificates || tls.insecure === true) return false
  // Where nobody listens the error is that of HTTPS.
  return (await greetInTls(origin)) === 'plain'
}
