import { setFlagsFromString } from 'node:v8'

/** The first version of Node that does not wait, when it ends, for code to be optimized that nobody will run. */
const FIRST_THAT_ENDS_AT_ONCE = 24

/** Roughly how many bytes of WebAssembly a function executes before it is optimized: more than it ever does. */
const BUDGET = 2_000_000_000

/**
 * Keeps WebAssembly from being optimized while it runs. The parser of HTTP answers is one large function of it, and
 * optimizing that takes longer than most commands do, and more than it gains in the others.
 */
export function postponeOptimization(): void {
  if (Number.parseInt(process.versions.node) < FIRST_THAT_ENDS_AT_ONCE) {
    setFlagsFromString(`--wasm-tiering-budget=${BUDGET}`)
  }
}
