import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { env } from 'node:process'
import { createTransport } from '../../../src/registry/http/create-transport.js'
import { descriptorOf, type Descriptor } from '../../../src/oci/descriptor.js'
import { openBytes } from '../../../src/util/bytes.js'
import { packManifest, type PackOptions } from '../../../src/oci/pack.js'
import { Repository } from '../../../src/registry/repository.js'
import { startRegistryServer, type RegistryServer } from '../../../src/server/registry-server.js'
import { shortDigest } from '../../scenarios/harness/output.js'
import { gantryProgram, projectFolder, run } from '../../scenarios/harness/program.js'
import { CREATED } from '../fixture.js'
import { formatLines, type Step } from './parse-transcripts.js'

export const orasFixtures = join(projectFolder, 'fixtures/oras')

/** The user of the transcripts, whom the registry on port 5000 knows. */
const USER = { name: 'hello', password: 'oras-test' }
/** When the first artifact of the transcripts was pushed: with it, its digest is the same. */
const SOURCE_DATE_EPOCH = '1795208956'

/** The manifest of a file that was pushed under its path; the path is not in the transcripts. */
const DIGEST_OF_PATH = 'sha256:4937a40927dd4189540164087396c4d2ad074a70d839e33bd5b946908c24279c'

/** What was pushed before the second part of the transcripts: a, b and c, and what refers to a. */
const SEEDS: Readonly<Record<string, SeedSettings>> = {
  a: { files: ['hi.txt'], artifactType: 'test/a' },
  b: { files: ['bye.txt'], artifactType: 'test/b', config: ['image.config', '{"architecture":"arm64","os":"linux"}'] },
  c: { files: ['hi.txt', 'bye.txt'], config: ['me', '{}'] },
  file: { files: ['hi.txt'], artifactType: 'doc/ex', subject: 'a' },
  note: { files: [], artifactType: 'doc/ex2', subject: 'a', annotations: { k: 'v' } },
  signature: { files: [], artifactType: 'sig/x', subject: 'file', annotations: { s: 't' } },
}

const CONFIG_TYPES: Readonly<Record<string, string>> = {
  'image.config': 'application/vnd.oci.image.config.v1+json',
  me: 'application/vnd.me.config',
}

interface SeedSettings {
  readonly files: readonly string[]
  readonly artifactType?: string
  readonly config?: readonly [string, string]
  readonly subject?: string
  readonly annotations?: Readonly<Record<string, string>>
}

/** Two registries of our own in place of those of the transcripts, and a home with a folder for each part. */
export class OrasBench {
  readonly #root: string
  readonly #servers: ReadonlyMap<string, RegistryServer>

  private constructor(root: string, servers: ReadonlyMap<string, RegistryServer>) {
    this.#root = root
    this.#servers = servers
  }

  static async open(): Promise<OrasBench> {
    const root = await mkdtemp(join(tmpdir(), 'gantry-transcripts-'))
    const authentication = { type: 'basic', users: { [USER.name]: USER.password } } as const
    const servers = new Map([
      ['localhost:5000', await startRegistryServer({ authentication })],
      ['localhost:6000', await startRegistryServer()],
    ])
    const bench = new OrasBench(root, servers)
    for (const part of [1, 2]) {
      await cp(join(orasFixtures, 'inputs'), bench.folderOf(part), { recursive: true })
      // The modes of a checkout depend on the umask, and are part of a packed folder.
      await chmod(join(bench.folderOf(part), 'd'), 0o755)
      await chmod(join(bench.folderOf(part), 'd/in.txt'), 0o644)
    }
    await rm(join(bench.folderOf(1), 'm.json'))
    await bench.#logIn()
    await bench.#seed()
    return bench
  }

  async close(): Promise<void> {
    for (const server of this.#servers.values()) await server.close()
    await rm(this.#root, { recursive: true, force: true })
  }

  folderOf(part: number): string {
    return join(this.#root, part === 1 ? 'w' : 'w2')
  }

  get environment(): Readonly<Record<string, string>> {
    const home = join(this.#root, 'home')
    return { PATH: `${dirname(process.execPath)}:${env.PATH ?? ''}`, HOME: home, SOURCE_DATE_EPOCH }
  }

  /** Runs a step; what it prints is told in the names of the transcripts. */
  async run({ words, part, stdin }: Pick<Step, 'words' | 'part' | 'stdin'>): Promise<readonly string[]> {
    const { stdout, stderr, exitCode } = await run(
      gantryProgram,
      words.map((word) => this.#toOwn(word)),
      { folder: this.folderOf(part), environment: this.environment, stdin },
    )
    return formatLines(this.toRecorded(stdout), this.toRecorded(stderr), exitCode)
  }

  /** The own names of registries, folders and the program, replaced by those of the transcripts. */
  toRecorded(text: string): string {
    let recorded = text.replaceAll(`${this.#root}/`, '/home/me/')
    for (const [host, server] of this.#servers) recorded = recorded.replaceAll(hostOf(server), host)
    const own = this.#digestOfPath()
    recorded = recorded.replaceAll(own, DIGEST_OF_PATH).replaceAll(shortDigest(own), shortDigest(DIGEST_OF_PATH))
    return recorded.replaceAll(/\bgantry (?=[a-z-])/g, 'oras ').replaceAll(/(?<=["'`])gantry(?=["'`])/g, 'oras')
  }

  /** The digest of the manifest that holds the path of a file, which is another one in each run. */
  #digestOfPath(): string {
    const layer = descriptorOf('application/vnd.oci.image.layer.v1.tar', Buffer.from('hello\n'))
    const annotations = { 'org.opencontainers.image.title': join(this.folderOf(1), 'hi.txt') }
    const manifest = { layers: [{ ...layer, annotations }], annotations: { [CREATED_KEY]: CREATED } }
    return packManifest(manifest).descriptor.digest
  }

  #toOwn(text: string): string {
    let own = text.replaceAll('/home/me/', `${this.#root}/`)
    for (const [host, server] of this.#servers) own = own.replaceAll(host, hostOf(server))
    return own
  }

  async #logIn(): Promise<void> {
    const folder = join(this.#root, 'home/.docker')
    const auth = Buffer.from(`${USER.name}:${USER.password}`).toString('base64')
    const host = this.#toOwn('localhost:5000')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }))
  }

  async #seed(): Promise<void> {
    const registry = this.#toOwn('localhost:5000')
    const credential = { type: 'basic' as const, username: USER.name, password: USER.password }
    const transport = createTransport({ registry, plainHttp: true, credentials: async () => credential })
    const repository = new Repository(transport, 'golden9/x')
    const pushed = new Map<string, Descriptor>()
    for (const [tag, settings] of Object.entries(SEEDS)) {
      const subject = settings.subject === undefined ? undefined : pushed.get(settings.subject)
      const isNamed = settings.subject === undefined
      pushed.set(tag, await pushSeed(repository, { ...settings, subject, tag: isNamed ? tag : undefined }))
    }
    await pushSeed(new Repository(transport, 'scenario/oci-image'), { files: [], artifactType: 'test/e', tag: 'v1' })
    await transport.close()
  }
}

interface Seed extends Omit<SeedSettings, 'subject'> {
  readonly subject?: Descriptor | undefined
  readonly tag: string | undefined
}

async function pushSeed(
  repository: Repository,
  { files, artifactType, config, subject, annotations, tag }: Seed,
): Promise<Descriptor> {
  const layers: Descriptor[] = []
  for (const name of files) {
    const bytes = await readFile(join(orasFixtures, 'inputs', name))
    const layer = descriptorOf('application/vnd.oci.image.layer.v1.tar', bytes)
    await repository.push(layer, openBytes(bytes))
    layers.push({ ...layer, annotations: { 'org.opencontainers.image.title': name } })
  }
  const options = { layers, artifactType, subject, annotations: { ...annotations, [CREATED_KEY]: CREATED } }
  if (config !== undefined) {
    const bytes = Buffer.from(config[1])
    const descriptor = descriptorOf(CONFIG_TYPES[config[0]] ?? config[0], bytes)
    await repository.push(descriptor, openBytes(bytes))
    return pushPacked(repository, { ...options, config: descriptor }, tag)
  }
  return pushPacked(repository, options, tag)
}

const CREATED_KEY = 'org.opencontainers.image.created'

async function pushPacked(repository: Repository, options: PackOptions, tag: string | undefined): Promise<Descriptor> {
  const packed = packManifest(options)
  for (const { descriptor, bytes } of packed.blobs) await repository.push(descriptor, openBytes(bytes))
  await repository.push(packed.descriptor, openBytes(packed.bytes), { tag })
  return packed.descriptor
}

function hostOf(server: RegistryServer): string {
  return server.registry.replace('127.0.0.1', 'localhost')
}
