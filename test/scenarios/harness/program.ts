import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { env } from 'node:process'

/** What a program that has ended left behind. */
export interface Outcome {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

export interface RunOptions {
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  /** What is written to standard input; closed at once when absent. */
  readonly stdin?: string | Uint8Array
  /** In milliseconds; the program is killed after it. Default ten minutes: it ends what hangs. */
  readonly timeout?: number
}

/** The project's root folder. */
export const projectFolder = join(import.meta.dirname, '../../..')

/** The program under test: what the build made, or another one, such as the one that npm installed. */
export const gantryProgram = env.GANTRY_TEST_PROGRAM ?? join(projectFolder, 'bin/gantry.js')

/** Runs a program to its end; a failure is an outcome like any other. */
export async function run(program: string, words: readonly string[], options: RunOptions): Promise<Outcome> {
  const child = spawn(program, words, { cwd: options.folder, env: options.environment, stdio: 'pipe' })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  // A program that does not read its input may end before all of it is written.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.stdin)
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeout ?? 600_000)
  try {
    const [exitCode, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (...result) => resolve(result))
    })
    if (exitCode === null) throw new Error(`${program} ${words.join(' ')} was ended by ${signal ?? 'nothing'}`)
    return { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), exitCode }
  } finally {
    clearTimeout(timer)
  }
}
