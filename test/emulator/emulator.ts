import { createAuthority, createCertificate } from '../registry/http/certificates.js'
import type { RegistryStorage } from '../../src/server/storage/storage.js'
import { emptyAnswer, type EmulatedAnswer } from './answer.js'
import { createAuthGate } from './auth/auth-gate.js'
import type { ChallengeContext } from './auth/challenge.js'
import { TokenBook } from './auth/token-book.js'
import { TokenServer } from './auth/token-server.js'
import { composeLayers, type Call, type Layer, type Next } from './call.js'
import { createAlgorithmLayer } from './content/algorithm-layer.js'
import { createBlobEdit, createBlobLayer } from './content/blob-layer.js'
import { createManifestReadLayer, createManifestWriteLayer } from './content/manifest-layer.js'
import { createNameLayer, createPolicyLayer } from './content/policy-layer.js'
import { createRouterLayer } from './content/router-layer.js'
import { SignedBlobs } from './content/signed-blobs.js'
import type { EmulatorOptions } from './emulator-options.js'
import { InnerRegistry } from './inner-registry.js'
import { createEncodingLayer, createFaultLayer } from './limits/fault-layer.js'
import { createErrorShapeLayer, createGeneralLayer, createLocationLayer } from './limits/general-layer.js'
import { createRateLimitLayer } from './limits/rate-limit-layer.js'
import { createCatalogLayer } from './lists/catalog-layer.js'
import { createDeleteLayer } from './lists/delete-layer.js'
import { createReferrersLayer } from './lists/referrers-layer.js'
import { createTagsLayer } from './lists/tags-layer.js'
import { Origin } from './origin.js'
import { RequestLog } from './request-log.js'
import { createMountLayer } from './uploads/mount-layer.js'
import { createUploadLayer } from './uploads/upload-layer.js'
import { VirtualTime } from './virtual-time.js'

/** One authority for all emulators of a process: making keys takes longer than all the rest of a start. */
const AUTHORITY = createAuthority('emulated registries')

interface Origins {
  readonly registry: Origin
  readonly tokens: Origin
  readonly blobs: Origin
}

/** A registry that behaves like one of those in the field, with its token service and its storage of blobs. */
export class Emulator {
  readonly log = new RequestLog()
  readonly time = new VirtualTime()
  /** The certificate authority that clients have to trust where there are names. */
  readonly authority = AUTHORITY.cert
  readonly #options: EmulatorOptions
  readonly #inner: InnerRegistry
  readonly #tokens: TokenBook
  readonly #tokenServer: TokenServer
  readonly #signed: SignedBlobs
  #origins: Origins | undefined
  #draws = 0

  private constructor(inner: InnerRegistry, options: EmulatorOptions) {
    const { auth = {}, token: switches = {}, blob = {} } = options
    this.#inner = inner
    this.#options = options
    this.#tokens = new TokenBook(this.time, switches)
    this.#tokenServer = new TokenServer({ auth, switches, tokens: this.#tokens, time: this.time })
    const edit = createBlobEdit(blob)
    this.#signed = new SignedBlobs({
      switches: blob,
      time: this.time,
      origin: () => this.origins.blobs.origin,
      read: (call) => edit(call, (last) => inner.ask(last)),
    })
  }

  /** Starts an emulator on free ports of this machine. */
  static async start(options: EmulatorOptions = {}): Promise<Emulator> {
    const { maxSize } = options.manifest ?? {}
    const { maxBlobSize } = options.upload ?? {}
    const inner = await InnerRegistry.start({
      ...(maxSize === undefined ? {} : { maxManifestSize: maxSize }),
      ...(maxBlobSize === undefined ? {} : { maxBlobSize }),
    })
    const emulator = new Emulator(inner, options)
    await emulator.#listen()
    return emulator
  }

  /** What the registry holds, behind all switches. */
  get storage(): RegistryStorage {
    return this.#inner.storage
  }

  get origins(): Origins {
    if (this.#origins === undefined) throw new Error('the emulator is not listening yet')
    return this.#origins
  }

  /** The registry as references name it. */
  get registry(): string {
    return this.origins.registry.host
  }

  /** Where requests of tests go that know nothing of names. */
  get url(): string {
    return this.origins.registry.origin
  }

  /** Each name that leads to this machine, as `--resolve` has it. */
  get resolve(): readonly string[] {
    const { hosts } = this.#options
    if (hosts === undefined) return []
    const { registry, tokens, blobs } = this.origins
    const names: readonly (readonly [string, Origin])[] = [
      ...(hosts.aliases ?? []).map((alias) => [alias, registry] as const),
      [hosts.registry, registry],
      [hosts.tokens, tokens],
      [hosts.blobs, blobs],
    ]
    return names.map(([name, { port }]) => `${withPort(name)}:127.0.0.1:${port}`)
  }

  async close(): Promise<void> {
    const { registry, tokens, blobs } = this.origins
    await Promise.all([registry.close(), tokens.close(), blobs.close()])
    await this.#inner.close()
  }

  async #listen(): Promise<void> {
    const { hosts } = this.#options
    const { log } = this
    const names = hosts === undefined ? [] : [hosts.registry, hosts.tokens, hosts.blobs, ...(hosts.aliases ?? [])]
    const certified = names.map((name) => new URL(`https://${name}`).hostname)
    const tls =
      names.length === 0 ? {} : { tls: createCertificate({ name: 'emulator', hosts: certified, issuer: AUTHORITY }) }
    const named = (name: string | undefined) => (name === undefined ? {} : { name })
    const stack = this.#composeStack()
    const registry = await Origin.start({ role: 'registry', log, ...named(hosts?.registry), ...tls }, stack)
    const tokens = await Origin.start({ role: 'tokens', log, ...named(hosts?.tokens), ...tls }, (call) =>
      this.#grant(call),
    )
    const blobs = await Origin.start({ role: 'blobs', log, ...named(hosts?.blobs), ...tls }, (call) =>
      this.#signed.answer(call),
    )
    this.#origins = { registry, tokens, blobs }
  }

  async #grant(call: Call): Promise<EmulatedAnswer> {
    return (await this.#tokenServer.answer(call)) ?? emptyAnswer(404)
  }

  /** Tokens are to be had at the registry itself unless its challenges name another host. */
  async #grantHere(call: Call): Promise<EmulatedAnswer | undefined> {
    const { type, realm = 'own' } = this.#options.auth ?? {}
    return type !== 'bearer' || realm === 'otherHost' ? undefined : this.#tokenServer.answer(call)
  }

  #composeStack(): Next {
    const { auth = {}, general = {}, http = {}, manifest = {}, mount = {}, rateLimit, catalog = 'ok' } = this.#options
    const { storage } = this.#inner
    const addresses = () => ({ own: this.origins.registry.origin, other: this.origins.blobs.origin })
    const layers: readonly Layer[] = [
      createFaultLayer(http),
      createGeneralLayer(general),
      ...(general.absoluteLocations === true ? [createLocationLayer(() => this.origins.registry.origin)] : []),
      async (call, next) => (await this.#grantHere(call)) ?? next(call),
      createErrorShapeLayer(general.errorShape ?? 'standard'),
      ...(http.contentEncoding === undefined ? [] : [createEncodingLayer(http)]),
      createAuthGate({
        switches: auth,
        tokens: this.#tokens,
        mountNeedsPull: mount.requiresPullScope ?? false,
        challenge: () => this.#challengeContext(),
      }),
      ...(rateLimit === undefined ? [] : [createRateLimitLayer(rateLimit, this.time)]),
      ...(this.#options.names?.strictRouter === true ? [createRouterLayer()] : []),
      createNameLayer(this.#options.names ?? {}, storage),
      createPolicyLayer(this.#options.policy ?? {}, storage),
      createUploadLayer(this.#options.upload ?? {}, addresses),
      createMountLayer(mount),
      ...(this.#options.blob?.sha256Only === true ? [createAlgorithmLayer()] : []),
      createBlobLayer(this.#options.blob ?? {}, this.#signed),
      createReferrersLayer(this.#options.referrers ?? {}, storage),
      createManifestReadLayer(manifest),
      createManifestWriteLayer(manifest, storage),
      ...(this.#options.tags === undefined ? [] : [createTagsLayer(this.#options.tags, { storage, addresses })]),
      createCatalogLayer(catalog, this.#options.catalogMaxN),
      createDeleteLayer(this.#options.delete ?? {}, storage),
    ]
    return composeLayers(layers, (call) => this.#inner.ask(call))
  }

  #challengeContext(): ChallengeContext {
    const { auth = {} } = this.#options
    const { registry, tokens } = this.origins
    const path = auth.realmPath ?? '/token'
    const realms = {
      own: `${registry.origin}${path}`,
      otherHost: `${tokens.origin}${path}`,
      relative: path,
      withQuery: `${registry.origin}${path}?tenant=one`,
      private: `http://10.0.0.1${path}`,
      http: `http://${tokens.host}${path}`,
    }
    const service = auth.service ?? registry.host
    return { switches: auth, realm: realms[auth.realm ?? 'own'], service, random: () => (this.#draws++ * 0.618) % 1 }
  }
}

function withPort(name: string): string {
  return name.includes(':') ? name : `${name}:443`
}
