/** A list that ended early: what was read until then is shown before the error. */
export class InterruptedList extends Error {
  /** The result of the command, as far as it is known. */
  readonly result: object

  constructor(result: object, cause: unknown) {
    super('the list ended early', { cause })
    this.result = result
  }
}
