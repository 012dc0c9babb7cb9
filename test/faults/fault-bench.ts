import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { runCli, type CliResult } from '../cli/run-cli.js'
import { createTransport } from '../../src/registry/http/create-transport.js'
import { Repository, type RepositoryOptions } from '../../src/registry/repository.js'
import { startRegistryServer, type RegistryServer } from '../../src/server/registry-server.js'
import type { AuthenticationOptions } from '../../src/server/auth/authenticator.js'
import type { Descriptor } from '../../src/oci/descriptor.js'
import { seedArtifact } from '../cli/fixture.js'
import { snapshotFolder } from '../emulator/folder-snapshot.js'
import { startScriptedServer, type Script, type ScriptedServer } from '../registry/http/scripted-server.js'
import { passTimeQuickly } from './fast-time.js'
import { FaultyWire } from './faulty-wire.js'

/** The repository that all these tests work with. */
export const NAME = 'team/app'
const USERNAME = 'someone'
/** A password that must not turn up anywhere but in requests to the registry and its token service. */
export const CANARY = 'canary-5e3d1'

/** Paths of requests, without their query. */
export const BLOB = /\/blobs\/sha256:[0-9a-f]{64}$/
export const UPLOADS = /\/blobs\/uploads\/$/
export const UPLOAD = /\/blobs\/uploads\/[^/]+$/
export const MANIFEST = /\/manifests\//
export const TOKEN = /^\/token$/

export interface FaultBenchOptions {
  readonly auth?: AuthenticationOptions['type']
  /** Speak TLS with this certificate on the wire, and trust it. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** How fast time passes, see {@link passTimeQuickly}. */
  readonly step?: number
  /** Log every request on stderr, as a better proof that secrets are not shown; default true. */
  readonly debug?: boolean
}

export interface Failure {
  /** Default 1. */
  readonly code?: number
  readonly message: RegExp
}

/** Someone with an account on a real registry, with a faulty wire on the way to it and a folder to work in. */
export class FaultBench {
  readonly wire: FaultyWire
  readonly folder: string
  /** The way to the registry past the wire. */
  readonly behind: Repository
  readonly #direct: ReturnType<typeof createTransport>
  readonly #options: FaultBenchOptions
  #printed = ''

  private constructor(parts: {
    registry: RegistryServer
    wire: FaultyWire
    folder: string
    options: FaultBenchOptions
  }) {
    const { registry, wire, folder, options } = parts
    this.wire = wire
    this.folder = folder
    this.#options = options
    this.#direct = createTransport({ registry: registry.registry, plainHttp: true, credentials: findCanary })
    this.behind = new Repository(this.#direct, NAME)
  }

  /** Opens a bench for the running test. */
  static async open(options: FaultBenchOptions = {}): Promise<FaultBench> {
    passTimeQuickly(options.step)
    const { auth = 'basic', tls } = options
    const registry = await startRegistryServer({
      authentication: { type: auth, users: { [USERNAME]: CANARY } },
      // Clients know it by the address of the wire.
      allowRemote: true,
    })
    const wire = await FaultyWire.start(registry.url, tls === undefined ? {} : { tls })
    const folder = await mkdtemp(join(tmpdir(), 'gantry-faults-'))
    const bench = new FaultBench({ registry, wire, folder, options })
    onTestFinished(async () => {
      await bench.#direct.close()
      await wire.close()
      await registry.close()
      await rm(folder, { recursive: true, force: true })
    })
    await bench.#furnish()
    return bench
  }

  get reference(): string {
    return `${this.wire.host}/${NAME}:v1`
  }

  /** Puts an artifact with the file `content.bin` behind the wire. */
  async seed(bytes: Uint8Array, tag = 'v1'): Promise<Descriptor> {
    return seedArtifact(this.behind, { text: bytes, title: 'content.bin', tag, artifactType: 'test/file' })
  }

  /** Where `pull` puts its files; it holds a file already. */
  get output(): string {
    return join(this.folder, 'output')
  }

  /** Where `copy` can put a layout. */
  get layout(): string {
    return join(this.folder, 'layout')
  }

  /** A connection of the library over the wire. */
  connect(options: RepositoryOptions = {}): Repository {
    const transport = createTransport({
      registry: this.wire.host,
      plainHttp: this.#options.tls === undefined,
      credentials: findCanary,
    })
    onTestFinished(() => transport.close())
    return new Repository(transport, NAME, options)
  }

  /** Starts a server that has nothing to do with the registry. */
  async startStranger(script: Script = ({ answer }) => answer(200)): Promise<ScriptedServer> {
    const stranger = await startScriptedServer(script, { readBody: false })
    onTestFinished(() => stranger.close())
    return stranger
  }

  /** Runs a command with the account, after which no secret may have been shown and no connection may be open. */
  async run(words: readonly string[]): Promise<CliResult> {
    const { tls, debug = true } = this.#options
    const prefix = words[0] === 'copy' ? '--from-' : '--'
    const way = tls === undefined ? [`${prefix}plain-http`] : [`${prefix}ca-file`, join(this.folder, 'ca.pem')]
    const result = await runCli([...words, ...way, ...(debug ? ['--debug'] : [])], {
      environment: { DOCKER_CONFIG: join(this.folder, 'docker'), SOURCE_DATE_EPOCH: '1577836800' },
      homeFolder: this.folder,
    })
    this.#printed += result.stdout + result.stderr
    this.#expectSecretsKept()
    this.wire.thaw()
    await expect.poll(() => this.wire.openConnections, { interval: 2 }).toBe(0)
    return result
  }

  /** Runs a command that has to work, and to leave nothing open at the registry. */
  async succeeds(...words: readonly string[]): Promise<CliResult> {
    const result = await this.run(words)
    expect(result.code, result.stderr).toBe(0)
    await this.expectNoUploads()
    return result
  }

  /** Runs a command that has to fail, and to leave everything as it was: here, and at the registry. */
  async fails(words: readonly string[], { code = 1, message }: Failure): Promise<CliResult> {
    const before = await snapshotFolder(this.folder)
    const result = await this.run(words)
    expect(result.stderr).toMatch(message)
    expect(result.stderr).not.toContain('This is a bug')
    expect(result.code, result.stderr).toBe(code)
    expect(await snapshotFolder(this.folder), 'files of the person').toEqual(before)
    await this.expectNoUploads()
    return result
  }

  /** Pulls the artifact, which has to work: the new file beside the old one, and nothing else. */
  async pulls(content: Uint8Array, ...flags: readonly string[]): Promise<CliResult> {
    const before = await snapshotFolder(this.folder)
    const result = await this.succeeds('pull', this.reference, '-o', this.output, ...flags)
    const file = await readFile(join(this.output, 'content.bin'))
    expect(file.equals(content), 'the content of the file').toBe(true)
    const after = await snapshotFolder(this.folder)
    expect(after.filter((line) => !line.startsWith('output/content.bin '))).toEqual(before)
    return result
  }

  /** Tries to pull the artifact, which has to fail. */
  async failsToPull(failure: Failure, ...flags: readonly string[]): Promise<CliResult> {
    return this.fails(['pull', this.reference, '-o', this.output, ...flags], failure)
  }

  /** Writes the file that {@link pushes} pushes. */
  async write(bytes: Uint8Array): Promise<void> {
    await writeFile(join(this.folder, 'upload.bin'), bytes)
  }

  /** Pushes the file, which has to work: the registry has exactly this content. */
  async pushes(content: Uint8Array): Promise<CliResult> {
    await this.write(content)
    const result = await this.succeeds(...this.pushWords)
    await this.expectPushed(content)
    return result
  }

  /** Tries to push the file, which has to fail: the tag is not there. */
  async failsToPush(content: Uint8Array, failure: Failure): Promise<CliResult> {
    await this.write(content)
    const result = await this.fails(this.pushWords, failure)
    await expect(this.behind.resolve('v1')).rejects.toMatchObject({ code: 'not-found' })
    return result
  }

  /** Checks that the registry has the artifact with the file. */
  async expectPushed(content: Uint8Array): Promise<void> {
    const { bytes } = await this.behind.readManifest('v1')
    const { layers } = JSON.parse(Buffer.from(bytes).toString()) as { layers: Descriptor[] }
    expect(layers.map(({ size }) => size)).toEqual([content.byteLength])
    const chunks: Uint8Array[] = []
    for await (const chunk of this.behind.fetch(layers[0]!)) chunks.push(chunk)
    expect(Buffer.concat(chunks).equals(content), 'what the registry holds').toBe(true)
  }

  /** Checks that every upload that was opened is finished or given up. */
  async expectNoUploads(): Promise<void> {
    const scope = { type: 'repository', name: NAME, actions: ['pull', 'push'] } as const
    for (const url of this.wire.uploads) {
      const answer = await this.#direct.request({ method: 'GET', url, scopes: [scope], retry: 'never' })
      await answer.discard()
      expect(answer.status, `upload ${url}`).toBe(404)
    }
  }

  get pushWords(): readonly string[] {
    const file = join(this.folder, 'upload.bin')
    return ['push', this.reference, file, '--artifact-type', 'test/file', '--disable-path-validation']
  }

  async #furnish(): Promise<void> {
    const auth = Buffer.from(`${USERNAME}:${CANARY}`).toString('base64')
    await mkdir(join(this.folder, 'docker'))
    await writeFile(
      join(this.folder, 'docker/config.json'),
      JSON.stringify({ auths: { [this.wire.host]: { auth } } }),
      { mode: 0o600 },
    )
    await mkdir(this.output)
    await writeFile(join(this.output, 'old.txt'), 'what was there before\n')
    await mkdir(join(this.folder, 'output-beside'))
    await writeFile(join(this.folder, 'output-beside/old.txt'), 'a neighbour\n')
    if (this.#options.tls !== undefined) await writeFile(join(this.folder, 'ca.pem'), this.#options.tls.cert)
  }

  /** Neither the password nor anything that was sent in its place may be shown. */
  #expectSecretsKept(): void {
    const sent = this.wire.ledger.flatMap(({ headers }) => headers.authorization?.split(' ').slice(1) ?? [])
    for (const secret of new Set([CANARY, ...sent]))
      expect(this.#printed.includes(secret), 'a secret is shown').toBe(false)
  }
}

function findCanary(): Promise<{ type: 'basic'; username: string; password: string }> {
  return Promise.resolve({ type: 'basic', username: USERNAME, password: CANARY })
}
