import type { CommandGroup } from '../command.js'

/** Exit codes from here on say which signal has ended the program. */
const FIRST_SIGNAL_CODE = 128

/** The tree of commands as `gantry oras`, or a program called `oras`, shows it. */
export function treeOfOras(tree: CommandGroup): CommandGroup {
  return { ...tree, name: 'oras' }
}

/** The exit code that oras has: 1 for every failure. */
export function exitCodeOfOras(code: number): number {
  return code === 0 || code >= FIRST_SIGNAL_CODE ? code : 1
}
