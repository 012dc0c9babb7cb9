import { GantryError } from '../errors.js'

/** The command line itself is wrong: printed with the usage of the command, exit code 2. */
export class UsageError extends GantryError {
  readonly usage: string | undefined

  constructor(message: string, options: { readonly usage?: string; readonly hint?: string | undefined } = {}) {
    super('invalid-argument', message, { hint: options.hint })
    this.usage = options.usage
  }
}
