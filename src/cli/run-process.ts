import { basename } from 'node:path'
import { ownHomeFolder } from '../util/home-folder.js'
import type { Context } from './context.js'
import { loadProgram } from './load-program.js'
import { main } from './main.js'

/** Signals that end a command, and the exit codes that shells expect after them. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** Why a command was interrupted, as the reason of its AbortSignal. */
class Interrupted extends Error {
  readonly exitCode: number

  constructor(signal: keyof typeof SIGNALS) {
    super(`interrupted by ${signal}`)
    this.exitCode = SIGNALS[signal]
  }
}

/**
 * Whoever read our output has gone (`gantry … | head`): nothing is to be reported. The exit code is the one that shells
 * know from SIGPIPE, as what the command was to do may not be done.
 */
class OutputClosed extends Error {
  readonly exitCode = 141
  readonly isSilent = true
}

/** Our output cannot be written, such as to a disk that is full; reported when the command has come to its end. */
class OutputFailed extends Error {
  readonly exitCode = 1
  readonly isSilent = true

  constructor(cause: Error) {
    super(`cannot write the output: ${cause.message}`, { cause })
  }
}

/**
 * Runs the command line of this process. The first signal stops the work and cleans up; a second one ends the process
 * at once, after removing the temporary files that are open.
 * @returns the exit code
 */
export async function runProcess(): Promise<number> {
  const controller = new AbortController()
  const onSignal = (signal: keyof typeof SIGNALS) => {
    if (controller.signal.aborted) void endNow(signal)
    else controller.abort(new Interrupted(signal))
  }
  for (const signal of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) process.on(signal, onSignal)
  let failure: OutputFailed | undefined
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') failure = new OutputFailed(error)
    controller.abort(failure ?? new OutputClosed('nobody reads the output'))
  })
  // There is nobody left to tell.
  process.stderr.on('error', () => undefined)
  const code = await main(process.argv.slice(2), processContext(controller.signal))
  // Errors of the last writes come after them.
  await new Promise(setImmediate)
  if (failure === undefined) return code
  process.stderr.write(`Error: ${failure.message}\n`)
  return failure.exitCode
}

function processContext(signal: AbortSignal): Context {
  return {
    // Made when it is first read, which takes a while.
    get stdin() {
      return process.stdin
    },
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    homeFolder: ownHomeFolder(),
    signal,
    programName: basename(process.argv[1] ?? 'gantry').replace(/\.(?:[cm]?js|exe)$/, ''),
  }
}

/** How long the process waits for other threads before a signal ends it, in milliseconds. */
const LONGEST_END = 250

/**
 * Ends with the exit code of a signal, or by the signal itself: `process.exit` waits for what other threads are in the
 * middle of, and a file system may keep them for ever.
 */
async function endNow(signal: keyof typeof SIGNALS): Promise<void> {
  for (const name of Object.keys(SIGNALS)) process.removeAllListeners(name)
  const { endWithoutTempFiles } = await loadProgram({ environment: {}, homeFolder: undefined })
  const deadline = performance.now() + LONGEST_END
  while (areThreadsBusy() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10))
  await endWithoutTempFiles(() => {
    if (areThreadsBusy()) process.kill(process.pid, signal)
    else process.exit(SIGNALS[signal])
  })
}

/** Whether a thread works for a file, a name or a digest. */
function areThreadsBusy(): boolean {
  return process.getActiveResourcesInfo().some((name) => /^(?:FSReq|GetAddrInfoReq|.*Job$|.*Request$)/.test(name))
}
