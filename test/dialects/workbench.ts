import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { runCli, type CliResult } from '../cli/run-cli.js'
import { createTransport } from '../../src/registry/http/create-transport.js'
import type { HostOverride } from '../../src/registry/http/transport-options.js'
import { digestOf, type Digest } from '../../src/oci/digest.js'
import { MediaType } from '../../src/oci/media-types.js'
import { referrersTagOf } from '../../src/oci/referrers-tag.js'
import { readNewManifest } from '../../src/server/new-manifest.js'
import { Emulator } from '../emulator/emulator.js'
import type { EmulatorOptions } from '../emulator/emulator-options.js'
import { CANARY, type Profile } from '../emulator/profiles/profile.js'

/** Flags that lead to an emulator; with a prefix, to one end of a copy. */
export type Side = '' | 'from-' | 'to-'

/** A person with an account on one emulated registry, a folder to work in and nothing else. */
export class Workbench {
  readonly profile: Profile
  readonly emulator: Emulator
  readonly folder: string
  /** Everything that commands have printed, for what must not be in it. */
  readonly #printed: string[] = []

  private constructor(profile: Profile, emulator: Emulator, folder: string) {
    this.profile = profile
    this.emulator = emulator
    this.folder = folder
  }

  /** @param changes switches that this test wants besides those of the profile */
  static async open(profile: Profile, changes: EmulatorOptions = {}): Promise<Workbench> {
    const emulator = await Emulator.start({ ...profile.options, hosts: profile.hosts, ...changes })
    const folder = await mkdtemp(join(tmpdir(), `gantry-dialect-${profile.name}-`))
    const bench = new Workbench(profile, emulator, folder)
    await bench.write('ca.pem', emulator.authority)
    const headers = profile.options.general?.requiredHeaders ?? []
    const values = Object.fromEntries(headers.map((name) => [name, `${CANARY}-header`]))
    await bench.write('docker/config.json', JSON.stringify({ auths: {}, HttpHeaders: values }))
    return bench
  }

  /** The registry as people write it. */
  get registry(): string {
    return this.profile.registry ?? this.emulator.registry
  }

  /** A repository of the form that the vendor wants, as the registry itself knows it. */
  name(last = 'app'): string {
    return `${this.profile.namespace ?? 'project'}/${last}`
  }

  /** The same as people write it. */
  repository(last?: string): string {
    return `${this.registry}/${this.name(last)}`
  }

  /** Flags that lead to the emulator. */
  flags(side: Side = ''): string[] {
    const resolve = this.emulator.resolve.flatMap((entry) => [`--${side}resolve`, entry])
    return [`--${side}ca-file`, join(this.folder, 'ca.pem'), ...resolve]
  }

  /** Runs a command with the flags of one end. */
  run(...words: readonly string[]): Promise<CliResult> {
    return this.runWith({}, [...words, ...this.flags()])
  }

  /** Runs a command with exactly these words. */
  async runWith(
    options: { readonly stdin?: string; readonly environment?: Readonly<Record<string, string>> },
    words: readonly string[],
  ): Promise<CliResult> {
    const environment = {
      DOCKER_CONFIG: join(this.folder, 'docker'),
      SOURCE_DATE_EPOCH: '1577836800',
      ...options.environment,
    }
    const result = await runCli(words, { ...options, environment, homeFolder: this.folder })
    this.#printed.push(result.stdout, result.stderr)
    return result
  }

  /** Runs a command that has to work, and returns what it printed. */
  async do(...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...words)
    if (code !== 0) throw new Error(`gantry ${words.join(' ')} ended with ${code}: ${stderr}${stdout}`)
    return stdout
  }

  /** A connection of the library, with the account of the profile. */
  connect(): ReturnType<typeof createTransport> {
    const { username, password, refreshToken } = this.profile.account
    const headers = this.profile.options.general?.requiredHeaders ?? []
    return createTransport({
      registry: this.registry,
      tls: { ca: [this.emulator.authority] },
      resolve: this.emulator.resolve.map(parseOverride),
      headers: Object.fromEntries(headers.map((name) => [name, 'test'])),
      credentials: () => Promise.resolve({ type: 'basic', username, password: refreshToken ?? password }),
      retry: { firstDelay: 1 },
    })
  }

  async login(): Promise<CliResult> {
    const { username, password, refreshToken } = this.profile.account
    const words = ['login', this.registry, '-u', username, '--password-stdin', ...this.flags()]
    return this.runWith({ stdin: refreshToken ?? password }, words)
  }

  /** Writes a file below the folder, and returns its path. */
  async write(path: string, content: string | Uint8Array): Promise<string> {
    const absolute = join(this.folder, path)
    await mkdir(dirname(absolute), { recursive: true })
    await writeFile(absolute, content, { mode: 0o600 })
    return absolute
  }

  /** Puts a blob into the registry, past all that it may have against it. */
  async seedBlob(name: string, bytes: Uint8Array): Promise<Digest> {
    const { storage } = this.emulator
    const digest = digestOf(bytes)
    if (storage.blobSize(this.name(name), digest) !== undefined) return digest
    const writer = storage.createWriter('sha256')
    await writer.write(chunksOf(bytes), bytes.length)
    await storage.commitBlob(this.name(name), digest, writer)
    return digest
  }

  /** Puts an artifact without content into the registry, under any number of tags. */
  async seed(repository: string, tags: readonly string[], fields: object = {}): Promise<Digest> {
    await this.seedBlob(lastOf(repository), Buffer.from('{}'))
    const document = {
      schemaVersion: 2,
      mediaType: MediaType.imageManifest,
      artifactType: 'test/seed',
      config: EMPTY,
      layers: [EMPTY],
      annotations: { 'org.opencontainers.image.ref.name': repository },
      ...fields,
    }
    return this.#seedManifest(repository, document, tags)
  }

  /** Puts an artifact with one file into the registry. */
  async seedFile(
    name: string,
    tag: string,
    file: { readonly title: string; readonly bytes: Uint8Array },
  ): Promise<Digest> {
    const digest = await this.seedBlob(name, file.bytes)
    const annotations = { 'org.opencontainers.image.title': file.title }
    const layer = { mediaType: MediaType.octetStream, digest, size: file.bytes.byteLength, annotations }
    return this.seed(this.name(name), [tag], { layers: [layer] })
  }

  /** Puts an artifact `v1` and one that refers to it into the registry, noted where the registry keeps such notes. */
  async seedGraph(name: string): Promise<{ subject: Digest; referrer: Digest }> {
    const { storage } = this.emulator
    const repository = this.name(name)
    const subject = await this.seed(repository, ['v1'])
    const size = storage.manifest(repository, subject)?.size ?? 0
    const target = { mediaType: MediaType.imageManifest, digest: subject, size }
    const referrer = await this.seed(repository, [], { subject: target, artifactType: 'test/referrer' })
    if ((this.profile.options.referrers?.api ?? 'ok') === 'ok') return { subject, referrer }
    const entry = {
      mediaType: MediaType.imageManifest,
      digest: referrer,
      size: storage.manifest(repository, referrer)?.size ?? 0,
    }
    const index = {
      schemaVersion: 2,
      mediaType: MediaType.imageIndex,
      manifests: [{ ...entry, artifactType: 'test/referrer' }],
    }
    await this.#seedManifest(repository, index, [referrersTagOf(subject)])
    return { subject, referrer }
  }

  async #seedManifest(
    repository: string,
    document: { mediaType: string; subject?: object },
    tags: readonly string[],
  ): Promise<Digest> {
    const bytes = Buffer.from(JSON.stringify(document))
    const digest = digestOf(bytes)
    const { manifest } = readNewManifest(document.mediaType, { digest, bytes })
    await this.emulator.storage.putManifest(repository, { digest, bytes, manifest, tags })
    return digest
  }

  /** What was printed so far, and what the registry says that it was told. */
  get printed(): string {
    return this.#printed.join('')
  }

  async close(): Promise<void> {
    await this.emulator.close()
    await rm(this.folder, { recursive: true, force: true })
  }
}

function parseOverride(entry: string): HostOverride {
  const [host = '', port, address = '', addressPort] = entry.split(':')
  return { host, port: Number(port), address, addressPort: Number(addressPort) }
}

const EMPTY = { mediaType: MediaType.empty, digest: digestOf('{}'), size: 2 }

function lastOf(repository: string): string {
  return repository.split('/').at(-1) ?? repository
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
