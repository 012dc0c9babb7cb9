import { gzip } from 'libdeflate'

/** Offsets in the header of a gzip member (RFC 1952, section 2.3). */
const HEADER = { flags: 3, time: 4, extraFlags: 8, operatingSystem: 9 } as const
const UNKNOWN_OPERATING_SYSTEM = 255

/** Libdeflate's module attaches these to the process that it starts in. */
const MODULE_EVENTS = ['uncaughtException', 'unhandledRejection']

let isModuleStarted = false

/**
 * Compresses one block into a gzip member of its own. The deflate is WebAssembly, so the bytes are the same on every
 * platform and with every version of Node; the header has no time, no name and no flags, and an unknown system.
 * @param level from 1 (fast) to 12 (small)
 */
export function compressBlock(block: Uint8Array, level: number): Uint8Array {
  if (!isModuleStarted) startModule()
  const member = gzip(block, level)
  if (member[HEADER.flags] !== 0) throw new Error('libdeflate wrote a gzip header with optional fields')
  member.fill(0, HEADER.time, HEADER.extraFlags + 1)
  member[HEADER.operatingSystem] = UNKNOWN_OPERATING_SYSTEM
  return member
}

/** Starts the WebAssembly module and takes back the process-wide handlers that it installs: they are the host's own. */
function startModule(): void {
  const before = new Map(MODULE_EVENTS.map((event) => [event, process.rawListeners(event)]))
  gzip(new Uint8Array(0), 1)
  for (const [event, listeners] of before) {
    for (const listener of process.rawListeners(event)) {
      if (!listeners.includes(listener)) process.removeListener(event, listener as () => void)
    }
  }
  isModuleStarted = true
}
