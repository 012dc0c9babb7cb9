import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { env } from 'node:process'
import { descriptorOf } from '../../../src/oci/descriptor.js'
import { packManifest } from '../../../src/oci/pack.js'
import { createTransport } from '../../../src/registry/http/create-transport.js'
import { Repository } from '../../../src/registry/repository.js'
import { startRegistryServer, type RegistryServer } from '../../../src/server/registry-server.js'
import { shortDigest } from '../../scenarios/harness/output.js'
import { gantryProgram, run } from '../../scenarios/harness/program.js'
import { CREATED } from '../fixture.js'
import { orasFixtures, pushSeed, pushSeeds } from './seeds.js'
import { formatLines, type Step } from './parse-transcripts.js'

/** The user of the transcripts, whom the registry on port 5000 knows. */
const USER = { name: 'hello', password: 'oras-test' }
/** When the first artifact of the transcripts was pushed: with it, its digest is the same. */
const SOURCE_DATE_EPOCH = '1795208956'

/** The manifest of a file that was pushed under its path; the path is not in the transcripts. */
const DIGEST_OF_PATH = 'sha256:4937a40927dd4189540164087396c4d2ad074a70d839e33bd5b946908c24279c'

/** Two registries of our own in place of those of the transcripts, and a home with a folder for each part. */
export class OrasBench {
  readonly #root: string
  readonly #servers: ReadonlyMap<string, RegistryServer>

  /** Digests of our own, and those that are recorded in their place. */
  readonly #digests: Map<string, string>

  private constructor(
    root: string,
    servers: ReadonlyMap<string, RegistryServer>,
    digests: ReadonlyMap<string, string>,
  ) {
    this.#root = root
    this.#servers = servers
    this.#digests = new Map(digests)
  }

  /** @param digests digests that are others than the recorded ones on purpose */
  static async open(digests: ReadonlyMap<string, string> = new Map()): Promise<OrasBench> {
    const root = await mkdtemp(join(tmpdir(), 'gantry-transcripts-'))
    const authentication = { type: 'basic', users: { [USER.name]: USER.password } } as const
    const servers = new Map([
      ['localhost:5000', await startRegistryServer({ authentication })],
      ['localhost:6000', await startRegistryServer()],
    ])
    const bench = new OrasBench(root, servers, digests)
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
      words.map((word) => this.toOwn(word)),
      { folder: this.folderOf(part), environment: this.environment, stdin },
    )
    return formatLines(this.toRecorded(stdout), this.toRecorded(stderr), exitCode)
  }

  /** The own names of registries, folders and the program, replaced by those of the transcripts. */
  toRecorded(text: string): string {
    let recorded = text.replaceAll(`${this.#root}/`, '/home/me/')
    for (const [host, server] of this.#servers) recorded = recorded.replaceAll(hostOf(server), host)
    for (const [own, digest] of [...this.#digests, [this.#digestOfPath(), DIGEST_OF_PATH] as const]) {
      recorded = recorded.replaceAll(own, digest).replaceAll(shortDigest(own), shortDigest(digest))
    }
    return recorded.replaceAll(/\bgantry (?=[a-z-])/g, 'oras ').replaceAll(/(?<=["'`])gantry(?=["'`])/g, 'oras')
  }

  /** The digest of the manifest that holds the path of a file, which is another one in each run. */
  #digestOfPath(): string {
    const layer = descriptorOf('application/vnd.oci.image.layer.v1.tar', Buffer.from('hello\n'))
    const annotations = { 'org.opencontainers.image.title': join(this.folderOf(1), 'hi.txt') }
    const manifest = {
      layers: [{ ...layer, annotations }],
      annotations: { 'org.opencontainers.image.created': CREATED },
    }
    return packManifest(manifest).descriptor.digest
  }

  /** Has a digest of our own told as one that is recorded: of content that nobody has kept. */
  learnDigest(own: string, recorded: string): void {
    this.#digests.set(own, recorded)
  }

  /** Opens a repository of the registry on port 5000. */
  async inRepository(name: string, work: (repository: Repository) => Promise<void>): Promise<void> {
    const registry = this.toOwn('localhost:5000')
    const credential = { type: 'basic' as const, username: USER.name, password: USER.password }
    const transport = createTransport({ registry, plainHttp: true, credentials: async () => credential })
    try {
      await work(new Repository(transport, name))
    } finally {
      await transport.close()
    }
  }

  /** The names of the transcripts, replaced by our own. */
  toOwn(text: string): string {
    let own = text.replaceAll('/home/me/', `${this.#root}/`)
    for (const [host, server] of this.#servers) own = own.replaceAll(host, hostOf(server))
    return own
  }

  async #logIn(): Promise<void> {
    const folder = join(this.#root, 'home/.docker')
    const auth = Buffer.from(`${USER.name}:${USER.password}`).toString('base64')
    const host = this.toOwn('localhost:5000')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }))
  }

  async #seed(): Promise<void> {
    await this.inRepository('golden9/x', async (repository) => {
      await pushSeeds(repository)
    })
    await this.inRepository('scenario/oci-image', async (repository) => {
      await pushSeed(repository, { files: [], artifactType: 'test/e', tag: 'v1' })
    })
  }
}

function hostOf(server: RegistryServer): string {
  return server.registry.replace('127.0.0.1', 'localhost')
}
