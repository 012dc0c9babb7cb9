import type { Context } from '../context.js'
import { Printer } from './printer.js'

/** Says of packed folders that not everybody can unpack them as they are; says nothing with `--quiet`. */
export function warnOfUnportableNames(
  context: Context,
  { quiet }: { readonly quiet?: boolean },
): (path: string, names: string) => void {
  return (path, names) => {
    if (quiet === true) return
    new Printer(context).notice(`WARNING: ${path} can only be pulled with --allow-unportable-names: ${names}`)
  }
}
