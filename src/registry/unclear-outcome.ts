import { isGantryError } from '../errors.js'

/**
 * Whether a request that the transport could not get an answer to may have been carried out all the same. Statuses are
 * no matter of this: `isRetryableStatus` tells which of them leave it open.
 */
export function isUnclear(error: unknown): boolean {
  return isGantryError(error, 'network-error', 'timeout') && error.response === undefined
}
