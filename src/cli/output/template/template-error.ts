import { UsageError } from '../../usage-error.js'

/** A template is malformed, or asks for something that its data does not have. */
export function templateError(message: string): UsageError {
  return new UsageError(`template: ${message}`)
}
