import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { createTransport } from '../../src/registry/http/create-transport.js'
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.js'
import { MediaType } from '../../src/oci/media-types.js'
import { openBytes } from '../../src/util/bytes.js'
import { packManifest, type PackOptions } from '../../src/oci/pack.js'
import { Repository } from '../../src/registry/repository.js'
import { startRegistryServer } from '../../src/server/registry-server.js'
import type { AuthenticationOptions } from '../../src/server/auth/authenticator.js'
import { seedArtifact } from '../cli/fixture.js'
import { runCli, type CliResult } from '../cli/run-cli.js'
import { snapshotFolder } from '../emulator/folder-snapshot.js'
import { gantryProgram } from '../scenarios/harness/program.js'
import { editHeaders, reply } from './faults.js'
import { FaultyWire } from './faulty-wire.js'

const USERNAME = 'someone'
/** A password that must not turn up anywhere but in requests to the registry and its token service. */
export const CANARY = 'canary-5e3d1'

/** Names that the program gives to what it has not finished. */
const TEMPORARY = /(?:^|\/)\.[^/]*(?:\/|$| )/

export interface LocalBenchOptions {
  /** How the registry wants people to log in; default not at all. */
  readonly auth?: AuthenticationOptions['type']
  /** Has something done when the test has ended. Tests that run side by side have to hand over their own. */
  readonly atEnd?: AtEnd
}

type AtEnd = (task: () => Promise<void> | void) => void

export interface StartOptions {
  /** Written to standard input, which is closed then; null for a pipe that stays open. Default nothing. */
  readonly stdin?: string | null
  readonly environment?: Readonly<Record<string, string>>
}

export interface FailureOptions extends StartOptions {
  /** Default 1. */
  readonly code?: number
}

/** How a program came to its end. */
export interface Ending {
  /** The exit code, or the signal that ended it. */
  readonly code: number | NodeJS.Signals
  readonly stdout: string
  readonly stderr: string
}

/** A program that runs. */
export interface RunningProgram {
  readonly pid: number
  readonly ended: Promise<Ending>
  send(signal: NodeJS.Signals): void
}

/**
 * A person's machine, where the built program runs as a process of its own, and a real registry behind a faulty wire.
 * Everything that the program may touch lies below one folder: see {@link snapshot}.
 */
export class LocalBench {
  /** The machine: everything below it is watched. */
  readonly root: string
  /** Folder of programs that come first in PATH; it is not watched. */
  readonly programs: string
  readonly wire: FaultyWire
  readonly #direct: ReturnType<typeof createTransport>
  readonly #atEnd: AtEnd
  #printed = ''

  private constructor(parts: {
    base: string
    wire: FaultyWire
    direct: ReturnType<typeof createTransport>
    atEnd: AtEnd
  }) {
    this.root = join(parts.base, 'machine')
    this.programs = join(parts.base, 'programs')
    this.wire = parts.wire
    this.#direct = parts.direct
    this.#atEnd = parts.atEnd
  }

  /** Opens a bench for the running test. */
  static async open({ auth, atEnd = onTestFinished }: LocalBenchOptions = {}): Promise<LocalBench> {
    const registry = await startRegistryServer({
      authentication: auth === undefined ? undefined : { type: auth, users: { [USERNAME]: CANARY } },
      // Clients know it by the address of the wire.
      allowRemote: true,
    })
    const wire = await FaultyWire.start(registry.url)
    const base = await mkdtemp(join(tmpdir(), 'gantry-local-'))
    const direct = createTransport({ registry: registry.registry, plainHttp: true, credentials: findCanary })
    const bench = new LocalBench({ base, wire, direct, atEnd })
    atEnd(async () => {
      await direct.close()
      await wire.close()
      await registry.close()
      await rm(base, { recursive: true, force: true })
    })
    await bench.#furnish(auth !== undefined)
    return bench
  }

  /** Where files are pulled to; it holds a file already, and has a neighbour with a longer name. */
  get output(): string {
    return join(this.root, 'work/output')
  }

  /** The file with credentials. */
  get configFile(): string {
    return join(this.root, 'home/.docker/config.json')
  }

  path(name: string): string {
    return join(this.root, 'work', name)
  }

  /** A reference to something in the registry, on the way over the wire. */
  reference(tag: string, name = 'team/app'): string {
    return `${this.wire.host}/${name}:${tag}`
  }

  /** The way to the registry past the wire. */
  behind(name = 'team/app'): Repository {
    return new Repository(this.#direct, name)
  }

  /** Puts an artifact with one file behind the wire. */
  async seed(bytes: Uint8Array, { title = 'content.bin', tag = 'v1' } = {}): Promise<Descriptor> {
    return seedArtifact(this.behind(), { text: bytes, title, tag, artifactType: 'test/file' })
  }

  /** Puts an artifact with an archive of the folder `d` behind the wire. */
  async seedFolder(archive: Uint8Array, tag = 'v1'): Promise<Descriptor> {
    const layer = {
      ...descriptorOf(MediaType.imageLayerGzip, archive),
      annotations: { 'org.opencontainers.image.title': 'd', 'io.deis.oras.content.unpack': 'true' },
    }
    await this.behind().push(layer, openBytes(archive))
    return this.seedManifest({ artifactType: 'test/folder', layers: [layer] }, tag)
  }

  /** Puts a manifest with blobs that need not be there behind the wire. */
  async seedManifest(options: PackOptions, tag = 'v1'): Promise<Descriptor> {
    const { descriptor, bytes, blobs } = packManifest(options)
    const repository = this.behind()
    for (const blob of blobs) await repository.push(blob.descriptor, openBytes(blob.bytes))
    await repository.push(descriptor, openBytes(bytes), { tag })
    return descriptor
  }

  /** Has credentials kept by a helper, which is a shell script. */
  async addHelper(name: string, script: string): Promise<void> {
    await writeFile(join(this.programs, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    await writeFile(this.configFile, JSON.stringify({ credHelpers: { [this.wire.host]: name } }), { mode: 0o600 })
  }

  async write(name: string, content: string | Uint8Array): Promise<string> {
    const path = this.path(name)
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, content)
    return path
  }

  /** Every file of the machine. */
  async snapshot(): Promise<readonly string[]> {
    return snapshotFolder(this.root)
  }

  get environment(): Readonly<Record<string, string>> {
    return {
      PATH: `${this.programs}:${process.env.PATH ?? ''}`,
      HOME: join(this.root, 'home'),
      TMPDIR: join(this.root, 'tmp'),
      // Compiled code that Node.js keeps there is no file of the person.
      NODE_DISABLE_COMPILE_CACHE: '1',
      SOURCE_DATE_EPOCH: '1577836800',
    }
  }

  /** Starts a command. Whatever becomes of the test, it does not outlive it. */
  start(words: readonly string[], options: StartOptions = {}): RunningProgram {
    return this.startProgram([process.execPath, gantryProgram, ...words], options)
  }

  /** Starts any program. */
  startProgram([program = '', ...words]: readonly string[], options: StartOptions = {}): RunningProgram {
    const { stdin = '', environment = {} } = options
    const child = spawn(program, words, {
      cwd: join(this.root, 'work'),
      env: { ...this.environment, ...environment },
      stdio: 'pipe',
    })
    this.#atEnd(() => void child.kill('SIGKILL'))
    // A program that does not read its input may end before all of it is written.
    child.stdin.on('error', () => undefined)
    if (stdin !== null) child.stdin.end(stdin)
    return { pid: child.pid ?? 0, ended: this.#endOf(child), send: (signal) => void child.kill(signal) }
  }

  /** Runs a command, and says how much memory it had at most, in MiB. */
  async measure(words: readonly string[]): Promise<Ending & { readonly memory: number }> {
    const script = join(this.programs, 'measure.cjs')
    const report = join(this.programs, 'memory')
    await writeFile(script, measureScript(report))
    const ending = await this.run(words, { environment: { NODE_OPTIONS: `--require ${script}` } })
    return { ...ending, memory: Number(await readFile(report, 'utf8')) / 1024 }
  }

  async run(words: readonly string[], options: StartOptions = {}): Promise<Ending> {
    return this.start(words, options).ended
  }

  /** Runs a command that has to work, and to leave nothing unfinished. */
  async succeeds(words: readonly string[], options: StartOptions = {}): Promise<Ending> {
    const ending = await this.run(words, options)
    expect(ending.code, ending.stderr).toBe(0)
    await this.expectNothingUnfinished()
    return ending
  }

  /** Runs a command that has to fail, and to leave everything as it was: here, and at the registry. */
  async fails(words: readonly string[], message: RegExp, options: FailureOptions = {}): Promise<Ending> {
    return this.failsAs([process.execPath, gantryProgram, ...words], message, options)
  }

  /** Like {@link fails} for any program, such as one that runs the command with less rights. */
  async failsAs(words: readonly string[], message: RegExp, options: FailureOptions = {}): Promise<Ending> {
    const before = await this.snapshot()
    const ending = await this.startProgram(words, options).ended
    expect(ending.stderr).toMatch(message)
    expect(ending.stderr).not.toContain('This is a bug')
    expect(ending.code, ending.stderr).toBe(options.code ?? 1)
    expect(await this.snapshot(), 'files of the person').toEqual(before)
    await this.expectNothingUnfinished()
    return ending
  }

  /** Like {@link fails} within this process, which is faster for many of them; paths have to be absolute. */
  async failsHere(words: readonly string[], message: RegExp, { code = 1 }: FailureOptions = {}): Promise<CliResult> {
    const before = await this.snapshot()
    const result = await runCli(words, { environment: this.environment, homeFolder: join(this.root, 'home') })
    this.#printed += result.stdout + result.stderr
    this.#expectSecretsKept()
    expect(result.stderr).toMatch(message)
    expect(result.stderr).not.toContain('This is a bug')
    expect(result.code, result.stderr).toBe(code)
    expect(await this.snapshot(), 'files of the person').toEqual(before)
    return result
  }

  /** Lets the registry look like one that does not know of referrers. */
  hideReferrers(): void {
    this.wire.on('GET', /\/referrers\//, reply({ status: 404 }), { times: Number.POSITIVE_INFINITY })
    this.wire.on('PUT', /\/manifests\//, editHeaders({ 'oci-subject': undefined }), { times: Number.POSITIVE_INFINITY })
  }

  /** Checks that there are no temporary files, no locks, and no uploads that somebody might go on with. */
  async expectNothingUnfinished(): Promise<void> {
    expect((await this.snapshot()).filter(isTemporary)).toEqual([])
    await this.expectNoUploads()
  }

  /** Checks that every upload that was opened is finished or given up. */
  async expectNoUploads(): Promise<void> {
    for (const url of this.wire.uploads) {
      const name = /^\/v2\/(.+)\/blobs\//.exec(url)?.[1] ?? ''
      const scope = { type: 'repository', name, actions: ['pull', 'push'] } as const
      const answer = await this.#direct.request({ method: 'GET', url, scopes: [scope], retry: 'never' })
      await answer.discard()
      expect(answer.status, `upload ${url}`).toBe(404)
    }
  }

  async #endOf(child: ChildProcess): Promise<Ending> {
    const output = { stdout: '', stderr: '' }
    child.stdout?.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    this.#printed += output.stdout + output.stderr
    this.#expectSecretsKept()
    return { ...output, code: code ?? signal ?? 'SIGKILL' }
  }

  /** Neither the password nor anything that was sent in its place may be shown. */
  #expectSecretsKept(): void {
    const sent = this.wire.ledger.flatMap(({ headers }) => headers.authorization?.split(' ').slice(1) ?? [])
    for (const secret of new Set([CANARY, ...sent])) expect(this.#printed).not.toContain(secret)
  }

  async #furnish(hasAccount: boolean): Promise<void> {
    await mkdir(this.programs, { recursive: true })
    for (const folder of ['tmp', 'home/.docker', 'work/output', 'work/output-beside']) {
      await mkdir(join(this.root, folder), { recursive: true })
    }
    await writeFile(this.path('output/old.txt'), 'what was there before\n')
    await writeFile(this.path('output-beside/old.txt'), 'a neighbour\n')
    const auth = Buffer.from(`${USERNAME}:${CANARY}`).toString('base64')
    const auths = hasAccount ? { [this.wire.host]: { auth } } : {}
    await writeFile(this.configFile, JSON.stringify({ auths: { 'other.example': {}, ...auths }, later: [1] }), {
      mode: 0o600,
    })
  }
}

/**
 * What writes down the most memory that its process has had, in KiB. Linux counts what a process was before it became
 * another program too, unless one asks in the right place.
 */
function measureScript(report: string): string {
  return `
    const { existsSync, readFileSync, writeFileSync } = require('fs')
    process.on('exit', () => {
      const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : ''
      const peak = /^VmHWM:\\s*(\\d+) kB$/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS
      writeFileSync(${JSON.stringify(report)}, String(peak))
    })`
}

/** Whether a line of a snapshot is about something that a program has not finished. */
export function isTemporary(line: string): boolean {
  const path = line.replace(/ -> .*$/, '')
  return TEMPORARY.test(path.replace(/^home\/\.docker\//, 'home/docker/').replace(/^home\/\.docker /, ''))
}

function findCanary(): Promise<{ type: 'basic'; username: string; password: string }> {
  return Promise.resolve({ type: 'basic', username: USERNAME, password: CANARY })
}
