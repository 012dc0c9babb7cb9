import { setFlagsFromString } from 'node:v8'

/** The newest version of Node that this was measured on; V8 complains about flags that it does not know. */
const NEWEST_MEASURED = 24
/** Milliseconds after which a command counts as one that takes long, and V8 optimizes as soon as it does by itself. */
const OPTIMIZED_AFTER = 500

/**
 * Adapts V8, which is made for programs that run for long and have much on their heap, to one that does neither, and
 * has much content pass through instead.
 */
export function tuneEngine(): void {
  const version = Number.parseInt(process.versions.node)
  if (version > NEWEST_MEASURED) return
  // The content that has passed makes V8 collect garbage every few dozen megabytes. The heap is so small that doing it
  // at once takes a fraction of what it takes to do it in steps, on several threads.
  setFlagsFromString('--no-incremental-marking')
  // Nearly all that is allocated is garbage at once, so that the part of the heap for new objects need not grow.
  setFlagsFromString('--semi-space-growth-factor=1')
  if (version === 20) {
    // Most commands are over before optimizing their code pays, and it takes the processor from what they wait for; newer
    // versions have a compiler between. The second number is V8's own.
    setFlagsFromString('--interrupt-budget=300000')
    setTimeout(() => setFlagsFromString('--interrupt-budget=67584'), OPTIMIZED_AFTER).unref()
  }
  // The parser of HTTP answers is one large function of WebAssembly: optimizing it takes longer than most commands do,
  // and some 20 MiB, and gains nothing in the others.
  setFlagsFromString('--no-wasm-tier-up')
  setFlagsFromString('--no-wasm-dynamic-tiering')
}
