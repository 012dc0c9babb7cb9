import { once } from 'node:events'
import { PassThrough, Readable, Writable } from 'node:stream'
import { main } from '../../src/cli/main.js'
import type { Context } from '../../src/cli/context.js'

/** What a command left behind. */
export interface CliResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly stdin?: string | Uint8Array
  readonly environment?: Readonly<Record<string, string>>
  readonly homeFolder?: string
}

/** Runs one command line in this process, with streams and environment of its own. */
export async function runCli(words: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(words, options).ended
}

/** A command that runs until it is interrupted. */
export interface RunningCli {
  readonly ended: Promise<CliResult>
  /** The first line on stdout, when it is complete. */
  firstLine(): Promise<string>
  interrupt(): Promise<CliResult>
}

/** Starts one command line in this process. */
export function startCli(words: readonly string[], options: CliOptions = {}): RunningCli {
  const stdout = new Collector()
  const stderr = new Collector()
  const stdin = options.stdin === undefined ? Readable.from([]) : Readable.from([Buffer.from(options.stdin)])
  const controller = new AbortController()
  const context: Context = {
    stdin: stdin.pipe(new PassThrough()),
    stdout,
    stderr,
    environment: { PATH: process.env.PATH ?? '', ...options.environment },
    homeFolder: options.homeFolder ?? '/nonexistent',
    signal: controller.signal,
    programName: 'gantry',
  }
  const ended = main(words, context).then((code) => ({ code, stdout: stdout.text(), stderr: stderr.text() }))
  return {
    ended,
    firstLine: () => stdout.firstLine(),
    interrupt: () => {
      controller.abort()
      return ended
    },
  }
}

/** A stream that keeps what is written to it. */
class Collector extends Writable {
  readonly #chunks: Buffer[] = []

  async firstLine(): Promise<string> {
    while (!this.text().includes('\n')) await once(this, 'written')
    return this.text().split('\n', 1)[0] ?? ''
  }

  override _write(chunk: Buffer | string, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(Buffer.from(chunk))
    this.emit('written')
    done()
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }
}
