import { parseArgs } from 'node:util'
import { didYouMean } from './near-word.js'
import type { Option, Options } from './options/option.js'
import { UsageError } from './usage-error.js'

/** A command line behind the name of its command, taken apart. */
export interface ParsedWords {
  /** By the name under which the flags were declared. */
  readonly values: Readonly<Record<string, unknown>>
  /** Names of flags that were given, as declared. */
  readonly given: ReadonlySet<string>
  /** The words that are no flags. */
  readonly words: readonly string[]
  readonly wantsHelp: boolean
}

/**
 * Reads flags and words as Go programs do: flags stand anywhere before `--`, short ones may be joined, a value follows
 * in the next word, behind `=`, or right behind a short flag.
 * @throws UsageError in the words that scripts written for `oras` expect
 */
export function parseWords(args: readonly string[], options: Options, name: string): ParsedWords {
  const hint = `Run '${name} --help' for usage.`
  const byFlag = flagsOf(options)
  const { tokens } = parseArgs({
    args: splitSwitches(args, options),
    options: Object.fromEntries(Object.values(options).map((option) => configOf(option))),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const values: Record<string, unknown> = {}
  const words: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind !== 'option') continue
    const { rawName, value, inlineValue } = token
    if (rawName === '-h' || rawName === '--help') return { values, given: new Set(), words, wantsHelp: true }
    const key = byFlag.get(rawName)
    const option = key === undefined ? undefined : options[key]
    if (key === undefined || option === undefined) throw unknownFlag(rawName, [...byFlag.keys()], hint)
    const text = valueOf(option, { rawName, value, inlineValue: inlineValue === true }, hint)
    values[key] = option.read(text, values[key])
  }
  const given = new Set(Object.keys(values))
  for (const [key, option] of Object.entries(options)) if (!given.has(key)) values[key] = option.fallback
  return { values, given, words, wantsHelp: false }
}

/** @throws UsageError when a flag is missing that the command does not work without */
export function checkRequired(given: ReadonlySet<string>, options: Options, name: string): void {
  const missing = Object.entries(options).filter(([key, { required }]) => required === true && !given.has(key))
  if (missing.length === 0) return
  const names = missing.map(([, { long }]) => `"${long.slice(2)}"`).join(', ')
  throw new UsageError(`required flag(s) ${names} not set`, { hint: `Run '${name} --help' for usage.` })
}

/** `-v=false` is `--verbose=false`, and `-dv=false` is `-d --verbose=false`: Node.js reads letters of a value there. */
function splitSwitches(args: readonly string[], options: Options): string[] {
  const byLetter = new Map(Object.values(options).map((option) => [option.short?.slice(1), option]))
  const longs = new Map(Object.values(options).map((option) => [option.long, option]))
  const split: string[] = []
  let isValue = false
  for (const [index, word] of args.entries()) {
    if (word === '--') return [...split, ...args.slice(index)]
    const [, letters = '', value] = /^-([A-Za-z]+)(?:=(.*))?$/s.exec(word) ?? []
    const last = byLetter.get(letters.at(-1))
    if (!isValue && value !== undefined && last?.isBoolean === true) {
      if (letters.length > 1) split.push(`-${letters.slice(0, -1)}`)
      split.push(`${last.long}=${value}`)
      continue
    }
    split.push(word)
    // What follows a flag with a value is that value, whatever it looks like.
    isValue = !isValue && value === undefined && (last ?? longs.get(word))?.isBoolean === false
  }
  return split
}

function flagsOf(options: Options): ReadonlyMap<string, string> {
  const byFlag = new Map<string, string>()
  for (const [key, { long, short }] of Object.entries(options)) {
    byFlag.set(long, key)
    if (short !== undefined) byFlag.set(short, key)
  }
  return byFlag
}

function configOf({
  long,
  short,
  isBoolean,
}: Option<unknown>): [string, { type: 'boolean' | 'string'; short?: string }] {
  const type = isBoolean ? 'boolean' : 'string'
  // Node.js takes no explicit undefined here.
  return [long.slice(2), short === undefined ? { type } : { type, short: short.slice(1) }]
}

interface GivenFlag {
  readonly rawName: string
  readonly value: string | undefined
  readonly inlineValue: boolean
}

function valueOf(
  { long, isBoolean }: Option<unknown>,
  { rawName, value, inlineValue }: GivenFlag,
  hint: string,
): string {
  if (isBoolean) return value ?? 'true'
  if (value === undefined) throw new UsageError(`flag needs an argument: ${long}`, { hint })
  // `-o=file` is the file, as it is for `--output=file`.
  return inlineValue && !rawName.startsWith('--') ? value.replace(/^=/, '') : value
}

function unknownFlag(rawName: string, known: readonly string[], hint: string): UsageError {
  const near = didYouMean(rawName, known)
  return new UsageError(`unknown flag: ${rawName}`, { hint: near === undefined ? hint : `${near} ${hint}` })
}
