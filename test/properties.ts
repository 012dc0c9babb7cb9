import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'

/** How often each property is tried unless it says otherwise; the long suites ask for more. */
const RUNS = positive(process.env.GANTRY_PROPERTY_RUNS) ?? 50

/** What the values are made from: one number for the whole file, so that a second try of a failed test is the same. */
const SEED = integer(process.env.GANTRY_PROPERTY_SEED) ?? (Date.now() ^ (Math.random() * 0x1_0000_0000)) | 0

/** The way to one failing value, as a failure names it. */
const PATH = process.env.GANTRY_PROPERTY_PATH

/** Whether so many values are tried that every outcome has to be among them, as in the long suites. */
export const isThorough = RUNS >= 200

const settings = { numRuns: RUNS, seed: SEED, ...(PATH === undefined ? {} : { path: PATH, endOnFailure: true }) }
fc.configureGlobal(settings)

fc.installGlobalPlugin(() => ({
  onAllRunsComplete: (result) => {
    if (!result.failed) return
    const replay = `GANTRY_PROPERTY_SEED=${result.seed} GANTRY_PROPERTY_PATH=${result.counterexamplePath ?? ''}`
    throw new Error(`${fc.defaultReportMessage(result)}\n\nOnce more: ${replay} npx vitest run FILE -t NAME`, {
      cause: result.errorInstance,
    })
  },
}))

/**
 * How often to try a property that costs more than others: a share of the usual number, and at least five times. Grows
 * with GANTRY_PROPERTY_RUNS as all of them do.
 */
export function runs(share: number): { readonly numRuns: number } {
  return { numRuns: Math.max(Math.min(5, RUNS), Math.round(RUNS * share)) }
}

/**
 * Milliseconds of processor time that something takes, the least of three times. A busy machine, on which this takes
 * longer, does not change it.
 */
export function processorTime(work: () => unknown): number {
  const times = [1, 2, 3].map(() => {
    const begun = usedProcessorTime()
    work()
    return usedProcessorTime() - begun
  })
  return Math.min(...times)
}

/** The most for 64 KiB: far more than one pass over them needs, far less than one for each character. */
export const LINEAR_TIME = 250

/** Milliseconds of processor time of this thread where the system tells, otherwise of the whole process. */
export function usedProcessorTime(): number {
  const ofThread = '/proc/thread-self/schedstat'
  if (existsSync(ofThread)) return Number(readFileSync(ofThread, 'utf8').split(' ', 1)[0]) / 1e6
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** For `fc.commands`: which of the commands are run once more, as a failure names them. */
export const replayedCommands: { readonly replayPath?: string } =
  process.env.GANTRY_PROPERTY_COMMANDS === undefined ? {} : { replayPath: process.env.GANTRY_PROPERTY_COMMANDS }

/** fast-check with the settings of the environment: the seed, the path to one value, and how many values are tried. */
export { fc }

function positive(text: string | undefined): number | undefined {
  const number = integer(text)
  return number === undefined || number < 1 ? undefined : number
}

function integer(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,10}$/.test(text) ? Number(text) : undefined
}
