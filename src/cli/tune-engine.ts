import { setFlagsFromString } from 'node:v8'

/** The newest version of Node that this was measured on; V8 complains about flags that it does not know. */
const NEWEST_MEASURED = 24

/** The first version of Node that does not wait, when it ends, for code to be optimized that nobody will run. */
const FIRST_THAT_ENDS_AT_ONCE = 24

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
  // The parser of HTTP answers is one large function of WebAssembly: optimizing it takes longer than most commands do,
  // and more than it gains in the others.
  if (version < FIRST_THAT_ENDS_AT_ONCE) setFlagsFromString('--wasm-tiering-budget=2000000000')
}
