import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { GantryError } from '../errors.js'
import { abortError, onAbort, throwIfAborted } from '../util/abort.js'
import type { Command, Environment } from './helper-program.js'

/** Most that a helper may print, in bytes. */
export const MAX_HELPER_OUTPUT = 1024 * 1024

/** How long a helper may take, in milliseconds. */
export const HELPER_TIMEOUT = 60_000

/** Output that stands open after the helper has ended belongs to something it left running; waited for in milliseconds. */
const REST_TIMEOUT = 1_000

export interface HelperRun {
  /** Written to its standard input, which is closed then. */
  readonly input: string
  readonly environment: Environment
  /** In milliseconds. */
  readonly timeout: number
  /** Names the helper in errors. */
  readonly program: string
  /** Ends the helper. */
  readonly signal?: AbortSignal | undefined
}

export interface HelperOutput {
  readonly succeeded: boolean
  readonly output: Uint8Array
  /** What it wrote to standard error. */
  readonly errorOutput: Uint8Array
}

/**
 * Runs a credential helper once, without a shell.
 * @throws GantryError `credential-store-error` when it cannot be started, takes too long or prints too much;
 *   `aborted`
 */
export async function runHelper(command: Command, run: HelperRun): Promise<HelperOutput> {
  throwIfAborted(run.signal)
  const child = spawn(command.file, [...command.arguments], {
    env: run.environment,
    stdio: 'pipe',
    shell: false,
    windowsHide: true,
    windowsVerbatimArguments: command.verbatim,
  })
  const output = new CappedOutput()
  const errorOutput = new CappedOutput()
  let rest: NodeJS.Timeout | undefined
  let timer: NodeJS.Timeout | undefined
  let stopListening = (): void => undefined
  try {
    const succeeded = await new Promise<boolean>((resolve, reject) => {
      timer = setTimeout(() => {
        reject(helperError(`credential helper ${run.program} did not finish within ${run.timeout / 1000} s`))
      }, run.timeout)
      stopListening = onAbort(run.signal, () => {
        if (run.signal !== undefined) reject(abortError(run.signal))
      })
      child.on('error', (cause) => {
        reject(helperError(`cannot start credential helper ${run.program}: ${startProblemOf(cause)}`))
      })
      child.stdout.on('data', (chunk: Uint8Array) => {
        if (!output.add(chunk))
          reject(helperError(`credential helper ${run.program} printed more than ${MAX_HELPER_OUTPUT} bytes`))
      })
      child.stderr.on('data', (chunk: Uint8Array) => {
        errorOutput.add(chunk)
      })
      child.on('exit', () => {
        rest = setTimeout(() => {
          destroyStreams(child)
        }, REST_TIMEOUT)
      })
      child.on('close', (code) => {
        resolve(code === 0)
      })
      // A helper may end without reading its input; its exit code tells the rest.
      child.stdin.on('error', () => undefined)
      child.stdin.end(run.input)
    })
    return { succeeded, output: output.bytes(), errorOutput: errorOutput.bytes() }
  } finally {
    stopListening()
    clearTimeout(timer)
    clearTimeout(rest)
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    destroyStreams(child)
  }
}

class CappedOutput {
  readonly #chunks: Uint8Array[] = []
  #size = 0

  /** False as soon as there is more than is kept. */
  add(chunk: Uint8Array): boolean {
    if (this.#size + chunk.byteLength > MAX_HELPER_OUTPUT) return false
    this.#chunks.push(chunk)
    this.#size += chunk.byteLength
    return true
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#chunks)
  }
}

function destroyStreams(child: ChildProcessWithoutNullStreams): void {
  child.stdin.destroy()
  child.stdout.destroy()
  child.stderr.destroy()
}

/** The code alone: the message of a failed start repeats path and arguments. */
function startProblemOf(cause: Error): string {
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name
}

function helperError(message: string): GantryError {
  return new GantryError('credential-store-error', message)
}
