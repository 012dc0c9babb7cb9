import { createHash, randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Names a running process well enough to say later, from another process, whether it is still there. */
export interface ProcessIdentity {
  readonly pid: number
  /** Host name, for people. */
  readonly host: string
  /** Eight hexadecimal digits of host name and process namespace: a pid means nothing outside of it. */
  readonly space: string
  /** When the process started, in the kernel's units; `0` where that cannot be known. Tells apart reused pids. */
  readonly started: string
}

export type Liveness = 'alive' | 'dead' | 'unknown'

let own: ProcessIdentity | undefined

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  return (own ??= readOwnIdentity())
}

function readOwnIdentity(): ProcessIdentity {
  const host = hostname()
  const space = createHash('sha256').update(`${host}\0${processNamespace()}`).digest('hex').slice(0, 8)
  return { pid: process.pid, host, space, started: startOf(process.pid) ?? '0' }
}

/**
 * Whether a process still runs: `unknown` when it belongs to another host or container, whose processes cannot be seen.
 */
export function livenessOf(identity: ProcessIdentity): Liveness {
  if (identity.space !== ownIdentity().space) return 'unknown'
  if (!isRunning(identity.pid)) return 'dead'
  const started = startOf(identity.pid)
  return started === undefined || identity.started === '0' || identity.started === started ? 'alive' : 'dead'
}

/** The identity as part of a file name, unique for each call. */
export function formatOwner(identity: ProcessIdentity): string {
  return `${identity.pid}-${identity.space}-${identity.started}-${randomUUID()}`
}

const OWNER = /^(\d{1,10})-([0-9a-f]{8})-(\d{1,20})-[0-9a-f-]{36}$/

/** Reads what {@link formatOwner} made; undefined for any other text. The host name is not part of it. */
export function parseOwner(text: string): ProcessIdentity | undefined {
  const [, pid, space, started] = OWNER.exec(text) ?? []
  if (pid === undefined || space === undefined || started === undefined) return undefined
  return { pid: Number(pid), host: '', space, started }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    // Not Linux: the host name alone has to do.
    return ''
  }
}

/** Field 22 of /proc/PID/stat (proc(5)); the name in field 2 may hold spaces and parentheses. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie has ended, and only waits to be noticed by its parent.
    return fields[0] === 'Z' ? 'ended' : fields[19]
  } catch {
    // Not Linux, or gone in this moment.
    return undefined
  }
}
