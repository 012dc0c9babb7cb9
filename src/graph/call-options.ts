import type { CallOptions } from '../store/store.js'

/** What every call to a store takes, out of options that hold more. */
export function callOptionsOf({ signal }: CallOptions): CallOptions {
  return signal === undefined ? {} : { signal }
}
