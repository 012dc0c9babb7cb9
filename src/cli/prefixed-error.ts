import { GantryError } from '../errors.js'

/** The same error with words in front of its message that only the command knows. */
export class PrefixedError extends GantryError {
  constructor(prefix: string, error: GantryError) {
    super(error.code, `${prefix}${error.message}`, error.options)
  }
}

/** The failure of one end of a transfer, with the reference of that end as the user typed it. */
export class SideError extends PrefixedError {
  /** Such as `source registry for "localhost:5000/hello:v1"`. */
  readonly end: string

  constructor(end: string, error: GantryError) {
    super('', error)
    this.end = end
  }
}
