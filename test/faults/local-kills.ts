import { expect } from 'vitest'
import { helperPidOf, type Arrange } from './local-checkpoints.js'
import { isTemporary, type LocalBench, type RunningProgram, type StartOptions } from './local-bench.js'
import type { KilledCommand } from './local-commands.js'

/** What ends a command: one signal, or two in a row. */
export const KILLS: readonly (readonly [string, Kill])[] = [
  ['SIGINT', { signals: ['SIGINT'], code: 130, again: true }],
  ['SIGTERM', { signals: ['SIGTERM'], code: 143, every: 2 }],
  ['SIGINT twice', { signals: ['SIGINT', 'SIGINT'], code: 130, every: 4 }],
  ['SIGKILL', { signals: ['SIGKILL'], code: 'SIGKILL', again: true }],
]

export interface Kill {
  readonly signals: readonly NodeJS.Signals[]
  readonly code: number | NodeJS.Signals
  /** Whether the command is run again afterwards. */
  readonly again?: boolean
  /** Of how many checkpoints one is tried; default all: some signals are met by the same code wherever they come. */
  readonly every?: number
}

/** A place where a command is stopped. */
export interface Checkpoint {
  readonly arrange: Arrange
  readonly stdin?: StartOptions['stdin']
  /** Whether an upload stays behind that the command cannot know of. */
  readonly leavesUpload?: boolean
  /** Whether something unfinished lies on the disk by then, which a command that is killed leaves behind. */
  readonly hasTemporary?: boolean
}

/** Ends a command at a checkpoint, looks at what it leaves behind, and runs it again. */
export async function killAt(
  bench: LocalBench,
  command: KilledCommand,
  checkpoint: Checkpoint,
  kill: Kill,
): Promise<void> {
  await command.prepare(bench)
  const arrive = await checkpoint.arrange(bench)
  const before = await bench.snapshot()
  const { stdin = command.stdin ?? '' } = checkpoint
  const program = bench.start(command.words(bench), { stdin })
  const { release } = await arrivalOf(program, arrive)
  for (const signal of kill.signals) {
    program.send(signal)
    await new Promise(setImmediate)
  }
  const { code, stdout, stderr } = await program.ended
  // A second signal may come when the first one has been dealt with. A shell says 130 to both endings.
  const isLate = kill.signals.length > 1 && code === 'SIGINT'
  expect(isLate ? kill.code : code, stderr).toBe(kill.code)
  expect(stdout).not.toContain('Succeeded')
  if (kill.code === 'SIGKILL') {
    await endHelper(bench)
    if (checkpoint.hasTemporary === true) expect((await bench.snapshot()).filter(isTemporary)).not.toEqual([])
    expectUntouched(await bench.snapshot(), before, (line) => isTemporary(line) || command.mayStay?.(line) === true)
  } else {
    const said = stderr.replaceAll(/^(?:retrying|WARNING!) .*\n/gm, '')
    expect(said).toMatch(kill.signals.length === 1 ? /^Error: interrupted\n$/ : /^(?:Error: interrupted\n)?$/)
    await expectNoHelper(bench)
    expectUntouched(await bench.snapshot(), before, command.mayStay)
    if (kill.signals.length === 1 && checkpoint.leavesUpload !== true) await bench.expectNoUploads()
  }
  await release?.()
  if (kill.again === true) await expectItWorks(bench, command)
}

async function arrivalOf<T>(program: RunningProgram, arrive: () => Promise<T>): Promise<T> {
  const early = program.ended.then(({ code, stderr }) => {
    throw new Error(`the command ended early with ${code}: ${stderr}`)
  })
  early.catch(() => undefined)
  return Promise.race([arrive(), early])
}

function expectUntouched(
  after: readonly string[],
  before: readonly string[],
  mayStay: (line: string) => boolean = () => false,
): void {
  expect(after.filter((line) => before.includes(line) || !mayStay(line))).toEqual(before)
}

/** The command runs as if nothing had been, and what was left behind is gone. */
async function expectItWorks(bench: LocalBench, command: KilledCommand): Promise<void> {
  const { code, stderr } = await bench.run(command.words(bench), { stdin: command.stdin ?? '' })
  expect(code, stderr).toBe(0)
  await command.check(bench)
  expect((await bench.snapshot()).filter(isTemporary)).toEqual([])
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    // There is no such process.
    return false
  }
}

async function expectNoHelper(bench: LocalBench): Promise<void> {
  const pid = await helperPidOf(bench)
  if (pid !== undefined) expect(isAlive(pid), 'the credential helper is alive').toBe(false)
}

/** Nobody can end the helper of a command that was killed. */
async function endHelper(bench: LocalBench): Promise<void> {
  const pid = await helperPidOf(bench)
  if (pid !== undefined && isAlive(pid)) process.kill(pid, 'SIGKILL')
}
