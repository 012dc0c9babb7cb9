import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

/** GNU time says what a process that has ended used; Node tells only of its own process. */
const GNU_TIME = '/usr/bin/time'
const hasTime = existsSync(GNU_TIME) && process.platform === 'linux'
const MAX_OUTPUT = 16 * 1024 * 1024

/**
 * What a program used: seconds that passed and seconds of the processor, the largest amount of memory in MiB (undefined
 * where the system does not tell), and what it printed.
 * @typedef {{ wall: number, processor?: number, memory?: number, stdout: string, stderr: string }} Usage
 */

/**
 * Runs a program to its end.
 * @param {{ program: string, words: string[], folder?: string, environment: Record<string, string> }} command
 * @param {{ usageFile: string, timeout: number }} options `usageFile` is overwritten; `timeout` in seconds
 * @returns {Promise<Usage>}
 * @throws when it fails or takes too long
 */
export async function measure({ program, words, folder, environment }, { usageFile, timeout }) {
  const wrapped = hasTime ? [GNU_TIME, '-q', '-f', '%U %S %M', '-o', usageFile, program, ...words] : [program, ...words]
  const start = performance.now()
  const child = spawn(wrapped[0], wrapped.slice(1), {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  // The program is a child of `time`: both are in a group of their own, and end together.
  const end = () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL')
  const timer = setTimeout(end, timeout * 1000)
  process.once('exit', end)
  let wall = 0
  child.once('exit', () => (wall = (performance.now() - start) / 1000))
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (...result) => resolve(result))
  })
  clearTimeout(timer)
  process.off('exit', end)
  if (code !== 0) {
    const how = signal === null ? `ended with ${code}` : `was ended after ${timeout} s`
    throw new Error(`${[program, ...words].join(' ')} ${how}: ${stderr().slice(-2000)}`)
  }
  return { wall, ...(await readUsage(usageFile)), stdout: stdout(), stderr: stderr() }
}

/** What a process that is running has used so far, where /proc tells. @param {number} pid */
export async function usageOf(pid) {
  if (process.platform !== 'linux') return {}
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ])
  // The name of the program may hold anything but ends with the last bracket; times are in hundredths of a second.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const memory = Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024
  return { processor: (Number(fields[11]) + Number(fields[12])) / 100, memory }
}

async function readUsage(path) {
  if (!hasTime) return {}
  const [user, system, kibibytes] = (await readFile(path, 'utf8')).trim().split(' ').map(Number)
  return { processor: user + system, memory: kibibytes / 1024 }
}

function collect(stream) {
  const chunks = []
  let size = 0
  stream.on('data', (chunk) => {
    size += chunk.length
    if (size <= MAX_OUTPUT) chunks.push(chunk)
  })
  return () => Buffer.concat(chunks).toString()
}
