export interface BackoffOptions {
  /** Bound of the first wait in milliseconds; default 300. */
  readonly base?: number
  /** Bound of every wait in milliseconds; default 15 000. */
  readonly cap?: number
  /** A number in [0, 1); default Math.random. */
  readonly random?: () => number
}

/**
 * How long to wait before the next attempt, in milliseconds: exponential with full jitter, so that many clients that
 * failed together do not come back together.
 * @param failures attempts that have failed so far, from 1
 */
export function backoffDelay(failures: number, options: BackoffOptions = {}): number {
  const { base = 300, cap = 15_000, random = Math.random } = options
  return Math.floor(random() * Math.min(cap, base * 2 ** (failures - 1)))
}
