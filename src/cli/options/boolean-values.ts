import type { Command, Option } from 'commander'

/** The words of a command line without `--flag=true` and `--flag=false`, and what those say. */
export interface SplitBooleans {
  readonly rest: readonly string[]
  readonly booleans: ReadonlyMap<string, boolean>
}

const TRUE = new Set(['true', 't', '1', 'TRUE', 'True', 'T'])
const FALSE = new Set(['false', 'f', '0', 'FALSE', 'False', 'F'])

/**
 * Takes explicit values of boolean flags out of the command line: `--plain-http=false` is what scripts write, and the
 * parser knows no values for flags without one. A short flag with `=` (`-o=file`) loses it, for the same reason.
 */
export function splitBooleans(command: Command, words: readonly string[]): SplitBooleans {
  const booleans = new Map<string, boolean>()
  const rest: string[] = []
  for (const [index, word] of words.entries()) {
    if (word === '--') {
      rest.push(...words.slice(index))
      break
    }
    const [flag, value] = splitAtEquals(word)
    const option =
      value === undefined ? undefined : command.options.find(({ long, short }) => long === flag || short === flag)
    if (option === undefined || value === undefined) rest.push(word)
    else if (isBoolean(option) && (TRUE.has(value) || FALSE.has(value))) {
      booleans.set(option.attributeName(), option.negate ? !TRUE.has(value) : TRUE.has(value))
    } else if (option.short === flag && !isBoolean(option)) rest.push(flag, value)
    else rest.push(word)
  }
  return { rest, booleans }
}

function splitAtEquals(word: string): [string, string?] {
  const equals = word.startsWith('-') ? word.indexOf('=') : -1
  return equals === -1 ? [word] : [word.slice(0, equals), word.slice(equals + 1)]
}

function isBoolean(option: Option): boolean {
  return !option.required && !option.optional
}
