import { setFlagsFromString } from 'node:v8'

/** The first version of Node that does not wait, when it ends, for code to be optimized that nobody will run. */
const FIRST_THAT_ENDS_AT_ONCE = 24

/** Roughly how many bytes of WebAssembly a function executes before it is optimized; V8 begins at 1 800 000 or more. */
const BUDGET = 100_000_000

/**
 * Has WebAssembly optimized only after it has run for a while. The parser of HTTP answers is one large function of it,
 * and optimizing that takes longer than most commands do.
 */
export function postponeOptimization(): void {
  if (Number.parseInt(process.versions.node) < FIRST_THAT_ENDS_AT_ONCE) {
    setFlagsFromString(`--wasm-tiering-budget=${BUDGET}`)
  }
}
