import type { Context } from '../context.js'

/** Whether colours may be used on a stream: NO_COLOR (no-color.org) and dumb terminals turn them off. */
export function wantsColour(environment: Context['environment'], isTerminal: boolean): boolean {
  return isTerminal && (environment.NO_COLOR ?? '') === '' && environment.TERM !== 'dumb'
}
