import { UsageError } from '../usage-error.js'

/** Whether a flag was given a value that means something. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false && value !== '' && !(Array.isArray(value) && value.length === 0)
}

/**
 * Refuses flags that exclude each other.
 * @param flags names as typed, without dashes, with the values that were parsed for them
 */
export function checkExclusive(flags: Readonly<Record<string, unknown>>): void {
  const given = Object.keys(flags).filter((flag) => isGiven(flags[flag]))
  if (given.length > 1) {
    throw new UsageError(`${given.map((flag) => `--${flag}`).join(', ')} cannot be used at the same time`)
  }
}
