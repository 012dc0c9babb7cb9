import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { env } from 'node:process'
import { gantryProgram, run } from './program.js'
import { peersFolder } from './peers.js'
import type { Outcome } from './program.js'

/** The time that artifacts say they were made at, so that they are the same on every run. */
const sourceDate = '2020-01-01T00:00:00Z'

/**
 * A person's machine: a home folder without credentials, a folder to work in, and a shell whose PATH leads to `gantry`
 * and to the programs that it is tested beside.
 */
export class Workplace {
  readonly folder: string
  readonly home: string
  readonly #root: string
  readonly #variables: Record<string, string> = {}

  private constructor(root: string) {
    this.#root = root
    this.folder = join(root, 'work')
    this.home = join(root, 'home')
  }

  static async create(variables: Readonly<Record<string, string>> = {}): Promise<Workplace> {
    const root = await mkdtemp(join(tmpdir(), 'gantry-workplace-'))
    const workplace = new Workplace(root)
    for (const folder of ['work', 'home', 'bin', 'run']) await mkdir(join(root, folder), { mode: 0o700 })
    await symlink(gantryProgram, join(root, 'bin/gantry'))
    Object.assign(workplace.#variables, variables)
    return workplace
  }

  /** Folder of programs that come first in PATH. */
  get programs(): string {
    return join(this.#root, 'bin')
  }

  /** Sets a variable of the shell and of everything that it starts. */
  set(name: string, value: string): void {
    this.#variables[name] = value
  }

  unset(name: string): void {
    delete this.#variables[name]
  }

  /** Writes a file below the folder to work in, or at an absolute path. */
  async write(path: string, content: string | Uint8Array, mode = 0o644): Promise<string> {
    const absolute = join(path.startsWith('/') ? '' : this.folder, path)
    await mkdir(dirname(absolute), { recursive: true })
    await writeFile(absolute, content, { mode })
    return absolute
  }

  /** Reads a file below the folder to work in. */
  async read(path: string): Promise<string> {
    return readFile(join(this.folder, path), 'utf8')
  }

  /** Runs a line of shell as a person would type it. */
  async type(line: string, stdin?: string): Promise<Outcome> {
    return run('bash', ['-c', line], {
      folder: this.folder,
      environment: this.environment,
      ...(stdin === undefined ? {} : { stdin }),
    })
  }

  /** Like {@link type}, for lines that have to work. Returns standard output. */
  async do(line: string, stdin?: string): Promise<string> {
    const { stdout, stderr, exitCode } = await this.type(line, stdin)
    if (exitCode !== 0) throw new Error(`\`${line}\` ended with ${exitCode}: ${stderr}${stdout}`)
    return stdout
  }

  get environment(): Record<string, string> {
    return {
      PATH: [this.programs, dirname(process.execPath), peersFolder, env.PATH ?? ''].join(delimiter),
      HOME: this.home,
      XDG_RUNTIME_DIR: join(this.#root, 'run'),
      LANG: 'C.UTF-8',
      SOURCE_DATE_EPOCH: String(Date.parse(sourceDate) / 1000),
      ...this.#variables,
    }
  }

  /** Removes everything. */
  async leave(): Promise<void> {
    await rm(this.#root, { recursive: true, force: true })
  }
}
