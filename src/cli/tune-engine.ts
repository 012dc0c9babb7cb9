import { cachedDataVersionTag, setFlagsFromString } from 'node:v8'

/** The newest version of Node that this was measured on; V8 complains about flags that it does not know. */
const NEWEST_MEASURED = 24
/** Milliseconds after which a command counts as one that takes long, and V8 optimizes as soon as it does by itself. */
const STARTED_AFTER = 500
/**
 * Modules of Node.js that nearly every command needs that is tuned. They come compiled, for the settings that V8 starts
 * with: after these have changed, each would be compiled again.
 */
const NEEDED_MODULES = ['assert', 'crypto', 'dns', 'fs/promises', 'net']

const version = Number.parseInt(process.versions.node)

/**
 * What holds only until a command takes long. Most are over before optimizing their code pays, and it takes the processor
 * from what they wait for; versions of Node.js after 20 have a compiler between. The regular expression of Node.js for
 * IPv6 addresses is so large that optimizing it takes milliseconds.
 */
const AT_START = ['--no-regexp-optimization', ...(version === 20 ? ['--interrupt-budget=300000'] : [])]
/** V8's own choices and numbers. */
const USUAL_LATER = ['--regexp-optimization', ...(version === 20 ? ['--interrupt-budget=67584'] : [])]
const USUAL = ['--incremental-marking', '--semi-space-growth-factor=2', '--wasm-tier-up', '--wasm-dynamic-tiering']

/**
 * Adapts V8, which is made for programs that run for long and have much on their heap, to one that does neither, and
 * has much content pass through instead.
 */
export function tuneEngine(): void {
  if (version > NEWEST_MEASURED) return
  for (const name of NEEDED_MODULES) process.getBuiltinModule(name)
  // The content that has passed makes V8 collect garbage every few dozen megabytes. The heap is so small that doing it
  // at once takes a fraction of what it takes to do it in steps, on several threads.
  setFlagsFromString('--no-incremental-marking')
  // Nearly all that is allocated is garbage at once, so that the part of the heap for new objects need not grow.
  setFlagsFromString('--semi-space-growth-factor=1')
  tuneForStart()
  setTimeout(() => {
    for (const flag of USUAL_LATER) setFlagsFromString(flag)
  }, STARTED_AFTER).unref()
  // The parser of HTTP responses is one large function of WebAssembly: optimizing it takes longer than most commands do,
  // and some 20 MiB, and gains nothing in the others.
  setFlagsFromString('--no-wasm-tier-up')
  setFlagsFromString('--no-wasm-dynamic-tiering')
}

/** Sets what a tuned engine starts with, whatever has been settled since. */
export function tuneForStart(): void {
  if (version > NEWEST_MEASURED) return
  for (const flag of AT_START) setFlagsFromString(flag)
}

/** Goes back to what V8 started with, when the command is over. */
export function untuneEngine(): void {
  if (version > NEWEST_MEASURED) return
  for (const flag of [...USUAL, ...USUAL_LATER]) setFlagsFromString(flag)
}

/** Changes with everything that compiled code depends on: V8, its settings and the processor. */
export function engineTag(): number {
  return cachedDataVersionTag()
}
